"""coredns: names of Services and Pods to addresses.

A pure look at the informers, for the CoreDNS Pods' program, which answers what Pods ask. Models CoreDNS' kubernetes
plugin with the domain ``cluster.local``; names outside the cluster do not exist here.
"""

from __future__ import annotations

from collections.abc import Iterator

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.network import is_address

DOMAIN = "cluster.local"
_MAX_NAME = 253
_SLICES, _SERVICE_NAME = "endpointslices.discovery.k8s.io", "kubernetes.io/service-name"


class Resolver:
    """Answers A queries as the cluster's DNS does."""

    def __init__(self, informers: SharedInformerFactory) -> None:
        self._services = informers.of("services")
        self._slices = informers.of(_SLICES)
        self._slices.add_index("service", _service_of, ("labels",))

    def answer(self, full: str) -> list[str] | None:
        """What a server says to the question for a full name; None: there is no such name."""
        name = full.lower().rstrip(".")
        if not name or len(name) > _MAX_NAME:
            return None
        return self.resolve(name) or None

    def resolve(self, full: str, depth: int = 0) -> list[str]:
        """The addresses of a fully qualified name."""
        head, dot, rest = full.rpartition(f".svc.{DOMAIN}")
        if dot and not rest:
            return self._service(head.split("."), depth)
        head, dot, rest = full.rpartition(f".pod.{DOMAIN}")
        if dot and not rest:
            return _pod_address(head.split("."))
        return []

    def _service(self, parts: list[str], depth: int) -> list[str]:
        """``[host.]service.namespace``; a host is an endpoint of a headless Service."""
        if len(parts) not in (2, 3):
            return []
        *host, name, namespace = parts
        service = self._services.get(f"{namespace}/{name}")
        if service is None:
            return []
        spec = service["spec"]
        if spec.get("type") == "ExternalName":
            # A CNAME; one that leads back into the cluster is followed, a few times at most.
            return self.resolve(spec["externalName"].rstrip("."), depth + 1) if depth < 8 else []
        if spec.get("clusterIP") not in (None, "", "None"):
            return [] if host else [spec["clusterIP"]]
        return [
            ip for entry, ip in self._endpoints(namespace, name) if not host or _host(entry, ip) == host[0]
        ]

    def _endpoints(self, namespace: str, name: str) -> Iterator[tuple[JSON, str]]:
        for slice in self._slices.by_index("service", f"{namespace}/{name}"):
            for entry in slice.get("endpoints") or ():
                if (entry.get("conditions") or {}).get("ready", True) is not False:
                    for ip in entry["addresses"]:
                        yield entry, ip


def _service_of(slice: JSON) -> tuple[str, ...]:
    """Index function: the Service that a slice belongs to."""
    name = (slice["metadata"].get("labels") or {}).get(_SERVICE_NAME)
    return (f"{slice['metadata']['namespace']}/{name}",) if name else ()


def _host(entry: JSON, ip: str) -> str:
    return str(entry.get("hostname") or ip.replace(".", "-"))


def _pod_address(parts: list[str]) -> list[str]:
    """``10-244-1-7.namespace``: the address is in the name ("pods insecure": not checked)."""
    if len(parts) != 2:
        return []
    address = parts[0].replace("-", ".")
    return [address] if is_address(address) else []
