"""The Pods that wait for a node: ready to be tried, backing off, or waiting for the cluster to change.

Models pkg/scheduler/backend/queue (SchedulingQueue).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cluster_engine.sim import SECOND, Roots, merged

INITIAL_BACKOFF = 1 * SECOND
MAX_BACKOFF = 10 * SECOND
MAX_UNSCHEDULABLE = 300 * SECOND


@dataclass(slots=True)
class Waiting:
    """One Pod in the queue."""

    priority: int
    added: int
    attempts: int = 0
    tried: int = 0
    plugins: tuple[str, ...] = field(default_factory=tuple)
    """Who refused it last."""
    roots: Roots = ()
    """Why it is to be tried."""

    def ready_at(self) -> int:
        """When its back-off ends: 1 s after the first failure, doubling to 10 s."""
        if not self.attempts:
            return self.added
        return self.tried + min(INITIAL_BACKOFF << min(self.attempts - 1, 10), MAX_BACKOFF)


class Queue:
    """Three places, each Pod in one of them. All of it is JSON data."""

    def __init__(self) -> None:
        self.active: dict[str, Waiting] = {}
        self.backoff: dict[str, Waiting] = {}
        self.unschedulable: dict[str, Waiting] = {}

    def add(self, key: str, priority: int, now: int, roots: Roots = ()) -> None:
        """A new Pod, or one whose spec changed: to be tried now."""
        entry = self._pop(key) or Waiting(priority, now)
        entry.priority = priority
        entry.roots = merged(entry.roots, roots)
        self.active[key] = entry

    def remove(self, key: str) -> None:
        """The Pod needs no node any more."""
        self._pop(key)

    def drain(self) -> list[tuple[str, Waiting]]:
        """Takes out all active Pods, in the order in which they are to be tried."""
        batch = sorted(self.active.items(), key=lambda item: (-item[1].priority, item[1].added))
        self.active = {}
        return batch

    def failed(self, key: str, entry: Waiting, plugins: tuple[str, ...], now: int) -> None:
        """No node would do: the Pod waits until something changes."""
        entry.attempts += 1
        entry.tried = now
        entry.plugins = plugins
        entry.roots = ()
        self.unschedulable[key] = entry

    def errored(self, key: str, entry: Waiting, now: int) -> None:
        """The attempt went wrong: the Pod is tried again after its back-off."""
        entry.attempts += 1
        entry.tried = now
        self.backoff[key] = entry

    def wake(self, plugins: set[str] | None, now: int, roots: Roots = ()) -> int | None:
        """Something changed for these plugins (None: for all). When the next back-off ends, if any."""
        moved = [
            k for k, e in self.unschedulable.items() if plugins is None or plugins.intersection(e.plugins)
        ]
        for key in moved:
            entry = self.backoff[key] = self.unschedulable.pop(key)
            entry.roots = merged(entry.roots, roots)
        return self.promote(now)

    def flush(self, now: int) -> int | None:
        """Tries anew what has waited for more than five minutes."""
        for key in [k for k, e in self.unschedulable.items() if now - e.tried >= MAX_UNSCHEDULABLE]:
            self.backoff[key] = self.unschedulable.pop(key)
        return self.promote(now)

    def promote(self, now: int) -> int | None:
        """Moves Pods whose back-off has ended to the active ones; when the next one's ends."""
        soonest: int | None = None
        for key, entry in list(self.backoff.items()):
            ready = entry.ready_at()
            if ready <= now:
                self.active[key] = self.backoff.pop(key)
            elif soonest is None or ready < soonest:
                soonest = ready
        return soonest

    def _pop(self, key: str) -> Waiting | None:
        for place in (self.active, self.backoff, self.unschedulable):
            entry = place.pop(key, None)
            if entry is not None:
                return entry
        return None

    def state(self) -> dict[str, Any]:
        # Lists, not objects: the order must survive sorted JSON.
        return {
            name: [
                [k, e.priority, e.added, e.attempts, e.tried, list(e.plugins), list(e.roots)]
                for k, e in place.items()
            ]
            for name, place in (
                ("active", self.active),
                ("backoff", self.backoff),
                ("unschedulable", self.unschedulable),
            )
        }

    def load(self, state: dict[str, Any]) -> None:
        for name in ("active", "backoff", "unschedulable"):
            entries = {k: Waiting(p, a, n, t, tuple(q), tuple(r)) for k, p, a, n, t, q, r in state[name]}
            setattr(self, name, entries)
