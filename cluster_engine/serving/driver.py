"""What moves a cluster's virtual clock: along with the wall clock, or as fast as it goes while somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

from cluster_engine.cluster import Cluster
from cluster_engine.serving.pacer import BEHIND, SLICE, Pacer, Ticket
from cluster_engine.sim import SECOND, Link, steady_clock

LAG_LIMIT = 5 * SECOND  # wall µs behind which time is dropped (a suspended laptop, a stopped process)
# Of a cluster that nobody looked at: what is caught up when somebody comes, virtual µs, and for how long, wall µs.
DOZE_LIMIT = 1_800 * SECOND
ROUSING = 5 * SECOND
RESTART = SECOND  # µs after which a clock whose look failed gets another
LOOK = SECOND // 4  # µs between looks while somebody is connected, though nothing is due
GRACE = 1 * SECOND  # wall µs after a request during which its client is taken to wait for an outcome
PACE_WINDOW = 5 * SECOND  # wall µs over which the pace is measured
FASTEST = 1_000.0  # virtual seconds a wall second that may be asked for
STEP_LIMIT = 10 * SECOND  # wall µs that one step of time may take
# With speed "max", a crash loop must not run through weeks while a watch is open: how far one request may make
# time jump, and how fast time may go on while a stream is open.
LEAP = 60 * SECOND
LEAP_RATE = 3_600  # virtual seconds a wall second
LONGEST_SLEEP = 3_600 * SECOND  # that one sleep moves time at most
# A cluster that is asked without end answers in its turn while others are in use: µs that its answers may take at
# once, and how many a second afterwards.
BURST = SECOND // 5
SHARE = 0.3


class Driver:
    """Moves one cluster's clock. `speed` is virtual seconds per wall second, or "max".

    While `unseen` says that nobody looks, nothing is worked out: that is done when somebody comes (`rouse`).
    """

    def __init__(
        self,
        cluster: Cluster,
        speed: float | Literal["max"] = 1.0,
        pacer: Pacer | None = None,
        unseen: Callable[[], bool] | None = None,
    ) -> None:
        if speed != "max":
            _check(speed)
        self._pacer = pacer or Pacer()
        self.due: int | None = None
        self.ticket: Ticket | None = None
        self.used = 0
        self.spent = 0
        """µs of wall time that the cluster took of its process so far."""
        self._pace = self._pace_before = 1.0
        self._unseen = unseen
        self._dozing = False
        self._roused_until = 0
        self._clock = cluster.clock
        self._forget = cluster.server.registry.cache.clear
        self._jump = speed == "max"
        self._speed = 1.0 if speed == "max" else float(speed)
        self._wall = self._measured_wall = steady_clock()
        self._virtual = self._measured = self._clock.now
        self._sleeper = 0
        self._held = 0
        self._holding = _Holding(self)
        self._clients = 0
        self._grace_until = 0
        self._asked_wall, self._asked_virtual = self._wall, self._virtual
        self._debt, self._debt_at = 0.0, self._wall
        self._worked, self._worked_at = 0.0, self._wall
        """µs that its clock took, less its share of the time since, BURST twice at most."""
        self._turns = asyncio.Lock()

    @property
    def pace(self) -> float:
        """How fast virtual time went lately, against how fast it should: 0.4 of a cluster that is too busy.

        Slow is who was so twice in a row: a start, or one large change, is over soon.
        """
        lately = steady_clock() - self._measured_wall < 2 * PACE_WINDOW
        return max(self._pace, self._pace_before) if lately else 1.0

    @property
    def speed(self) -> float:
        """Virtual seconds a wall second; 0: time stands still. (Of "max", 1.)"""
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Go on at that many virtual seconds a wall second; 0 stands still. Raises ValueError."""
        _check(speed)
        self.catch_up()
        self._jump, self._speed = False, float(speed)
        self._rebase()
        self._measured_wall, self._measured, self._pace = self._wall, self._virtual, 1.0
        self._pacer.wake(self)

    async def step(self, until: int, matters: Callable[[Link], bool]) -> list[Link]:
        """Let time go on, as fast as it can, until something ``matters``: what of it was written then.

        Empty when nothing did by the virtual time ``until`` (µs), or within STEP_LIMIT of wall time. Nothing else
        may move the cluster meanwhile (`ClusterApp.step`).
        """
        end = steady_clock() + STEP_LIMIT
        found: list[Link] | None = None
        with self.hold():
            while found is None and (begun := steady_clock()) < end:
                found = self._search(until, matters)
                self.spent += steady_clock() - begun
                await asyncio.sleep(0)
            self._rebase()
            self._measured_wall, self._measured = self._wall, self._virtual
        return found or []

    def _search(self, until: int, matters: Callable[[Link], bool]) -> list[Link] | None:
        """A slice of the search for what matters; None: there is more to look at."""
        clock, end = self._clock, steady_clock() + SLICE
        while (due := clock.next_due()) is not None and due <= until:
            mark = clock.causes.mark
            clock.step()
            if found := [link for link in clock.causes.since(mark) if matters(link)]:
                return found
            if steady_clock() > end:
                return None
        clock.run_until(until)
        return []

    def start(self, since: int | None = None) -> None:
        """Begin; needs a running event loop. ``since``: as one that nobody has looked at since that time of the wall's
        (µs), and that was brought to it then."""
        if self.due is None:
            self._rebase()
            if since is not None:
                self._wall, self._dozing = since, True
            self._measured_wall, self._measured = self._wall, self._virtual
            self._pacer.drive(self)

    @property
    def dozing(self) -> bool:
        """Whether nothing is worked out, since nobody looks."""
        return self._dozing

    @property
    def since(self) -> int:
        """The wall's time (µs) to which the cluster has been brought."""
        if self._jump or not self._speed:
            return steady_clock()
        return self._wall + round((self._clock.now - self._virtual) / self._speed)

    def stop(self) -> None:
        """End; the cluster stays as it is."""
        self._pacer.forget(self)

    def hold(self) -> AbstractContextManager[None]:
        """Virtual time stands still inside."""
        return self._holding

    def held(self, more: int) -> None:
        """So many more, or fewer, want virtual time to stand still."""
        self._held += more
        if more < 0:
            self._pacer.wake(self)

    @contextmanager
    def client(self) -> Iterator[None]:
        """Somebody waits for things to happen."""
        self._clients += 1
        self._asked()
        self._pacer.wake(self)
        try:
            yield
        finally:
            self._clients -= 1
            self._grace_until = max(self._grace_until, steady_clock())

    def kick(self) -> None:
        """A request came. With "max" time goes on for it; else the clock is looked at when something is due."""
        self._grace_until = steady_clock() + GRACE
        self._pacer.asked(self)
        self._asked()
        if self._jump:
            self._pacer.wake(self)

    def request(self) -> AbstractContextManager[None]:
        """Somebody waits for an answer inside."""
        return self._pacer.request(self)

    async def give_way(self) -> None:
        """Between two slices of an answer: `Pacer.give_way`."""
        await self._pacer.give_way(self)

    @property
    def heavy(self) -> bool:
        """Whether it cannot keep up, or took more than its share lately, by its answers or its clock."""
        return self.due == BEHIND or self._owed() > BURST or self._has_worked() > BURST

    @property
    def stands_back(self) -> bool:
        """Whether others have a turn before its answer: it is heavy, and where it keeps up, others were asked, too."""
        return self.heavy and (self.due == BEHIND or self._pacer.others_in_use(self))

    def go_to(self, due: int) -> bool:
        """With "max": somebody sleeps until then (µs), so time goes there. Whether it does."""
        if self._jump:
            self._sleeper = min(due, self._clock.now + LONGEST_SLEEP)
            self._pacer.wake(self)
        return self._jump

    def rest(self) -> None:
        """Nothing is worked out from now on, until somebody comes (`rouse`)."""
        self._dozing = True
        self._forget()  # bytes for answers, which are made again when somebody asks

    def rouse(self) -> None:
        """Somebody looks: what happened since nobody did is worked out, and until then counts as no delay."""
        if self._dozing:
            self._dozing = False
            self._roused_until = steady_clock() + ROUSING
            self._pacer.wake(self)

    async def roused(self) -> None:
        """Wait until what nobody looked at is worked out."""
        while self._roused_until and not self._held and self.due is not None:
            begun = steady_clock()
            reached = self._come_to_now()
            self.spent += steady_clock() - begun
            if not reached:
                await asyncio.sleep(0)

    def catch_up(self) -> None:
        """Bring virtual time to now, within one slice of work; where it is behind, it waits for its turn."""
        if not self._held and not self._dozing and self.due != BEHIND:
            begun = steady_clock()
            self._come_to_now()
            self.spent += steady_clock() - begun

    def run_for_a_slice(self, until: int) -> bool:
        """A slice of what is due by then, although time is held; whether all of it is done."""
        begun = steady_clock()
        reached = self._slice(until)
        self.spent += steady_clock() - begun
        return reached

    def answering(self) -> AbstractContextManager[None]:
        """Counts what an answer takes."""
        return _Answering(self)

    def charge(self, took: float) -> None:
        """So many µs of the wall's time went into an answer."""
        self.spent += round(took)
        self._debt, self._debt_at = self._owed() + took, steady_clock()

    async def turn(self) -> None:
        """Wait until it is this cluster's turn to answer: at once, unless it took much while others are in use."""
        if self._owed() > BURST and self._pacer.others_in_use(self):
            async with self._turns:
                if (over := self._owed() - BURST) > 0:
                    await asyncio.sleep(over / SHARE / SECOND)
        if self.stands_back:
            await self.give_way()

    def _owed(self) -> float:
        return _left(self._debt, self._debt_at)

    def _has_worked(self) -> float:
        return _left(self._worked, self._worked_at)

    def _rebase(self) -> None:
        self._wall, self._virtual = steady_clock(), self._clock.now

    def _goal(self) -> int:
        """The virtual time that the wall clock asks for."""
        wall = steady_clock()
        if self._jump:
            if self._sleeper > self._clock.now:
                return self._sleeper
            due = self._leap(wall)
            if due is not None:
                self._wall, self._virtual = wall, self._clock.now
                return due
            if not self._waiting(wall):
                self._rebase()
                return self._clock.now
        goal = self._virtual + round((wall - self._wall) * self._speed)
        if goal < self._clock.now:  # somebody brought the clock further: it goes on from there
            self._rebase()
            return self._clock.now
        # Behind is who has something to do that should be done already; of time in which nothing is due none is lost.
        due = self._clock.next_due()
        limit = DOZE_LIMIT if wall < self._roused_until else LAG_LIMIT
        if due is not None and goal - max(due, self._clock.now) > limit * max(self._speed, 1.0):
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
        self._asked_wall, self._asked_virtual = steady_clock(), self._clock.now

    def _waiting(self, wall: int) -> bool:
        return self._clients > 0 or wall < self._grace_until

    def _slice(self, goal: int) -> bool:
        """Run towards `goal` for at most one slice; whether it was reached."""
        clock = self._clock
        end = steady_clock() + SLICE
        while (due := clock.next_due()) is not None and due <= goal:
            clock.step()
            if steady_clock() > end:
                return False
        return clock.run_until(goal)

    def _come_to_now(self) -> bool:
        """A slice of work towards the wall's time; whether it was reached."""
        if not self._slice(goal := self._goal()):
            return False
        if self._roused_until:
            self._roused_until = 0
            self._measured_wall, self._measured = steady_clock(), goal
        return True

    def look(self) -> int | None:
        """A slice of work; a look that fails is noted, and another one taken a second later. See `Paced`."""
        begun = steady_clock()
        try:
            return self._look()
        except Exception as error:
            failures, now = self._clock.failures, self._clock.now
            if not failures.note("clock-driver", "", error, now, replayed=False, outermost=True):
                raise
            return RESTART
        finally:
            now = steady_clock()
            self.spent += now - begun
            if not self._roused_until:
                self._worked = min(2 * BURST, self._has_worked() + now - begun)
                self._worked_at = now
            if (
                not self._held and not self._dozing and not self._roused_until
            ):  # else the clock has not been brought to where it should be
                self._measure(now)

    def _look(self) -> int | None:
        """Brings the clock to where it should be; µs until there may be more to do."""
        if self._held or self._dozing:
            return None
        if self._unseen is not None and self._unseen():
            self.rest()
            return None
        reached = self._come_to_now()
        wall = steady_clock()
        if not reached or self._leap(wall) is not None:
            return 0
        if self._jump and not self._waiting(wall):
            return None
        due = self._clock.next_due()
        wait = (
            None
            if due is None or self._speed == 0
            else max(1_000, round((due - self._clock.now) / self._speed))
        )
        if self._clients or self._jump:
            return LOOK if wait is None else min(LOOK, wait)
        return wait

    def _measure(self, now: int) -> None:
        passed = now - self._measured_wall
        if passed < PACE_WINDOW:
            return
        went = self._clock.now - self._measured
        pace = 1.0 if self._jump or not self._speed else min(1.0, went / (passed * self._speed))
        self._pace_before = self._pace if passed < 2 * PACE_WINDOW else pace
        self._pace = pace
        self._measured_wall, self._measured = now, self._clock.now


class _Holding:
    """`Driver.hold`. A class, as `_Answering` is: every write passes both, and a generator costs twice as much."""

    __slots__ = ("_driver",)

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __enter__(self) -> None:
        self._driver.held(1)

    def __exit__(self, *_error: object) -> None:
        self._driver.held(-1)


class _Answering:
    __slots__ = ("_begun", "_driver")

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._begun = steady_clock()

    def __enter__(self) -> None: ...

    def __exit__(self, *_error: object) -> None:
        self._driver.charge(steady_clock() - self._begun)


def _left(took: float, at: int) -> float:
    """What is left of µs that were taken until a time of the wall's, beyond the share of the time since."""
    return max(0.0, took - (steady_clock() - at) * SHARE)


def _check(speed: float) -> None:
    if not 0 <= speed <= FASTEST:
        raise ValueError(f"speed must be between 0 and {FASTEST:g}, found {speed}")
