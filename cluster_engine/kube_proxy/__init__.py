"""kube-proxy: what becomes of a packet to a Service's address, as rules.

A pure look at the informers, for the datapath. Readiness is honoured: a rule without endpoints rejects, as the
proxy's REJECT does, whether the Service was called by its name or by its address; one that has endpoints elsewhere
alone drops.

Models pkg/proxy (iptables mode); which endpoints a node's packets go to is ``topology``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.kube_proxy.health import answered
from cluster_engine.kube_proxy.listing import Port, saved
from cluster_engine.kube_proxy.topology import Endpoint, endpoints_of, usable
from cluster_engine.network import Packet, Rule

_SLICES = "endpointslices.discovery.k8s.io"
_CLUSTER_IP, _NODE_PORT, _NODE_IP, _HEALTH_PORT = "cluster-ip", "node-port", "node-ip", "health-port"
_ZONE = "topology.kubernetes.io/zone"
_AFFINITY_SECONDS = 10_800
RULES = 10_000
"""Rules that are kept; they are worked out again when there are more."""

_Sources = tuple[JSON, list[JSON]]


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A port of a Service, and its rules as they were made for nodes."""

    name: str
    endpoints: tuple[Endpoint, ...]
    sticky: int
    """Seconds of session affinity; 0: none."""
    hinted: bool
    """Hints may make a difference between nodes."""
    rules: dict[tuple[str, str, bool, bool], Rule] = field(default_factory=dict)


class Proxy:
    """The rules of one cluster: those of each node."""

    def __init__(self, informers: SharedInformerFactory) -> None:
        self._services = informers.of("services")
        self._slices = informers.of(_SLICES)
        self._nodes = informers.of("nodes")
        self._services.add_index(_CLUSTER_IP, _cluster_ips, ("spec", "status"))
        self._services.add_index(_NODE_PORT, _node_ports, ("spec",))
        self._services.add_index(_HEALTH_PORT, _health_ports, ("spec",))
        self._slices.add_index("service", _service_of, ("labels",))
        self._nodes.add_index(_NODE_IP, _node_ips, ("status",))
        self._places: dict[tuple[str, int, str], tuple[_Sources, _Place | None]] = {}
        self._kept = 0

    def rule(self, packet: Packet) -> Rule | None:
        """The rule for a packet where it is first looked at; None when its destination belongs to no Service."""
        ip = packet.destination
        for service in self._services.by_index(_CLUSTER_IP, ip):
            place = self._place(service, "port", packet)
            if place is None:
                continue
            spec = service["spec"]
            if spec.get("clusterIP") == ip:
                return self._rule(place, packet.node, spec.get("internalTrafficPolicy") == "Local")
            if not _let_in(service, packet):
                return Rule(place.name, (), silence="lets nobody in from there (loadBalancerSourceRanges)")
            return self._rule(place, packet.node)
        for node in self._nodes.by_index(_NODE_IP, ip):
            for service in self._services.by_index(_NODE_PORT, str(packet.port)):
                place = self._place(service, "nodePort", packet)
                if place is not None:
                    kept = service["spec"].get("externalTrafficPolicy") == "Local"
                    # What comes from inside of the cluster is not kept at the node, whatever the policy.
                    local = kept and not packet.node
                    return self._rule(place, node["metadata"]["name"], local, masquerade=not kept)
        return None

    def owns(self, ip: str) -> bool:
        """Whether the address is a Service's: a port that it does not serve leads nowhere."""
        return self._services.count_by_index(_CLUSTER_IP, ip) > 0

    def from_outside(self, ip: str) -> bool:
        """Whether somebody outside the cluster has a way to the address: a node's, or an external one of a Service."""
        return self._nodes.count_by_index(_NODE_IP, ip) > 0 or any(
            ip in _external_ips(service) for service in self._services.by_index(_CLUSTER_IP, ip)
        )

    def listed(self, node: str) -> str:
        """The rules of a node as `iptables-save` prints them."""
        ports = [
            port
            for service in self._services.list()
            if service["spec"].get("clusterIP") not in (None, "", "None")
            for port in self._ports(service, node)
        ]
        return saved(ports)

    def health(self, node: str, port: int) -> str:
        """What a balancer hears that asks a node for a Service's health; "": no Service is asked for at that port."""
        for service in self._services.by_index(_HEALTH_PORT, str(port)):
            meta = service["metadata"]
            slices = self._slices.by_index("service", f"{meta['namespace']}/{meta['name']}")
            ips = {
                endpoint.ip
                for each in service["spec"].get("ports") or ()
                for endpoint in endpoints_of(slices, each.get("name", ""))
                if endpoint.ready and endpoint.node == node
            }
            return answered(meta["namespace"], meta["name"], len(ips))
        return ""

    def _ports(self, service: JSON, node: str) -> Iterator[Port]:
        """The ports of a Service as a node's rules have them."""
        spec, key = service["spec"], f"{service['metadata']['namespace']}/{service['metadata']['name']}"
        slices = self._slices.by_index("service", key)
        for port in spec.get("ports") or ():
            place = _made(spec, key, port.get("name", ""), slices)
            own = spec.get("internalTrafficPolicy") == "Local"
            zone = self._zone(node)
            chosen = usable(place.endpoints, node, zone, own)
            yield Port(
                place.name,
                port.get("protocol", "TCP"),
                spec["clusterIP"],
                port["port"],
                port.get("nodePort", 0),
                tuple(_external_ips(service)),
                spec.get("externalTrafficPolicy") == "Local",
                tuple(f"{each.ip}:{each.port}" for each in chosen),
                tuple(f"{each.ip}:{each.port}" for each in usable(place.endpoints, node, zone, local=True)),
                place.sticky,
            )

    def _place(self, service: JSON, field: str, packet: Packet) -> _Place | None:
        """The Service's port that a packet is for."""
        meta, number, protocol = service["metadata"], packet.port, packet.protocol
        key = f"{meta['namespace']}/{meta['name']}"
        slices = self._slices.by_index("service", key)
        place = (f"{key}/{field}", number, protocol)
        known = self._places.get(place)
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
        made = _made(service["spec"], key, port.get("name", ""), slices) if port is not None else None
        self._count()
        self._places[place] = ((service, slices), made)
        return made

    def _rule(self, place: _Place, node: str, local: bool = False, masquerade: bool = False) -> Rule:
        """The rule of a node for a place; ``local``: it keeps to its own endpoints."""
        if place.hinted:
            key = (node, self._zone(node), local, masquerade)
        else:
            key = (node if local else "", "", local, masquerade)
        rule = place.rules.get(key)
        if rule is None:
            self._count()
            rule = place.rules[key] = _rule_of(place, *key)
        return rule

    def _count(self) -> None:
        """One thing more is kept."""
        self._kept += 1
        if self._kept > RULES:
            self._places.clear()
            self._kept = 1

    def _zone(self, name: str) -> str:
        node = self._nodes.get(name)
        return ((node or {}).get("metadata", {}).get("labels") or {}).get(_ZONE) or ""


