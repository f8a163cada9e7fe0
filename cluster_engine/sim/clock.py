"""The virtual clock: a heap of ``(due, priority, seq, timer)``.

Events are data (a handler's name and JSON arguments), never closures, so that the heap can be written
into a snapshot and read back. Equal times run in order of priority, then of scheduling. An event whose handler
raises is a failure: it is noted, tried again after a back-off, and the clock goes on.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, Protocol
from zlib import crc32

from cluster_engine.sim.causes import Causes, Roots
from cluster_engine.sim.failures import PATIENCE, Failures, backoff
from cluster_engine.sim.logs import Logs
from cluster_engine.sim.times import SECOND, rfc3339, rfc3339_micro

Handler = Callable[..., None]


class Queue(Protocol):
    """Work that waits: how much there is, how much was added so far, and how long it waited (see WorkQueue)."""

    adds: int
    waits: list[int]
    waited: int

    def __len__(self) -> int: ...


EVERYBODY = "*"
"""Stands for all processes that can be halted."""


class Clock:
    """Virtual time, in whole microseconds since the Unix epoch."""

    __slots__ = (
        "_failing",
        "_foreground",
        "_handlers",
        "_heap",
        "_held",
        "_owners",
        "_seq",
        "_timers",
        "causes",
        "events_run",
        "failures",
        "logs",
        "now",
        "owner",
        "queues",
    )

    def __init__(self, start: int, failures: Failures | None = None) -> None:
        self.now = start
        self.failures = failures or Failures()
        self.causes = Causes()
        self.logs = Logs()
        self._failing: dict[str, int] = {}  # events whose last try failed -> how many in a row
        self.events_run = 0
        self._seq = 0
        self._heap: list[tuple[int, int, int]] = []
        # seq -> (handler, args, background, roots); a cancelled timer is simply missing here.
        self._timers: dict[int, tuple[str, tuple[Any, ...], bool, Roots]] = {}
        self._handlers: dict[str, Handler] = {}
        self._foreground = 0
        self.owner = ""
        """The process whose handlers are being registered; "": one that cannot be halted."""
        self._owners: dict[str, str] = {}
        self.queues: dict[str, Queue] = {}
        """Where components' work waits, by name: for who asks how much there is."""
        self._held: dict[str, list[tuple[int, int, bool]]] = {}
        """By process that is halted: (priority, timer, background) of what was due since, in order."""

    def register(self, handler: str, fn: Handler) -> None:
        """Names the function that events called ``handler`` run. Raises ValueError when the name is taken."""
        if handler in self._handlers:
            raise ValueError(f"clock handler {handler!r} is registered twice")
        self._handlers[handler] = fn
        if self.owner:
            self._owners[handler] = self.owner

    def halt(self, owner: str) -> None:
        """What is due of that process, or of EVERYBODY, waits from now on; it does not keep the clock ``busy``."""
        self._held.setdefault(owner, [])

    @property
    def halts(self) -> bool:
        """Whether any process stands still."""
        return bool(self._held)

    def is_halted(self, owner: str) -> bool:
        """Whether that process stands still."""
        return owner in self._held

    def go_on(self, owner: str) -> None:
        """What waited is due now, in its order."""
        for priority, seq, background in self._held.pop(owner, ()):
            timer = self._timers.get(seq)
            if timer is not None:
                handler, args, _background, roots = timer
                self._timers[seq] = (handler, args, background, roots)
                self._foreground += not background
                heapq.heappush(self._heap, (self.now, priority, seq))

    def _hold(self, priority: int, seq: int) -> bool:
        """Has an event that is due wait, if its process is halted."""
        handler, args, background, roots = self._timers[seq]
        owner = self._owners.get(handler)
        if owner is None or not (owner in self._held or EVERYBODY in self._held):
            return False
        waiting = self._held[owner if owner in self._held else EVERYBODY]
        waiting.append((priority, seq, background))
        self._timers[seq] = (handler, args, True, roots)
        self._foreground -= not background
        return True

    def call_at(
        self, due: int, handler: str, *args: Any, priority: int = 50, background: bool = False
    ) -> int:
        """Schedules ``handler(*args)`` at ``due`` µs (not before now) and returns the timer's id.

        ``background`` marks periodic upkeep (leases, steady probes) that ``settle`` does not wait for.
        """
        return self._schedule(due, handler, args, priority, background)

    def call_later(
        self, seconds: float, handler: str, *args: Any, priority: int = 50, background: bool = False
    ) -> int:
        """As ``call_at``, ``seconds`` from now (rounded to a microsecond)."""
        due = self.now + round(seconds * SECOND)
        return self._schedule(due, handler, args, priority, background)

    def _schedule(
        self, due: int, handler: str, args: tuple[Any, ...], priority: int, background: bool
    ) -> int:
        self._seq = seq = self._seq + 1
        if due < self.now:
            due = self.now
        self._timers[seq] = (handler, args, background, self.causes.roots)
        if not background:
            self._foreground += 1
        heapq.heappush(self._heap, (due, priority, seq))
        return seq

    def beat(self, name: str, seconds: float) -> int:
        """The next moment of a beat of that period (µs), whose phase the name decides.

        What waits for a beat is not shifted by what else waits for it; and two names never meet by habit.
        """
        period = round(seconds * SECOND)
        if period <= 0:
            return self.now
        phase = crc32(name.encode()) % period
        return (self.now - phase) // period * period + period + phase

    def cancel(self, timer: int | None) -> None:
        """Forgets a timer; one that is unknown or has fired is ignored."""
        entry = self._timers.pop(timer, None) if timer is not None else None
        if entry is not None and not entry[2]:
            self._foreground -= 1

    def timestamp(self) -> str:
        return rfc3339(self.now)

    def timestamp_micro(self) -> str:
        return rfc3339_micro(self.now)

    @property
    def scheduled(self) -> int:
        """How many events were ever scheduled."""
        return self._seq

    @property
    def busy(self) -> bool:
        """Whether any event that is not background upkeep is waiting."""
        return self._foreground > 0

    def next_due(self) -> int | None:
        """When the next event is due, or None."""
        heap, timers = self._heap, self._timers
        while heap and heap[0][2] not in timers:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def next_handler(self) -> str:
        """The name of the handler that the next event runs; "" when there is none."""
        return self._timers[self._heap[0][2]][0] if self.next_due() is not None else ""

    def step(self) -> bool:
        """Runs the next event, moving the clock to it. False when there is none."""
        if self.next_due() is None:
            return False
        self._run_first()
        return True

    def _run_first(self) -> None:
        """Runs the event on top of the heap, which ``next_due`` has seen."""
        due, priority, seq = heapq.heappop(self._heap)
        if self._held and self._hold(priority, seq):
            self.now = due
            return
        handler, args, background, roots = self._timers.pop(seq)
        if not background:
            self._foreground -= 1
        self.now = due
        self.events_run += 1
        self.causes.begin(handler, args, roots)
        try:
            self._handlers[handler](*args)
        except Exception as error:
            if not self.failed(handler, " ".join(str(arg) for arg in args), error):
                raise
            self._again(handler, args, priority, background)
        else:
            if self._failing:
                self._failing.pop(_event_key(handler, args), None)
        finally:
            self.causes.end()

    def failed(self, component: str, key: str, error: Exception, *, replayed: bool = True) -> bool:
        """Notes a failure at the present time. False: it must go through, so raise it again."""
        return self.failures.note(component, key, error, self.now, replayed=replayed)

    def _again(self, handler: str, args: tuple[Any, ...], priority: int, background: bool) -> None:
        """Schedules an event that failed anew, unless its handler had come to do that."""
        if any(timer[:2] == (handler, args) for timer in self._timers.values()):
            return
        key = _event_key(handler, args)
        attempts = self._failing.get(key, 0)
        self._failing[key] = attempts + 1
        self.call_later(
            backoff(attempts),
            handler,
            *args,
            priority=priority,
            background=background or attempts >= PATIENCE,
        )

    def run_until(self, goal: int, max_events: int | None = None) -> bool:
        """Runs every event due at or before ``goal``, then moves the clock there.

        With ``max_events`` it may stop early and return False: call again to go on.
        """
        left = -1 if max_events is None else max_events
        while (due := self.next_due()) is not None and due <= goal:
            if left == 0:
                return False
            left -= 1
            self._run_first()
        self.now = max(self.now, goal)
        return True

    def share(self, other: Clock) -> None:
        """Takes over the time and the events of ``other``, by reference."""
        self.now, self._seq, self._foreground = other.now, other._seq, other._foreground
        self._failing = dict(other._failing)
        self.causes.share(other.causes)
        self.logs.share(other.logs)
        self._heap, self._timers = other._heap.copy(), other._timers.copy()
        self._held = {owner: waiting.copy() for owner, waiting in other._held.items()}

    def state(self) -> dict[str, Any]:
        live = sorted(entry for entry in self._heap if entry[2] in self._timers)
        held = {
            owner: [[*each, *self._timers[each[1]]] for each in waiting if each[1] in self._timers]
            for owner, waiting in self._held.items()
        }
        return {
            **({"held": held} if held else {}),
            "now": self.now,
            "seq": self._seq,
            "failing": dict(self._failing),
            "causes": self.causes.state(),
            "logs": self.logs.state(),
            "heap": [[due, priority, seq, *self._timers[seq]] for due, priority, seq in live],
        }

    def load(self, state: dict[str, Any]) -> None:
        self.now = state["now"]
        self._seq = state["seq"]
        self._failing = dict(state["failing"])
        self.causes.load(state["causes"])
        self.logs.load(state["logs"])
        self._heap = [(due, priority, seq) for due, priority, seq, *_ in state["heap"]]
        self._timers = {
            seq: (handler, tuple(args), background, tuple(roots))
            for _due, _priority, seq, handler, args, background, roots in state["heap"]
        }
        self._held = {}
        for owner, waiting in state.get("held", {}).items():
            self._held[owner] = [(priority, seq, background) for priority, seq, background, *_ in waiting]
            for _priority, seq, _background, handler, args, hidden, roots in waiting:
                self._timers[seq] = (handler, tuple(args), hidden, tuple(roots))
        self._foreground = sum(1 for timer in self._timers.values() if not timer[2])


def _event_key(handler: str, args: tuple[Any, ...]) -> str:
    return f"{handler}{list(args)}"
