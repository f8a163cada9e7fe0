"""Cluster IPs and node ports: what only the server can hand out.

What is taken is read from the stored IPAddresses and Services each time, so there is no state to save.
Models pkg/registry/core/service/{ipallocator,portallocator}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, ip_address
from itertools import chain

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.service_cidrs import gives, holds, is_of_service, networks
from cluster_engine.etcd import Store
from cluster_engine.sim import Chance

NODE_PORTS = range(30_000, 32_768)
_ATTEMPTS = 64
_LEAST_BAND, _MOST_BAND = 16, 256
_CIDRS, _ADDRESSES = "servicecidrs.networking.k8s.io", "ipaddresses.networking.k8s.io"
_DEFAULT = "kubernetes"


class AllocContext:
    """Handed to `Kind.allocate`."""

    def __init__(self, store: Store, chance: Chance) -> None:
        self._store = store
        self._chance = chance

    def cluster_ip(self, uid: str) -> str:
        """A free address for the Service `uid`. Raises RuntimeError when all ranges are full."""
        draw = self._chance.of("clusterIP", uid)
        for network in self._networks():
            first, size = int(network.network_address) + 1, network.num_addresses - 2
            band = _static_band(size)
            for _ in range(_ATTEMPTS if size > band else 0):
                address = str(IPv4Address(first + band + draw.randrange(size - band)))
                if self._is_free(address):
                    return address
            for offset in chain(range(band, size), range(band)):  # at most as many as are taken, and one
                address = str(IPv4Address(first + offset))
                if self._is_free(address):
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
        if parsed.version != 4 or not any(holds(network, parsed) for network in self._networks()):
            return f"failed to allocate IP {address}: the provided network does not match the current range"
        if not self._is_free(address, uid):
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

    def _networks(self) -> list[IPv4Network]:
        """The ranges of which addresses are given, the first one of the cluster before all others."""
        cidrs = sorted(self._store.range(_CIDRS), key=lambda cidr: cidr["metadata"]["name"] != _DEFAULT)
        return [network for cidr in cidrs if gives(cidr) for network in networks(cidr)]

    def _is_free(self, address: str, uid: str = "") -> bool:
        """Whether nobody but the Service `uid` has the address."""
        kept = self._store.get(_ADDRESSES, address)
        if kept is None:
            return True
        parent = kept["spec"].get("parentRef") or {}
        service = self._store.get("services", f"{parent.get('namespace')}/{parent.get('name')}")
        return is_of_service(kept) and service is not None and service["metadata"]["uid"] == uid

    def _services(self) -> list[JSON]:
        return self._store.range("services")


def _static_band(size: int) -> int:
    """How much of a range of that size is left to addresses that people choose (calculateRangeOffset)."""
    return 0 if size < _LEAST_BAND else min(max(_LEAST_BAND, size // 16), _MOST_BAND)


def _node_ports(service: JSON) -> Iterator[int]:
    spec = service.get("spec") or {}
    for port in spec.get("ports") or ():
        if port.get("nodePort"):
            yield port["nodePort"]
    if spec.get("healthCheckNodePort"):
        yield spec["healthCheckNodePort"]
