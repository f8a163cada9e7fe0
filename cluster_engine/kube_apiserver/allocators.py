"""Cluster IPs and node ports: what only the server can hand out.

What is taken is read from the stored Services each time, so there is no state to save or to repair.
Models pkg/registry/core/service/{ipallocator,portallocator}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, ip_address

from cluster_engine.api.networking.v1 import servicecidr
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.etcd import Store
from cluster_engine.sim import Chance

SERVICE_NETWORK = IPv4Network(servicecidr.RANGE)
NODE_PORTS = range(30_000, 32_768)
_ATTEMPTS = 64
_STATIC_BAND = 256  # the lower part of the range is left to addresses that people choose


class AllocContext:
    """Handed to `Kind.allocate`."""

    def __init__(self, store: Store, chance: Chance) -> None:
        self._store = store
        self._chance = chance

    def cluster_ip(self, uid: str) -> str:
        """A free address for the Service `uid`. Raises RuntimeError when the range is full."""
        draw = self._chance.of("clusterIP", uid)
        taken = {ip for service in self._services() for ip in _cluster_ips(service)}
        first = int(SERVICE_NETWORK.network_address) + 1
        size = SERVICE_NETWORK.num_addresses - 2
        for _ in range(_ATTEMPTS):
            address = str(IPv4Address(first + _STATIC_BAND + draw.randrange(size - _STATIC_BAND)))
            if address not in taken:
                return address
        for offset in range(len(taken) + 1):
            address = str(IPv4Address(first + offset))
            if address not in taken:
                return address
        raise RuntimeError("range is full")

    def node_port(self, uid: str, what: str, mine: Iterable[int] = ()) -> int:
        """A free node port for the port `what` of the Service `uid`, none of `mine`.

        Raises RuntimeError when the range is full.
        """
        draw = self._chance.of("nodePort", uid, what)
        taken = {*mine, *(port for service in self._services() for port in _node_ports(service))}
        for _ in range(_ATTEMPTS):
            port = NODE_PORTS[draw.randrange(len(NODE_PORTS))]
            if port not in taken:
                return port
        for port in NODE_PORTS:
            if port not in taken:
                return port
        raise RuntimeError("range is full")

    def cluster_ip_problem(self, address: str, uid: str = "") -> str:
        """Why the address cannot be had by the Service `uid`, in upstream's words; "" when it can."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return f"failed to allocate IP {address}: not a valid IP"
        if parsed not in SERVICE_NETWORK:
            return (
                f"failed to allocate IP {address}: the provided network does not match the current range"
                if parsed.version != 4
                else f"failed to allocate IP {address}: the provided IP ({address}) is not in the "
                "valid range. "
                "The range of valid IPs is 10.96.0.0/12"
            )
        for service in self._services():
            if service["metadata"]["uid"] != uid and address in _cluster_ips(service):
                return f"failed to allocate IP {address}: provided IP is already allocated"
        return ""

    def node_port_problem(self, port: int, uid: str = "") -> str:
        """Why the node port cannot be had by the Service `uid`, in upstream's words; "" when it can."""
        if port not in NODE_PORTS:
            return (
                "provided port is not in the valid range. "
                f"The range of valid ports is {NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
            )
        for service in self._services():
            if service["metadata"]["uid"] != uid and port in _node_ports(service):
                return "provided port is already allocated"
        return ""

    def _services(self) -> list[JSON]:
        return self._store.range("services")


def _cluster_ips(service: JSON) -> list[str]:
    spec = service.get("spec") or {}
    return [ip for ip in spec.get("clusterIPs") or [spec.get("clusterIP")] if ip and ip != "None"]


def _node_ports(service: JSON) -> Iterator[int]:
    spec = service.get("spec") or {}
    for port in spec.get("ports") or ():
        if port.get("nodePort"):
            yield port["nodePort"]
    if spec.get("healthCheckNodePort"):
        yield spec["healthCheckNodePort"]
