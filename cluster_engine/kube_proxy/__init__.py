"""kube-proxy: from a Service's address to a Pod that answers.

A pure look at the informers, for commands in containers that open a connection. Readiness is honoured:
without a ready endpoint a connection is refused, as the proxy's REJECT rule does.

Models pkg/proxy (iptables mode) and its topology-free endpoint choice (pkg/proxy/topology.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.coredns import Resolver, is_address

_SLICES = "endpointslices.discovery.k8s.io"
_CLUSTER_IP = "cluster-ip"


class Endpoint(NamedTuple):
    """Where a connection ends: an address, and the Pod behind it (``namespace/name``) if there is one."""

    ip: str
    port: int
    pod: str | None


class Route(NamedTuple):
    """Where a connection may go. ``found`` is False when the name or address does not exist at all."""

    found: bool
    endpoints: list[Endpoint]


class ServiceProxy:
    """Resolves names and addresses as seen from a Pod or a node."""

    def __init__(self, informers: SharedInformerFactory) -> None:
        self._services = informers.of("services")
        self._slices = informers.of(_SLICES)
        self._pods = informers.of("pods")
        self._nodes = informers.of("nodes")
        self._dns = Resolver(informers)
        self._services.add_index(_CLUSTER_IP, _cluster_ips)
        self._pods.add_index("pod-ip", _pod_ips)

    def resolve(
        self, host: str, port: int, namespace: str = "default", protocol: str = "TCP", choice: int = 0
    ) -> Endpoint | None:
        """The endpoint that answers; ``choice`` (any number) picks among several. None: nothing answers."""
        endpoints = self.route(host, port, namespace, protocol).endpoints
        return endpoints[choice % len(endpoints)] if endpoints else None

    def route(self, host: str, port: int, namespace: str = "default", protocol: str = "TCP") -> Route:
        """All endpoints that the proxy would choose from, in a stable order."""
        ips = [host] if is_address(host) else self._dns.lookup(host, namespace)
        endpoints = [entry for ip in ips for entry in self._behind(ip, port, protocol)]
        return Route(bool(ips), endpoints)

    def _behind(self, ip: str, port: int, protocol: str) -> list[Endpoint]:
        services = self._services.by_index(_CLUSTER_IP, ip)
        if services:
            return self._endpoints(services[0], "port", port, protocol)
        for pod in self._pods.by_index("pod-ip", ip):
            if not pod["metadata"].get("deletionTimestamp") and not pod["spec"].get("hostNetwork"):
                return [Endpoint(ip, port, f"{pod['metadata']['namespace']}/{pod['metadata']['name']}")]
        if any(_node_has(node, ip) for node in self._nodes.list()):
            for service in self._services.list():
                found = self._endpoints(service, "nodePort", port, protocol)
                if found:
                    return found
        return []

    def _endpoints(self, service: JSON, field: str, number: int, protocol: str) -> list[Endpoint]:
        port = next(
            (
                p
                for p in service["spec"].get("ports") or ()
                if p.get(field) == number and p.get("protocol", "TCP") == protocol
            ),
            None,
        )
        if port is None:
            return []
        key = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
        ready: list[Endpoint] = []
        serving: list[Endpoint] = []
        for slice in self._slices.by_index("service", key):
            target = _number(slice, port.get("name", ""))
            for entry in slice.get("endpoints") or () if target else ():
                _sort(entry, target, ready, serving)
        # Terminating Pods still get traffic when nothing else is left.
        return ready or serving


def _number(slice: JSON, name: str) -> int:
    """The port of that name behind the slice's endpoints; 0 without one."""
    for port in slice.get("ports") or ():
        if port.get("name", "") == name:
            return int(port.get("port") or 0)
    return 0


def _sort(entry: JSON, port: int, ready: list[Endpoint], serving: list[Endpoint]) -> None:
    conditions = entry.get("conditions") or {}
    reference = entry.get("targetRef") or {}
    pod = f"{reference['namespace']}/{reference['name']}" if reference.get("kind") == "Pod" else None
    found = Endpoint(entry["addresses"][0], port, pod)
    if conditions.get("ready", True) is not False:
        ready.append(found)
    elif conditions.get("serving") and conditions.get("terminating"):
        serving.append(found)


def _cluster_ips(service: JSON) -> Sequence[str]:
    """Index function: the addresses at which the cluster reaches the Service."""
    spec = service["spec"]
    ips = [ip for ip in (spec.get("clusterIPs") or [spec.get("clusterIP")]) if ip and ip != "None"]
    ips += spec.get("externalIPs") or ()
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [*ips, *(entry["ip"] for entry in ingress if entry.get("ip"))]


def _pod_ips(pod: JSON) -> Sequence[str]:
    ip = (pod.get("status") or {}).get("podIP")
    return (ip,) if ip else ()


def _node_has(node: JSON, ip: str) -> bool:
    addresses = (node.get("status") or {}).get("addresses") or ()
    return any(entry["address"] == ip and entry["type"] != "Hostname" for entry in addresses)
