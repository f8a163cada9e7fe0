"""Who was called lately, and whether somebody answered. It decides nothing, so it is no part of the state."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from cluster_engine.network.datapath import Step

CALLS_KEPT = 1024
"""Calls that are remembered, the last ones."""


_SERVICE = re.compile(r"[^ /:]+/[^ :]+")


class Call(NamedTuple):
    """A connection that was asked for, or a datagram."""

    at: int
    """Virtual time, µs."""
    service: str
    """``namespace/name``; "": it went to no Service."""
    ip: str
    """Of the endpoint; of the Service where it has none."""
    answered: bool


class Traffic:
    """One cluster's; a fork begins with none."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.noted = 0
        """Calls so far."""

    def note(self, at: int, steps: list[Step], ip: str, answered: bool) -> None:
        """A call, by the steps of its way."""
        self.noted += 1
        found = _SERVICE.match(steps[0][1]) if steps and steps[0][0] == "service" else None
        self._calls.append(Call(at, found[0] if found is not None else "", ip, answered))

    def since(self, at: int) -> Iterator[Call]:
        """Those from that time on (µs), the last first."""
        return takewhile(lambda call: call.at >= at, reversed(self._calls))
