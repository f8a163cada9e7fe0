"""Who is looked at next: the clocks of many clusters on one event loop, in one heap of deadlines.

A cluster with nothing to do costs nothing: it is looked at when its next event is due, or when somebody comes. Those
that are behind take turns of one slice each, who has used least first; while others are asked things, such turns take
half of the time at most, so that the loop always comes round soon. While one that asks for little waits for its answer,
those that took much stand back, whether they are behind or not.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from cluster_engine.sim import SECOND, steady_clock

T = TypeVar("T")

SLICE = 2_000  # µs of wall time that one turn may take before others have theirs
ATTENTION = 1 * SECOND  # wall µs for which a cluster that was asked something counts as in use
REST = 1.0  # times what a turn took: how long nobody who is behind has one, while other clusters are in use
WAY = 20_000  # µs for which one that took much stands back at once; then it has a slice all the same
BLINK = 1_000  # µs from look to look whether it still has to
LONG = 50_000  # µs: a look that takes longer is counted
ASLEEP, BEHIND = -1, -2  # instead of a deadline: it waits to be woken, or for its turn


Ticket = list[Any]
"""[when, order, who]; who is None where the ticket is void, so that a heap keeps nobody alive."""


async def in_slices(steps: Iterable[T]) -> list[T]:
    """All that the steps give, a slice at a time: others have their turns in between."""
    found: list[T] = []
    end = steady_clock() + SLICE
    for each in steps:
        found.append(each)
        if steady_clock() > end:
            await asyncio.sleep(0)
            end = steady_clock() + SLICE
    return found


class Timer(Protocol):
    """An event loop's promise to call."""

    def cancel(self) -> None:
        """Not any more."""


class Paced(Protocol):
    """A clock that is driven; `Driver` is the one."""

    due: int | None
    """The wall time (µs) at which it wants to be looked at, ASLEEP or BEHIND; None: it is not driven. The pacer's."""
    ticket: Ticket | None
    """Its place in a heap. The pacer's."""
    used: int
    """µs of wall time that it took while it was behind, against the others'. The pacer's."""

    @property
    def heavy(self) -> bool:
        """Whether it is behind, or was asked much lately: others come first."""

    def look(self) -> int | None:
        """One slice of work. Returns µs until the next look (0: it is behind), None: when it is woken."""


class _Waited:
    """One more waits inside; a class, since every request passes it and a generator costs twice as much."""

    __slots__ = ("_counts", "_driver")

    def __init__(self, counts: Counter[Paced], driver: Paced) -> None:
        self._counts = counts
        self._driver = driver

    def __enter__(self) -> None:
        self._counts[self._driver] += 1

    def __exit__(self, *_error: object) -> None:
        counts, driver = self._counts, self._driver
        if counts[driver] > 1:
            counts[driver] -= 1
        else:
            del counts[driver]