def _made(spec: JSON, key: str, name: str, slices: list[JSON]) -> _Place:
    endpoints = endpoints_of(slices, name)
    hinted = any(endpoint.zones or endpoint.nodes for endpoint in endpoints)
    return _Place(f"{key}:{name}" if name else key, endpoints, _affinity(spec), hinted)


def _rule_of(place: _Place, node: str, zone: str, local: bool, masquerade: bool) -> Rule:
    chosen = usable(place.endpoints, node, zone, local)
    elsewhere = local and not chosen and bool(usable(place.endpoints, node, zone, local=False))
    return Rule(
        place.name,
        tuple((endpoint.ip, endpoint.port) for endpoint in chosen),
        place.sticky,
        "has no local endpoints" if elsewhere else "",
        masquerade,
    )


def _affinity(spec: JSON) -> int:
    """The seconds for which a client stays with its endpoint; 0: it does not."""
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(config.get("timeoutSeconds") or _AFFINITY_SECONDS)


def _let_in(service: JSON, packet: Packet) -> bool:
    """Whether a balancer's address takes a packet from there (KUBE-FW chains)."""
    ranges = service["spec"].get("loadBalancerSourceRanges")
    if not ranges or packet.destination not in _balancer_ips(service):
        return True
    source = ip_address(packet.source)
    return any(source in ip_network(each.strip(), strict=False) for each in ranges)


def _same(sources: _Sources, service: JSON, slices: list[JSON]) -> bool:
    """Whether a rule was made of these very objects."""
    return (
        sources[0] is service
        and len(sources[1]) == len(slices)
        and all(a is b for a, b in zip(sources[1], slices, strict=True))
    )


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
    return [*(service["spec"].get("externalIPs") or ()), *_balancer_ips(service)]


def _balancer_ips(service: JSON) -> list[str]:
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [entry["ip"] for entry in ingress if entry.get("ip")]


def _node_ports(service: JSON) -> Sequence[str]:
    """Index function: the ports at which every node serves it."""
    return [str(p["nodePort"]) for p in service["spec"].get("ports") or () if p.get("nodePort")]


def _health_ports(service: JSON) -> Sequence[str]:
    """Index function: the port at which every node tells whether it has endpoints of the Service."""
    port = service["spec"].get("healthCheckNodePort")
    return (str(port),) if port else ()


def _node_ips(node: JSON) -> Sequence[str]:
    """Index function: the node's own addresses."""
    addresses = (node.get("status") or {}).get("addresses") or ()
    return [entry["address"] for entry in addresses if entry["type"] != "Hostname"]
