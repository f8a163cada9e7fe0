"""The network that containers see: names through DNS, Services through the proxy, Pods through the kubelets.

DNS and proxy are other rooms; they are handed in from outside and known here by shape only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cluster_engine.container_runtime.network import ConnectionFailed, HttpReply, HttpRequest
from cluster_engine.kubelet.runtime import REFUSED, Runtime
from cluster_engine.sim import Chance, Clock, Draw


class Route(Protocol):
    """Where a connection may go: endpoints with ``ip`` and ``port``; ``found`` is False for an unknown name."""

    @property
    def found(self) -> bool: ...

    @property
    def endpoints(self) -> Sequence[Any]: ...


class Proxy(Protocol):
    """kube-proxy's rules."""

    def route(self, host: str, port: int, namespace: str = "default", protocol: str = "TCP") -> Route: ...


class Names(Protocol):
    """The cluster's DNS."""

    def lookup(self, name: str, namespace: str) -> list[str]: ...


class ClusterNetwork:
    """A ``container_runtime.Network`` over Pods, Services and names."""

    def __init__(self, pods: Runtime, proxy: Proxy, names: Names, clock: Clock, chance: Chance) -> None:
        self._pods = pods
        self._proxy = proxy
        self._names = names
        self._clock = clock
        self._chance = chance
        self._made: dict[str, int] = {}  # connections in this very instant, by what they go to
        self._made_at = 0

    def _endpoint(self, host: str, port: int, namespace: str) -> tuple[str, int]:
        """One endpoint at random, as iptables does. Raises LookupError or ConnectionFailed."""
        route = self._proxy.route(host, port, namespace)
        if not route.found:
            raise LookupError(host)
        endpoints = route.endpoints
        if not endpoints:
            if host[:1].isdigit():
                return host, port  # a node's own address
            raise ConnectionFailed(REFUSED)
        chosen = endpoints[0] if len(endpoints) == 1 else self._draw(namespace, host, port).choice(endpoints)
        return str(chosen.ip), int(chosen.port)

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

    def lookup(self, name: str, namespace: str) -> list[str]:
        """Addresses of a name; [] when it does not exist."""
        return self._names.lookup(name, namespace)

    def state(self) -> list[Any]:
        """How many connections this instant has seen."""
        return [self._made_at, list(self._made.items())]

    def load(self, state: list[Any]) -> None:
        self._made_at = state[0]
        self._made = {target: number for target, number in state[1]}  # noqa: C416  (pairs are lists after JSON)
