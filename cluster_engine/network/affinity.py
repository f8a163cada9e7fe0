"""Which endpoint a client had last, for Services with ``sessionAffinity: ClientIP``.

Models the ``recent`` matches of kube-proxy's iptables rules: each node remembers for itself, and each connection begins
the time anew.
"""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.network.datapath import Packet, Rule
from cluster_engine.sim import SECOND

REMEMBERED = 4_096
"""Clients of Services that one cluster remembers; the one that has not called for longest is forgotten."""

_Entry = tuple[str, int, int]
"""(address, port, the µs of the last call)."""


class Affinities:
    """One cluster's."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str, str], _Entry] = {}

    def endpoint(self, rule: Rule, packet: Packet, now: int, choose: Callable[[int], int]) -> tuple[str, int]:
        """The endpoint that the client had, if it still may have it; otherwise another one. It is remembered."""
        key = (packet.node, rule.name, packet.source)
        ip, port, at = self._last.pop(key, ("", 0, 0))
        if (ip, port) not in rule.endpoints or now - at > rule.sticky * SECOND:
            ip, port = rule.endpoints[choose(len(rule.endpoints))]
        if len(self._last) >= REMEMBERED:
            del self._last[next(iter(self._last))]
        self._last[key] = (ip, port, now)
        return ip, port

    def state(self) -> list[list[str | int]]:
        """JSON data, in the order of the last calls."""
        return [[*key, *entry] for key, entry in self._last.items()]

    def load(self, state: list[list[str | int]]) -> None:
        """Takes over what ``state`` gave."""
        self._last = {
            (str(node), str(rule), str(source)): (str(ip), int(port), int(at))
            for node, rule, source, ip, port, at in state
        }