class Pacer:
    """See the module. `later` is an event loop's `call_later`; None: the running one's."""

    def __init__(self, later: Callable[[float, Callable[[], None]], Timer] | None = None) -> None:
        self._later = later
        self._heap: list[Ticket] = []
        self._behind: list[Ticket] = []
        self._order = 0
        self._rest_until = self._turn_due = 0
        """Until when nobody who took much has a slice; since when a clock that is behind could have had one."""
        self._timer: Timer | None = None
        self._timer_at = 0
        self._asked: Paced | None = None
        self._asked_at = self._asked_before_at = -ATTENTION
        self._under_way: Counter[Paced] = Counter()
        self._put_off: dict[Paced, int] = {}
        """Clocks that are due and took much, by since when others go first."""
        self._way = asyncio.Lock()
        self.looks = 0
        self.long_looks = 0
        self.longest = 0
        """µs that the longest look took."""

    def drive(self, driver: Paced) -> None:
        """Look at it from now on."""
        if driver.due is None:
            self._at(driver, 0)

    def wake(self, driver: Paced) -> None:
        """Look at it at once; where it is behind, when its turn comes."""
        if driver.due is not None and driver.due not in (0, BEHIND):
            self._at(driver, 0)

    def asked(self, driver: Paced) -> None:
        """Somebody asks this cluster something."""
        now = steady_clock()
        if self._asked is not driver:
            self._asked, self._asked_before_at = driver, self._asked_at
        self._asked_at = now

    def request(self, driver: Paced) -> AbstractContextManager[None]:
        """Somebody waits for this cluster's answer inside."""
        return _Waited(self._under_way, driver)

    async def give_way(self, driver: Paced) -> None:
        """Between two slices of an answer: others have their turn. One that took much waits until nobody who asks for
        little does, but not for ever; of all that took much one goes on each time that the loop comes round."""
        await asyncio.sleep(0)
        if driver.heavy:
            async with self._way:
                end = steady_clock() + WAY
                while (now := steady_clock()) < end and (now < self._rest_until or self._stands_back(driver)):
                    await asyncio.sleep(BLINK / SECOND)
                if self.others_in_use(driver):
                    self._rest_until = now + round(SLICE * (1 + REST))

    @property
    def waits(self) -> bool:
        """Whether one that asks for little waits for its answer. Any thread may ask."""
        return any(not driver.heavy for driver in list(self._under_way))

    def _stands_back(self, driver: Paced) -> bool:
        return any(other is not driver and not other.heavy for other in self._under_way)

    def forget(self, driver: Paced) -> None:
        """Look at it no more."""
        self._void(driver)
        self._put_off.pop(driver, None)
        driver.due = None
        if self._asked is driver:
            self._asked = None  # it may leave memory; when somebody was asked last stands

    def others_in_use(self, driver: Paced) -> bool:
        """Whether any other cluster was asked something lately."""
        last = self._asked_before_at if self._asked is driver else self._asked_at
        return steady_clock() - last < ATTENTION

    def _at(self, driver: Paced, due: int) -> None:
        self._void(driver)
        driver.due = due
        self._queue(self._heap, due, driver)
        self._arm(due)

    def _queue(self, heap: list[Ticket], when: int, driver: Paced) -> None:
        self._order += 1
        driver.ticket = [when, self._order, driver]
        heapq.heappush(heap, driver.ticket)

    @staticmethod
    def _void(driver: Paced) -> None:
        if driver.ticket is not None:
            driver.ticket[2] = None
            driver.ticket = None

    def _arm(self, due: int) -> None:
        if self._timer is not None:
            if self._timer_at <= due:
                return
            self._timer.cancel()
        self._timer_at = due
        later = self._later or asyncio.get_running_loop().call_later
        # In whole milliseconds, upwards: event loops know no others, and who comes too early has to come again.
        self._timer = later(-(-max(0, due - steady_clock()) // 1_000) / 1_000, self._turn)

    def _next(self, now: int) -> Paced | None:
        heap = self._heap
        if (not heap or heap[0][0] > now) and now >= self._turn_due and not self._behind_stand_back(now):
            heap, now = self._behind, sys.maxsize
        while heap and heap[0][0] <= now:
            driver: Paced | None = heapq.heappop(heap)[2]
            if driver is not None:
                driver.ticket = None
                if heap is self._behind or not self._puts_off(driver, now):
                    return driver
        return None

    def _puts_off(self, driver: Paced, now: int) -> bool:
        """Whether a clock that is due lets others go first, and comes again a moment later: it keeps up, but took much,
        and one that asks for little waits for its answer."""
        waits = bool(self._under_way) and driver.heavy and self._stands_back(driver)
        if waits and now < self._put_off.setdefault(driver, now) + WAY:
            self._queue(self._heap, now + BLINK, driver)
            return True
        self._put_off.pop(driver, None)
        return False

    def _behind_stand_back(self, now: int) -> bool:
        """Whether those that are behind let others go first: answers of those that took much have had a slice, or one
        that asks for little waits."""
        waits = now < self._rest_until or self.waits
        return waits and now < self._turn_due + WAY

    def _turn(self) -> None:
        self._timer = None
        now = begun = steady_clock()
        try:
            while now - begun < SLICE and (driver := self._next(now)) is not None:
                was_behind = driver.due == BEHIND
                pause = driver.look()
                took, now = steady_clock() - now, steady_clock()
                self._note(took)
                if driver.due is None:
                    continue  # forgotten meanwhile
                if pause is None:
                    driver.due = ASLEEP
                elif pause > 0:
                    self._at(driver, now + pause)
                else:
                    self._fell_behind(driver, took, now, was_behind)
        finally:
            self._rearm()

    def _fell_behind(self, driver: Paced, took: int, now: int, before: bool) -> None:
        if not before:
            # Who comes new starts level with those that wait: what it used long ago is no debt, nor a credit.
            driver.used = self._behind[0][0] if self._behind else 0
        driver.due = BEHIND
        driver.used += took
        self._void(driver)
        self._queue(self._behind, driver.used, driver)
        self._turn_due = now + (round(took * REST) if self.others_in_use(driver) else 0)
        self._rest_until = max(self._rest_until, self._turn_due)

    def _note(self, took: int) -> None:
        self.looks += 1
        self.long_looks += took > LONG
        self.longest = max(self.longest, took)

    def _rearm(self) -> None:
        heap = self._heap
        while heap and heap[0][2] is None:
            heapq.heappop(heap)
        if heap:
            self._arm(heap[0][0])
        if self._behind:
            now = steady_clock()
            self._arm(now + BLINK if self._behind_stand_back(now) else self._turn_due)
