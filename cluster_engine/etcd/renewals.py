"""Keys that are written again and again with nothing new but the time: worked out when somebody looks.

A node's lease is renewed every ten seconds for ever; as clock events these would be nearly all that an idle
cluster does. Instead the store is told once that a key is renewed, and until what. Each renewal has its moment
and its revision as if it had been written then; who reads or watches sees exactly that. At the next write of
anything the renewals that were due are *folded* into the table, and only the last of each key is kept.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.sim import SECOND

Stamp = Callable[[JSON, int, str], JSON]
"""(object, virtual µs, who renews it) -> the object as a renewal at that moment writes it. Pure."""

NEVER = 1 << 62
RENEWAL_PERIOD = 10 * SECOND
"""Between two renewals of a key that says nothing else (the kubelet's lease: a quarter of its duration)."""


class Renewal(NamedTuple):
    """One key that is renewed."""

    resource: str
    key: str
    due: int
    """When it is written next (virtual µs)."""
    by: str
    """The component that renews it."""
    period: int = RENEWAL_PERIOD

    def times(self, now: int) -> int:
        """How many renewals were due by ``now``."""
        return (now - self.due) // self.period + 1 if now >= self.due else 0

    def last(self, now: int) -> Renewal:
        """The last one by ``now``; ``due`` is its moment. There must be one."""
        return self._replace(due=self.due + (self.times(now) - 1) * self.period)

    def before(self, other: Renewal) -> int:
        """How many renewals come before that one, in the order of all."""
        times = self.times(other.due)
        at_once = times and (other.due - self.due) % self.period == 0
        return times - 1 if at_once and (self.resource, self.key) >= (other.resource, other.key) else times


class Renewals:
    """What is renewed. As many periods are expected as there are kinds of holders, not as there are keys."""

    def __init__(self) -> None:
        self.due = NEVER
        """When the next renewal is due."""
        self._kept: dict[tuple[str, str], Renewal] = {}

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._kept

    def resources(self) -> set[str]:
        """The resources with keys that are renewed."""
        return {resource for resource, _key in self._kept}

    def add(self, renewal: Renewal) -> None:
        self._kept[renewal.resource, renewal.key] = renewal
        self._next()

    def drop(self, resource: str, key: str) -> None:
        """The key is not renewed any more; one that was not is ignored."""
        if self._kept.pop((resource, key), None) is not None:
            self._next()

    def _next(self) -> None:
        self.due = min((renewal.due for renewal in self._kept.values()), default=NEVER)

    def count(self, now: int) -> int:
        """How many renewals were due by ``now``."""
        return sum(renewal.times(now) for renewal in self._kept.values())

    def last(self, now: int) -> list[tuple[int, Renewal]]:
        """The last renewal of each key that has one by ``now``, in their order, and how many come before it.

        ``due`` is its moment. Of the keys of one period the last renewals come after all others; how many of the
        keys of another period come before one is counted key by key.
        """
        periods: dict[int, list[Renewal]] = {}
        for renewal in self._kept.values():
            periods.setdefault(renewal.period, []).append(renewal)
        found = []
        for period, renewals in periods.items():
            others = [r for p, rest in periods.items() if p != period for r in rest]
            last = sorted((r.last(now) for r in renewals if now >= r.due), key=_order)
            first = sum(r.times(now) for r in renewals) - len(last)
            for place, renewal in enumerate(last, first):
                found.append((place + sum(r.before(renewal) for r in others), renewal))
        return sorted(found)

    def all(self, now: int, limit: int) -> list[Renewal]:
        """The last ``limit`` renewals by ``now``, in their order; ``due`` is each one's moment."""
        backwards = [_backwards(renewal, now) for renewal in self._kept.values()]
        return list(islice(heapq.merge(*backwards, key=_order, reverse=True), limit))[::-1]

    def fold(self, now: int) -> None:
        """All that was due by ``now`` is written."""
        for key, renewal in self._kept.items():
            self._kept[key] = renewal._replace(due=renewal.due + renewal.times(now) * renewal.period)
        self._next()

    def share(self, other: Renewals) -> None:
        self._kept, self.due = other._kept.copy(), other.due

    def state(self) -> list[Any]:
        """The period of most is left out."""
        return [list(r if r.period != RENEWAL_PERIOD else r[:4]) for r in self._kept.values()]

    def load(self, state: list[Any]) -> None:
        self._kept = {(renewal[0], renewal[1]): Renewal(*renewal) for renewal in state}
        self._next()


def _backwards(renewal: Renewal, now: int) -> Iterator[Renewal]:
    """The renewals of a key by ``now``, the last one first."""
    for number in range(renewal.times(now) - 1, -1, -1):
        yield renewal._replace(due=renewal.due + number * renewal.period)


def _order(renewal: Renewal) -> tuple[int, str, str]:
    return renewal.due, renewal.resource, renewal.key
