"""The Pods that wait for a node.

Each is in one place: *active* (to be tried, in the order of the QueueSort plugin), *back-off* (to be tried when
its back-off ends, the earliest first; one that plugins refused also as soon as nothing is active), *unschedulable*
(until an event may help it, five minutes at most), *gated* (kept out by a PreEnqueue plugin) or *in flight*.

Models pkg/scheduler/backend/queue (SchedulingQueue) with its gates SchedulerQueueingHints and
SchedulerPopFromBackoffQ, both on in 1.37. A back-off ends to the microsecond, not with the second it falls into.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cluster_engine.sim import SECOND, Roots, merged

INITIAL_BACKOFF = 1 * SECOND
MAX_BACKOFF = 10 * SECOND
MAX_DOUBLINGS = 32
"""Doublings of a back-off that are counted; the longest one ends them long before."""
MAX_UNSCHEDULABLE = 300 * SECOND
"""µs after which an unschedulable Pod is tried again, though nothing has happened."""

ACTIVE, BACKOFF, UNSCHEDULABLE, GATED, IN_FLIGHT = "active", "backoff", "unschedulable", "gated", "in-flight"
_REFUSED = (UNSCHEDULABLE, GATED)


@dataclass(slots=True)
class Waiting:
    """One Pod in the queue."""

    key: str
    priority: int
    added: int
    """Virtual µs when it came, or failed last."""
    order: int
    """Counts arrivals: decides when all else is equal."""
    place: str
    attempts: int = 0
    refusals: int = 0
    """Attempts that plugins ended."""
    errors: int = 0
    """The latest attempts that went wrong, one after the other."""
    plugins: tuple[str, ...] = ()
    """Who refused it last, or keeps it out."""
    roots: Roots = ()
    """Why it is to be tried."""

    backoffs: tuple[int, int] = (INITIAL_BACKOFF, MAX_BACKOFF)
    """µs of the first and the longest back-off of its queue."""

    def copy(self) -> Waiting:
        """Another one like it."""
        return Waiting(
            self.key, self.priority, self.added, self.order, self.place, self.attempts, self.refusals,
            self.errors, self.plugins, self.roots, self.backoffs,
        )  # fmt: skip

    def ready_at(self) -> int:
        """When its back-off ends: 1 s after the first failure, doubled each time, 10 s at most, by default.

        Models calculateBackoffDuration: errors have a count of their own.
        """
        count = self.errors or self.refusals
        initial, longest = self.backoffs
        return self.added + (min(initial << min(count - 1, MAX_DOUBLINGS), longest) if count else 0)


Heap = list[tuple[Any, int, str]]
"""(what decides, order, key). An item whose Pod has gone elsewhere meanwhile is passed over."""


class Queue:
    """The Pods by key, heaps that order them, and who refused whom."""

    def __init__(
        self,
        sort: Callable[[int, int], tuple[int, ...]],
        initial_backoff: int = INITIAL_BACKOFF,
        max_backoff: int = MAX_BACKOFF,
    ) -> None:
        """Back-offs are µs: the first, and the longest."""
        self._sort = sort
        self._backoffs = initial_backoff, max_backoff
        self._arrivals = 0
        self._pods: dict[str, Waiting] = {}
        # All below is derived from it.
        self._active: Heap = []
        self._backoff: Heap = []
        self._errors: Heap = []
        self._refused: dict[str, dict[str, None]] = {}

    def get(self, key: str) -> Waiting | None:
        return self._pods.get(key)

    # ---- coming and going ------------------------------------------------------------------------------

    def arrive(self, key: str, priority: int, now: int) -> Waiting:
        """A new Pod; its place is to be given to it."""
        self._arrivals += 1
        pod = self._pods[key] = Waiting(
            key, priority, now, self._arrivals, IN_FLIGHT, backoffs=self._backoffs
        )
        return pod

    def remove(self, key: str) -> None:
        """The Pod needs no node any more."""
        pod = self._pods.pop(key, None)
        if pod is not None:
            self._forget_refusal(pod)

    def gate(self, pod: Waiting, plugin: str) -> None:
        """Kept out of the queue by that plugin."""
        self._put(pod, GATED, (plugin,))

    def refuse(self, pod: Waiting, plugins: tuple[str, ...], now: int) -> None:
        """No node would do."""
        pod.added = now
        pod.refusals += 1
        pod.errors = 0
        pod.roots = ()
        self._put(pod, UNSCHEDULABLE, plugins)

    def fail(self, pod: Waiting, now: int) -> None:
        """The attempt went wrong: the Pod is tried again after its back-off."""
        pod.added = now
        pod.errors += 1
        self._put(pod, BACKOFF, ())

    def wake(self, pod: Waiting, now: int, roots: Roots = ()) -> None:
        """A Pod that came, or was refused and may be helped by what happened."""
        pod.roots = merged(pod.roots, roots)
        self._put(pod, ACTIVE if pod.ready_at() <= now else BACKOFF)

    # ---- taking ----------------------------------------------------------------------------------------

    def take(self, now: int) -> Waiting | None:
        """The next one to try, in flight from then on: active, else one that backs off after a refusal.

        What failed at this very moment is not taken again at the same moment.
        """
        self._promote(now)
        pod = self._head(self._active, ACTIVE)
        heap = self._active
        if pod is None:
            pod = self._head(self._backoff, BACKOFF)
            heap = self._backoff
            if pod is None or pod.added >= now:
                return None
        heapq.heappop(heap)
        pod.place = IN_FLIGHT
        pod.attempts += 1
        return pod

    def has_active(self, now: int) -> bool:
        """Whether a Pod is to be tried at once."""
        self._promote(now)
        return self._head(self._active, ACTIVE) is not None

    def has_backoff(self) -> bool:
        """Whether a refused Pod backs off, to be tried as soon as nothing is active."""
        return self._head(self._backoff, BACKOFF) is not None

    def next_error(self) -> Waiting | None:
        """The Pod whose back-off after an error ends first."""
        return self._head(self._errors, BACKOFF)

    def leftover(self, now: int) -> list[Waiting]:
        """What has been unschedulable or gated for more than five minutes."""
        return [p for p in self._pods.values() if p.place in _REFUSED and now - p.added > MAX_UNSCHEDULABLE]

    def refused_by(self, plugins: Iterable[str]) -> list[Waiting]:
        """The unschedulable and gated Pods that any of these plugins refused, in the order of arrival."""
        keys = {key: None for plugin in plugins for key in self._refused.get(plugin, ())}
        return sorted((self._pods[key] for key in keys), key=lambda pod: pod.order)

    # ---- inside ----------------------------------------------------------------------------------------

    def _put(self, pod: Waiting, place: str, plugins: tuple[str, ...] | None = None) -> None:
        self._forget_refusal(pod)
        pod.place = place
        if plugins is not None:
            pod.plugins = plugins
        self._index(pod)

    def _index(self, pod: Waiting) -> None:
        if pod.place == ACTIVE:
            heapq.heappush(self._active, (self._rank(pod), pod.order, pod.key))
        elif pod.place == BACKOFF:
            heap = self._errors if pod.errors else self._backoff
            heapq.heappush(heap, (self._rank(pod), pod.order, pod.key))
        elif pod.place in _REFUSED:
            for plugin in pod.plugins:
                self._refused.setdefault(plugin, {})[pod.key] = None

    def _rank(self, pod: Waiting) -> Any:
        return self._sort(pod.priority, pod.added) if pod.place == ACTIVE else pod.ready_at()

    def _forget_refusal(self, pod: Waiting) -> None:
        if pod.place in _REFUSED:
            for plugin in pod.plugins:
                self._refused[plugin].pop(pod.key, None)

    def _promote(self, now: int) -> None:
        """Makes those active whose back-off has ended."""
        for heap in (self._errors, self._backoff):
            while (pod := self._head(heap, BACKOFF)) is not None and pod.ready_at() <= now:
                heapq.heappop(heap)
                self._put(pod, ACTIVE)

    def _head(self, heap: Heap, place: str) -> Waiting | None:
        while heap:
            rank, order, key = heap[0]
            pod = self._pods.get(key)
            if pod is not None and pod.order == order and pod.place == place and self._rank(pod) == rank:
                return pod
            heapq.heappop(heap)
        return None

    # ---- saving ----------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """JSON: a list of the Pods, for their order is of arrival."""
        return {
            "arrivals": self._arrivals,
            "pods": [
                [
                    p.key,
                    p.priority,
                    p.added,
                    p.order,
                    p.place,
                    p.attempts,
                    p.refusals,
                    p.errors,
                    list(p.plugins),
                    list(p.roots),
                ]
                for p in sorted(self._pods.values(), key=lambda pod: pod.order)
            ],
        }

    def share(self, other: Queue) -> None:
        """As `load` of what ``other`` would save."""
        self._arrivals = other._arrivals
        self._pods = {key: pod.copy() for key, pod in other._pods.items()}
        self._active, self._backoff, self._errors = (
            other._active.copy(),
            other._backoff.copy(),
            other._errors.copy(),
        )
        self._refused = {plugin: keys.copy() for plugin, keys in other._refused.items()}

    def load(self, state: dict[str, Any]) -> None:
        self._arrivals = state["arrivals"]
        self._pods = {}
        self._active, self._backoff, self._errors, self._refused = [], [], [], {}
        for fields in state["pods"]:
            pod = Waiting(*fields)
            pod.plugins, pod.roots, pod.backoffs = tuple(pod.plugins), tuple(pod.roots), self._backoffs
            self._pods[pod.key] = pod
            self._index(pod)
