"""Keys that are written again and again with nothing new but the time: worked out when somebody looks.

A node's lease is renewed every ten seconds for ever; as clock events these would be nearly all that an idle
cluster does. Instead the store is told once that a key is renewed, and until what. Each renewal has its moment
and its revision as if it had been written then; who reads or watches sees exactly that. At the next write of
anything the renewals that were due are *folded* into the table, and only the last of each key is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cluster_engine.apimachinery.cow import JSON

Stamp = Callable[[JSON, int, str], JSON]
"""(object, virtual µs, who renews it) -> the object as a renewal at that moment writes it. Pure."""

NEVER = 1 << 62


class Renewal(NamedTuple):
    """One key that is renewed."""

    resource: str
    key: str
    due: int
    """When it is written next (virtual µs)."""
    by: str
    """The component that renews it."""


class Renewals:
    """What is renewed, all with one period, so that the last renewals of all keys come after all others."""

    def __init__(self, period: int) -> None:
        self.period = period
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

    def _times(self, renewal: Renewal, now: int) -> int:
        return (now - renewal.due) // self.period + 1 if now >= renewal.due else 0

    def count(self, now: int) -> int:
        """How many renewals were due by ``now``."""
        return sum(self._times(renewal, now) for renewal in self._kept.values())

    def last(self, now: int) -> list[Renewal]:
        """The last renewal of each key that has one by ``now``, in their order; ``due`` is its moment."""
        found = [
            renewal._replace(due=renewal.due + (times - 1) * self.period)
            for renewal in self._kept.values()
            if (times := self._times(renewal, now))
        ]
        return sorted(found, key=_order)

    def all(self, now: int, limit: int) -> Iterator[Renewal]:
        """The last ``limit`` renewals by ``now``, in their order; ``due`` is each one's moment."""
        last = self.last(now)
        rounds = -(-limit // len(last)) if last else 0
        first = {(r.resource, r.key): self._kept[r.resource, r.key].due for r in last}
        for back in range(rounds - 1, -1, -1):
            for renewal in last:
                due = renewal.due - back * self.period
                if due >= first[renewal.resource, renewal.key]:
                    yield renewal._replace(due=due)

    def fold(self, now: int) -> None:
        """All that was due by ``now`` is written."""
        for key, renewal in self._kept.items():
            self._kept[key] = renewal._replace(due=renewal.due + self._times(renewal, now) * self.period)
        self._next()

    def share(self, other: Renewals) -> None:
        self._kept, self.due = other._kept.copy(), other.due

    def state(self) -> list[Any]:
        return [list(renewal) for renewal in self._kept.values()]

    def load(self, state: list[Any]) -> None:
        self._kept = {(renewal[0], renewal[1]): Renewal(*renewal) for renewal in state}
        self._next()


def _order(renewal: Renewal) -> tuple[int, str, str]:
    return renewal.due, renewal.resource, renewal.key
