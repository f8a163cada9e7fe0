"""The network that containers see: every connection takes the datapath; names are answered by the DNS Pods.

Rules and records are other rooms'; they are handed in from outside and known here by shape only.
"""

from __future__ import annotations

from typing import Any, Protocol

from cluster_engine.container_runtime.network import ConnectionFailed, HttpReply, HttpRequest
from cluster_engine.kubelet.runtime import REFUSED, UNREACHABLE, Runtime
from cluster_engine.network import Datapath, Packet, Services, Verdict, is_address
from cluster_engine.sim import Chance, Clock, Draw

NAMESERVER = "10.96.0.10"
"""What stands in a Pod's /etc/resolv.conf: the Service kube-dns."""
_TIMEOUT = "i/o timeout"
_REASONS = {Verdict.REJECT: REFUSED, Verdict.UNREACHABLE: UNREACHABLE, Verdict.DROP: _TIMEOUT}


class Names(Protocol):
    """What the DNS Pods know."""

    def lookup(self, name: str, namespace: str) -> list[str]: ...


class ClusterNetwork:
    """A ``container_runtime.Network`` over Pods, Services and names."""

    def __init__(self, pods: Runtime, services: Services, names: Names, clock: Clock, chance: Chance) -> None:
        self._pods = pods
        self._datapath = Datapath(services, pods.node_of)
        self._names = names
        self._clock = clock
        self._chance = chance
        self._made: dict[str, int] = {}  # connections in this very instant, by what they go to
        self._made_at = 0

    def _endpoint(self, host: str, port: int, namespace: str, protocol: str = "TCP") -> tuple[str, int]:
        """Where a packet arrives. Raises LookupError for an unknown name, ConnectionFailed."""
        address = host
        if not is_address(host):
            found = self.lookup(host, namespace)
            if not found:
                raise LookupError(host)
            address = found[0] if len(found) == 1 else self._draw(namespace, host, port).choice(found)
        draw = self._draw(namespace, address, port)
        way = self._datapath.way(Packet("", address, port, protocol), draw.randrange)
        if way.verdict != Verdict.DELIVER:
            raise ConnectionFailed(_REASONS[way.verdict])
        return way.ip, way.port

    def _draw(self, namespace: str, host: str, port: int) -> Draw:
        """By what is connected to, and which connection to it in this instant it is."""
        if self._made_at != self._clock.now:
            self._made, self._made_at = {}, self._clock.now
        target = f"{namespace}/{host}:{port}"
        number = self._made[target] = self._made.get(target, 0) + 1
        return self._chance.of("endpoint", target, self._made_at, number)

    def http(self, host: str, port: int, request: HttpRequest, namespace: str) -> HttpReply:
        """Raises ConnectionFailed; LookupError when the name does not resolve."""
        ip, number = self._endpoint(host, port, namespace)
        return self._pods.request(ip, number, request)

    def connect(self, host: str, port: int, namespace: str) -> None:
        """Raises ConnectionFailed or LookupError when there is nothing to talk to."""
        ip, number = self._endpoint(host, port, namespace)
        self._pods.connect(ip, number)

    def lookup(self, name: str, namespace: str) -> list[str] | None:
        """Addresses of a name, [] when it does not exist; None when no DNS server answers."""
        try:
            self._pods.connect(*self._endpoint(NAMESERVER, 53, namespace, "UDP"))
        except ConnectionFailed:
            return None
        return self._names.lookup(name, namespace)

    def state(self) -> list[Any]:
        """How many connections this instant has seen."""
        return [self._made_at, list(self._made.items())]

    def load(self, state: list[Any]) -> None:
        self._made_at = state[0]
        self._made = {target: number for target, number in state[1]}  # noqa: C416  (pairs are lists after JSON)
