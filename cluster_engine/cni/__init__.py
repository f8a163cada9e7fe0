"""Pod addresses: each node hands out the addresses of its own range.

Models the host-local plugin of containernetworking, but for the order: a Pod's address is drawn by the Pod's
own key and only moved on when it is taken, so that one Pod more does not shift the addresses of all others.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cluster_engine.sim import Draw

_HOSTS = 253  # .2 … .254 of a /24; .1 is the node's bridge


@lru_cache(maxsize=4096)
def node_address(index: int) -> str:
    """The InternalIP of the node with that number."""
    host = index + 2
    return f"172.18.{host >> 8}.{host & 255}"


def pod_range(index: int) -> str:
    """The /24 of Pod addresses of the node with that number, without its last octet: ``10.244.3``."""
    return f"10.{244 - (index >> 8)}.{index & 255}"


class AddressesExhausted(RuntimeError):
    """No address is left on the node; str() is the plugin's message."""


class HostLocal:
    """The addresses of one node."""

    __slots__ = ("prefix", "used")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.used: dict[int, None] = {}

    def allocate(self, draw: Draw) -> str:
        """A free address: the one drawn, or the next one that is free. Raises AddressesExhausted."""
        first = draw.randrange(_HOSTS)
        for step in range(_HOSTS):
            number = (first + step) % _HOSTS
            if number not in self.used:
                self.used[number] = None
                return f"{self.prefix}.{number + 2}"
        raise AddressesExhausted(f"no IP addresses available in range set: {self.prefix}.1-{self.prefix}.254")

    def release(self, address: str) -> None:
        """Gives an address back; one that is not in use is ignored."""
        prefix, _, host = address.rpartition(".")
        if prefix == self.prefix:
            self.used.pop(int(host) - 2, None)

    def state(self) -> list[Any]:
        return list(self.used)

    def load(self, state: list[Any]) -> None:
        self.used = dict.fromkeys(state)
