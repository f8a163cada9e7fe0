"""Work queues: keys to reconcile, each once per batch, with retries that back off.

Models k8s.io/client-go/util/workqueue (rate limited, delaying queue) with one worker on the virtual clock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from sys import intern
from typing import Any, TypeVar

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.sim import Clock, Roots, merged
from cluster_engine.sim.failures import PATIENCE, backoff

WAITS = tuple(10**power for power in range(10))
"""µs: the bounds of upstream's histogram of how long keys wait (component-base/metrics/prometheus/workqueue)."""
T = TypeVar("T")

BATCH = 16
"""Keys reconciled by one clock event, so that a host of many engines gets its turn in between."""


@lru_cache(maxsize=1024)
def _events(name: str) -> tuple[str, str]:
    """A queue's clock events: one text each for all clusters of the process."""
    return intern(f"{name}/drain"), intern(f"{name}/due")


def _taken(own: dict[str, T], theirs: dict[str, T]) -> dict[str, T]:
    """A copy of theirs; one's own where both are empty, as most are: every fork has fifty queues."""
    return theirs.copy() if theirs or own else own


class WorkQueue:
    """Keys wait for the next beat of ``latency`` virtual seconds, then all are reconciled in the order they came.

    A reconcile that raises is tried again after its back-off, whatever it raised; the other keys do not notice.
    ApiError is the cluster's way of saying "not now"; anything else is a bug and noted as a failure.
    """

    def __init__(
        self,
        clock: Clock,
        name: str,
        reconcile: Callable[[str], None],
        latency: float = 0.005,
        priority: int = 50,
        process: str = "",
    ) -> None:
        """``process``: whose log tells of what may not be done."""
        self.name = name
        self.adds = 0
        """How many keys were added: no part of the state."""
        self.waits = [0] * (len(WAITS) + 1)
        """How many of those that had their turn had waited at most each of WAITS, or longer; no part of the state."""
        self.waited = 0
        """µs that these waited together."""
        self._since: dict[
            str, int
        ] = {}  # key -> when it was added (µs); of those that wait since a restore, nothing
        self._process = process
        self._clock = clock
        self._reconcile = reconcile
        self._latency = latency
        self._priority = priority
        self._causes = clock.causes
        self._pending: dict[str, Roots] = {}  # key -> why it waits
        self._draining = False
        self._delayed: dict[str, tuple[int, int]] = {}  # key -> (due µs, timer)
        self._failures: dict[str, int] = {}
        self._drain_event, self._due_event = _events(name)
        clock.queues[name] = self
        clock.register(self._drain_event, self._drain)
        clock.register(self._due_event, self._due)

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, key: str) -> None:
        """Enqueues the key; one that waits already is not added twice."""
        roots = self._causes.roots
        known = self._pending.get(key)
        if known is not None:
            self._pending[key] = merged(known, roots)
            return
        self._pending[key] = roots
        self._since[key] = self._clock.now
        self.adds += 1
        if not self._draining:
            self._draining = True
            self._soon()

    def add_after(self, key: str, seconds: float, background: bool = False) -> None:
        """Enqueues the key in ``seconds``; the earliest of several such calls counts."""
        if seconds <= 0:
            self.add(key)
            return
        due = self._clock.now + round(seconds * 1_000_000)
        waiting = self._delayed.get(key)
        if waiting is not None:
            if waiting[0] <= due:
                return
            self._clock.cancel(waiting[1])
        timer = self._clock.call_at(due, self._due_event, key, priority=self._priority, background=background)
        self._delayed[key] = (due, timer)

    def add_rate_limited(self, key: str, patience: int | None = None) -> None:
        """Enqueues the key after its back-off, which doubles each time until ``forget``.

        After ``patience`` retries the further ones are background upkeep.
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self._clock.failures.retried(self.name)
        self.add_after(key, backoff(failures), background=patience is not None and failures >= patience)

    def forget(self, key: str) -> None:
        """Clears the key's back-off."""
        self._failures.pop(key, None)

    def failures(self, key: str) -> int:
        return self._failures.get(key, 0)

    def _soon(self, at_once: bool = False) -> None:
        due = self._clock.now if at_once else self._clock.beat(self.name, self._latency)
        self._clock.call_at(due, self._drain_event, priority=self._priority)

    def _due(self, key: str) -> None:
        self._delayed.pop(key, None)
        self.add(key)

    def _drain(self) -> None:
        batch = list(islice(self._pending, BATCH))
        try:
            for key in batch:
                # Taken out right before its turn: a change that comes while others are reconciled is seen by it.
                self._causes.begin(self.name, key, self._pending.pop(key))
                self._has_waited(key)
                self._turn(key)
        finally:
            self._draining = bool(self._pending)
            if self._draining:
                self._soon(at_once=len(batch) == BATCH)

    def _has_waited(self, key: str) -> None:
        wait = self._clock.now - self._since.pop(key, self._clock.now)
        self.waits[bisect_left(WAITS, wait)] += 1
        self.waited += wait

    def _turn(self, key: str) -> None:
        before = self._failures.get(key, 0)
        try:
            self._reconcile(key)
        except ApiError as error:
            # What went wrong is in the cluster (a conflict, a quota, a vanished namespace): level-driven
            # controllers just look again later.
            if error.code == 403:
                self._log(key, error.message)
            self.add_rate_limited(key)
        except Exception as error:
            if not self._clock.failed(self.name, key, error):
                raise
            self.add_rate_limited(key, PATIENCE)
        else:
            if self._failures.get(key, 0) == before:
                self.forget(key)

    def _log(self, key: str, message: str) -> None:
        """Says in the process's log that a key could not be synced (util/runtime.HandleError)."""
        why = f"error syncing '{key}': {message}".replace('"', '\\"')
        text = f'{self.name}.go] "Unhandled Error" err="{why}" logger="UnhandledError"'
        self._clock.logs.write(self._process, self._clock.now, "E", text)

    def share(self, other: WorkQueue) -> None:
        """As ``load`` of what ``other`` would save; entries are replaced, never changed."""
        if not (
            other.adds or other._pending or other._delayed or other._failures or self.adds or self._pending
        ):
            return  # as half of them: nothing has ever waited there, and a fork's own are new
        self._draining, self.adds, self.waited = other._draining, other.adds, other.waited
        self.waits, self._since = other.waits.copy(), _taken(self._since, other._since)
        self._pending, self._delayed = (
            _taken(self._pending, other._pending),
            _taken(self._delayed, other._delayed),
        )
        self._failures = _taken(self._failures, other._failures)

    def state(self) -> dict[str, Any]:
        return {
            "pending": [[key, list(roots)] for key, roots in self._pending.items()],
            "draining": self._draining,
            "delayed": {key: list(value) for key, value in self._delayed.items()},
            "failures": dict(self._failures),
        }

    def load(self, state: dict[str, Any]) -> None:
        self._pending = {key: tuple(roots) for key, roots in state["pending"]}
        self._draining = state["draining"]
        self._delayed = {key: (value[0], value[1]) for key, value in state["delayed"].items()}
        self._failures = dict(state["failures"])
