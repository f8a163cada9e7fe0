"""kube-proxy: what becomes of a packet to a Service's address, as rules.

A pure look at the informers, for the datapath. Readiness is honoured: a rule without endpoints rejects, as the
proxy's REJECT does, whether the Service was called by its name or by its address.

Models pkg/proxy (iptables mode) and its topology-free endpoint choice (pkg/proxy/topology.go).
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.network import Rule

_SLICES = "endpointslices.discovery.k8s.io"
_CLUSTER_IP, _NODE_PORT, _NODE_IP = "cluster-ip", "node-port", "node-ip"
RULES = 10_000
"""Rules that are kept; they are worked out again when there are more."""

_Sources = tuple[JSON, list[JSON]]


class Proxy:
    """The rules of one cluster; every node has the same."""

    def __init__(self, informers: SharedInformerFactory) -> None:
        self._services = informers.of("services")
        self._slices = informers.of(_SLICES)
        self._nodes = informers.of("nodes")
        self._services.add_index(_CLUSTER_IP, _cluster_ips, ("spec", "status"))
        self._services.add_index(_NODE_PORT, _node_ports, ("spec",))
        self._slices.add_index("service", _service_of, ("labels",))
        self._nodes.add_index(_NODE_IP, _node_ips, ("status",))
        self._rules: dict[tuple[str, int, str], tuple[_Sources, Rule | None]] = {}

    def rule(self, ip: str, port: int, protocol: str) -> Rule | None:
        """The rule for a destination; None when it belongs to no Service."""
        for service in self._services.by_index(_CLUSTER_IP, ip):
            found = self._rule(service, "port", port, protocol)
            if found is not None:
                return found
        if self._nodes.count_by_index(_NODE_IP, ip):
            for service in self._services.by_index(_NODE_PORT, str(port)):
                found = self._rule(service, "nodePort", port, protocol)
                if found is not None:
                    return found
        return None

    def owns(self, ip: str) -> bool:
        """Whether the address is a Service's: a port that it does not serve leads nowhere."""
        return self._services.count_by_index(_CLUSTER_IP, ip) > 0

    def from_outside(self, ip: str) -> bool:
        """Whether somebody outside the cluster has a way to the address: a node's, or an external one of a Service."""
        return self._nodes.count_by_index(_NODE_IP, ip) > 0 or any(
            ip in _external_ips(service) for service in self._services.by_index(_CLUSTER_IP, ip)
        )

    def _rule(self, service: JSON, field: str, number: int, protocol: str) -> Rule | None:
        meta = service["metadata"]
        key = f"{meta['namespace']}/{meta['name']}"
        slices = self._slices.by_index("service", key)
        place = (f"{key}/{field}", number, protocol)
        known = self._rules.get(place)
        if known is not None and _same(known[0], service, slices):
            return known[1]
        port = next(
            (
                p
                for p in service["spec"].get("ports") or ()
                if p.get(field) == number and p.get("protocol", "TCP") == protocol
            ),
            None,
        )
        rule = None
        if port is not None:
            name = port.get("name", "")
            rule = Rule(f"{key}:{name}" if name else key, _endpoints(slices, name))
        if len(self._rules) >= RULES:
            self._rules.clear()
        self._rules[place] = ((service, slices), rule)
        return rule


def _same(sources: _Sources, service: JSON, slices: list[JSON]) -> bool:
    """Whether a rule was made of these very objects."""
    return (
        sources[0] is service
        and len(sources[1]) == len(slices)
        and all(a is b for a, b in zip(sources[1], slices, strict=True))
    )


def _endpoints(slices: list[JSON], name: str) -> tuple[tuple[str, int], ...]:
    """(address, port) of the endpoints that may answer, in the order of the slices."""
    ready: list[tuple[str, int]] = []
    serving: list[tuple[str, int]] = []
    for slice in slices:
        number = _number(slice, name)
        for entry in slice.get("endpoints") or () if number else ():
            conditions = entry.get("conditions") or {}
            if conditions.get("ready", True) is not False:
                ready.append((entry["addresses"][0], number))
            elif conditions.get("serving") and conditions.get("terminating"):
                serving.append((entry["addresses"][0], number))
    # Terminating Pods still get traffic when nothing else is left.
    return tuple(ready or serving)


def _number(slice: JSON, name: str) -> int:
    """The port of that name behind the slice's endpoints; 0 without one."""
    for port in slice.get("ports") or ():
        if (port.get("name") or "") == name:
            return int(port.get("port") or 0)
    return 0


def _service_of(slice: JSON) -> Sequence[str]:
    """Index function: the Service that a slice belongs to."""
    name = (slice["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
    return (f"{slice['metadata']['namespace']}/{name}",) if name else ()


def _cluster_ips(service: JSON) -> Sequence[str]:
    """Index function: the addresses at which the cluster reaches the Service."""
    spec = service["spec"]
    ips = [ip for ip in (spec.get("clusterIPs") or [spec.get("clusterIP")]) if ip and ip != "None"]
    return [*ips, *_external_ips(service)]


def _external_ips(service: JSON) -> Sequence[str]:
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [
        *(service["spec"].get("externalIPs") or ()),
        *(entry["ip"] for entry in ingress if entry.get("ip")),
    ]


def _node_ports(service: JSON) -> Sequence[str]:
    """Index function: the ports at which every node serves it."""
    return [str(p["nodePort"]) for p in service["spec"].get("ports") or () if p.get("nodePort")]


def _node_ips(node: JSON) -> Sequence[str]:
    """Index function: the node's own addresses."""
    addresses = (node.get("status") or {}).get("addresses") or ()
    return [entry["address"] for entry in addresses if entry["type"] != "Hostname"]
