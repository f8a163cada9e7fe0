"""coredns: names of Services and Pods to records.

A pure look at the informers, for the CoreDNS Pods' program, which answers what Pods ask. Names outside the cluster do
not exist here.

Models CoreDNS' kubernetes plugin (plugin/kubernetes, plugin/backend_lookup.go) with the domain ``cluster.local``, and
the specification github.com/kubernetes/dns/blob/master/docs/specification.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.network import is_address

DOMAIN = "cluster.local"
MAX_ALIASES = 8
"""Names that one question is led on to."""
_MAX_NAME = 253
_SLICES, _SERVICE_NAME = "endpointslices.discovery.k8s.io", "kubernetes.io/service-name"
_REVERSE = ".in-addr.arpa"

Record = tuple[str, str, str]
"""(name, type, data), as ``linux.dns`` has them."""


class Resolver:
    """Answers questions as the cluster's DNS does."""

    def __init__(self, informers: SharedInformerFactory) -> None:
        self._services = informers.of("services")
        self._slices = informers.of(_SLICES)
        self._slices.add_index("service", _service_of, ("labels",))

    def answer(self, question: list[str]) -> list[Record] | None:
        """The records that a server gives to ``[type, full name]``; None: there is no such name."""
        kind, full = question
        name = full.lower().rstrip(".")
        if not name or len(name) > _MAX_NAME:
            return None
        return self._records(kind, name, MAX_ALIASES)

    def _records(self, kind: str, name: str, left: int) -> list[Record] | None:
        if name.endswith(_REVERSE):
            return self._reverse(kind, name)
        head, dot, rest = name.rpartition(f".pod.{DOMAIN}")
        if dot and not rest:
            addresses = _pod_address(head.split("."))
            return [(name, "A", ip) for ip in addresses if kind == "A"] if addresses else None
        head, dot, rest = name.rpartition(f".svc.{DOMAIN}")
        return self._service(kind, name, head.split("."), left) if dot and not rest else None

    def _service(self, kind: str, name: str, parts: list[str], left: int) -> list[Record] | None:
        """``[host.]service.namespace``, a host being an endpoint; ``_port._protocol.service.namespace``."""
        port = protocol = ""
        if len(parts) == 4 and parts[0].startswith("_") and parts[1].startswith("_"):
            port, protocol, parts = parts[0][1:], parts[1][1:], parts[2:]
        if len(parts) not in (2, 3):
            return None
        *host, service_name, namespace = parts
        service = self._services.get(f"{namespace}/{service_name}")
        if service is None:
            return None
        spec = service["spec"]
        if spec.get("type") == "ExternalName":
            return None if host or port else self._alias(kind, name, spec["externalName"].lower(), left)
        base = f"{service_name}.{namespace}.svc.{DOMAIN}"
        if spec.get("clusterIP") not in (None, "", "None"):
            if host:
                return None
            targets = [(base, spec["clusterIP"], spec.get("ports") or [])]
        else:
            targets = [
                (f"{_host(entry, ip)}.{base}", ip, ports)
                for entry, ip, ports in self._endpoints(namespace, service_name)
                if not host or _host(entry, ip) == host[0]
            ]
        named = [(at, ip, [p for p in ports if _means(p, port, protocol)]) for at, ip, ports in targets]
        if not targets or (port and not any(ports for _, _, ports in named)):
            return None
        if kind == "A":
            return [(name, "A", ip) for _, ip, ports in named if ports or not port]
        if kind != "SRV":
            return []
        found = [(p["port"], at) for at, _, ports in named for p in ports]
        weight = max(1, 100 // len(found)) if found else 0
        return [(name, "SRV", f"0 {weight} {number} {at}") for number, at in found]

    def _alias(self, kind: str, name: str, target: str, left: int) -> list[Record]:
        """A CNAME; one that leads back into the cluster is followed, a few times at most."""
        target = target.rstrip(".")
        more = self._records(kind, target, left - 1) if left > 0 and kind in ("A", "AAAA") else None
        return [(name, "CNAME", target), *(more or [])]

    def _endpoints(self, namespace: str, name: str) -> Iterator[tuple[JSON, str, list[JSON]]]:
        """(endpoint, address, ports) of those that are ready."""
        for slice in self._slices.by_index("service", f"{namespace}/{name}"):
            for entry in slice.get("endpoints") or ():
                if (entry.get("conditions") or {}).get("ready", True) is not False:
                    for ip in entry["addresses"]:
                        yield entry, ip, slice.get("ports") or []

    def _reverse(self, kind: str, name: str) -> list[Record] | None:
        """The names of an address: a Service's, or those of the endpoints that have it."""
        ip = ".".join(reversed(name.removesuffix(_REVERSE).split(".")))
        if not is_address(ip):
            return None
        names = [
            _full(each["metadata"]) for each in self._services.list() if each["spec"].get("clusterIP") == ip
        ]
        for slice in self._slices.list() if not names else ():
            meta = slice["metadata"]
            service = (meta.get("labels") or {}).get(_SERVICE_NAME)
            for entry in slice.get("endpoints") or () if service else ():
                if ip in entry["addresses"]:
                    names.append(f"{_host(entry, ip)}.{service}.{meta['namespace']}.svc.{DOMAIN}")
        if not names:
            return None
        return [(name, "PTR", each) for each in names] if kind == "PTR" else []


def _means(port: JSON, name: str, protocol: str) -> bool:
    """Whether a port is the one that a name asks for ("" and "": any)."""
    return not name or (
        (port.get("name") or "") == name and str(port.get("protocol") or "TCP").lower() == protocol
    )


def _full(meta: JSON) -> str:
    return f"{meta['name']}.{meta['namespace']}.svc.{DOMAIN}"


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
