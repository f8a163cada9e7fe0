"""What moves a cluster's virtual clock: along with the wall clock, or as fast as it goes while somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from cluster_engine.cluster import Cluster
from cluster_engine.sim import SECOND, wall_clock

SLICE = 5_000  # µs of wall time that the clock may take before others have their turn
LAG_LIMIT = 5 * SECOND  # wall µs behind which time is dropped (a suspended laptop, a stopped process)
RESTART = 1.0  # s after which a driver whose look at the clock failed takes another
IDLE = 0.25  # s between looks at the clock when nothing is due
GRACE = 1 * SECOND  # wall µs after a request during which its client is taken to wait for an outcome
# With speed "max", a crash loop must not run through weeks while a watch is open: how far one request may make
# time jump, and how fast time may go on while a stream is open.
LEAP = 60 * SECOND
LEAP_RATE = 3_600  # virtual seconds a wall second


class Driver:
    """Moves one cluster's clock. `speed` is virtual seconds per wall second, or "max"."""

    def __init__(self, cluster: Cluster, speed: float | Literal["max"] = 1.0) -> None:
        if speed != "max" and speed < 0:
            raise ValueError(f"speed must not be negative, found {speed}")
        self._clock = cluster.clock
        self._jump = speed == "max"
        self._speed = 1.0 if speed == "max" else float(speed)
        self._wall = wall_clock()
        self._virtual = self._clock.now
        self._wake = asyncio.Event()
        self._held = 0
        self._clients = 0
        self._grace_until = 0
        self._asked_wall, self._asked_virtual = self._wall, self._virtual
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running event loop."""
        if self._task is None:
            self._rebase()
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End; the cluster stays as it is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Virtual time stands still inside."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._wake.set()

    @contextmanager
    def client(self) -> Iterator[None]:
        """Somebody waits for things to happen."""
        self._clients += 1
        self._asked()
        try:
            yield
        finally:
            self._clients -= 1
            self._grace_until = max(self._grace_until, wall_clock())

    def kick(self) -> None:
        """A request came: look at the clock soon."""
        self._grace_until = wall_clock() + GRACE
        self._asked()

    def catch_up(self) -> None:
        """Bring virtual time to now, within one slice of work."""
        if not self._held:
            self._slice(self._goal())

    def _rebase(self) -> None:
        self._wall, self._virtual = wall_clock(), self._clock.now

    def _goal(self) -> int:
        """The virtual time that the wall clock asks for."""
        wall = wall_clock()
        if self._jump:
            due = self._leap(wall)
            if due is not None:
                self._wall, self._virtual = wall, self._clock.now
                return due
            if not self._waiting(wall):
                self._rebase()
                return self._clock.now
        goal = self._virtual + round((wall - self._wall) * self._speed)
        if goal - self._clock.now > LAG_LIMIT * max(self._speed, 1.0):
            self._rebase()
            return self._clock.now
        return goal

    def _leap(self, wall: int) -> int | None:
        """The time to jump to: somebody waits, something is to happen, and not too far away."""
        if not self._jump or not self._clock.busy or not self._waiting(wall):
            return None
        due = self._clock.next_due()
        horizon = self._asked_virtual + LEAP
        if self._clients:
            horizon += LEAP_RATE * (SECOND + wall - self._asked_wall)
        return due if due is not None and due <= horizon else None

    def _asked(self) -> None:
        self._asked_wall, self._asked_virtual = wall_clock(), self._clock.now
        self._wake.set()

    def _waiting(self, wall: int) -> bool:
        return self._clients > 0 or wall < self._grace_until

    def _slice(self, goal: int) -> bool:
        """Run towards `goal` for at most one slice; whether it was reached."""
        clock = self._clock
        end = wall_clock() + SLICE
        while (due := clock.next_due()) is not None and due <= goal:
            clock.step()
            if wall_clock() > end:
                return False
        return clock.run_until(goal)

    async def _run(self) -> None:
        """The watched task: a look at the clock that fails is noted, and another one taken a second later."""
        while True:
            try:
                await self._look()
            except Exception as error:
                failures, now = self._clock.failures, self._clock.now
                if not failures.note("clock-driver", "", error, now, replayed=False, outermost=True):
                    raise
                await asyncio.sleep(RESTART)

    async def _look(self) -> None:
        """Brings the clock to where it should be, then waits until there may be more to do."""
        self._wake.clear()
        if self._held:
            await self._wake.wait()
            return
        reached = self._slice(self._goal())
        if not reached or self._leap(wall_clock()) is not None:
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), self._pause())

    def _pause(self) -> float | None:
        if self._jump and not self._waiting(wall_clock()):
            return None
        due = self._clock.next_due()
        if due is None or self._speed == 0:
            return IDLE
        return min(IDLE, max(0.001, (due - self._clock.now) / SECOND / self._speed))
