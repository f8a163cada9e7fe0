"""When a run's cluster may leave memory, and how it does (`doze.py`): the part of a hosted run that looks to that.

One that nobody is connected to may when nobody has used it for a minute. One with open tabs may, too, if nothing is due
soon that the tabs are told, that a check could come to another result by, or that a process in a container does: a fork
lives ahead to find that out (`ahead.py`). The nodes' heartbeats count as nothing; a tab learns of them when its run is
back, after RESTS_LONGEST of wall time at most.
"""

from __future__ import annotations

import asyncio
import math
import uuid
import zlib
from typing import Any, Protocol

from cluster_engine.cluster import Cluster
from cluster_engine.release import release
from cluster_engine.serving import Driver, Pacer
from cluster_engine.sim import SECOND, steady_clock
from runs.host.ahead import still_until
from runs.host.belongings import Belongings
from runs.host.checker import Checker
from runs.host.doze import Doze, idle_seconds
from runs.host.framing import Framing
from runs.host.live import Tabs
from runs.host.terminal import Terminal
from runs.models import Run

#: Seconds without anybody after which time is worked out when somebody comes back.
DOZE_SECONDS = 30.0
#: Seconds in which nobody uses it after which it is held as a keyframe.
HOLD_SECONDS = 60.0
#: Wall seconds for which nothing may be due in a run with open tabs: else it is not worth it; and after which it wakes.
RESTS_LEAST, RESTS_LONGEST = 60.0, 600.0
#: Seconds after which it is looked once more whether something is due, where something was: a look is a fork.
AGAIN_SECONDS = 60.0


class Host(Protocol):
    """What is asked of the run's host."""

    pacer: Pacer

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        """What ``fn(*args)`` returns, off the event loop."""

    async def awake(self, run_id: uuid.UUID) -> Any:
        """The run, woken if it dozes."""


def _past(fork: Cluster) -> bytes:
    """What the cluster remembers, packed; the fork is taken apart."""
    try:
        return zlib.compress(fork.past())
    finally:
        release(fork)


class Resting:
    """See the module."""

    host: Host
    _run: Run
    lab: Any
    cluster: Cluster
    driver: Driver
    framing: Framing
    terminal: Terminal
    tabs: Tabs
    checker: Checker
    last_active: float
    in_use: int
    closed: bool
    room: int
    bytes_limit: int
    _lost: bool
    _base: int
    _still_until = 0.0
    """Until when (the loop's time) nothing is due that a tab is told, where that is known."""
    _ahead_at = 0.0
    """When to look for that once more."""

    @property
    def hurries(self) -> bool:
        """Whether time leaps while somebody waits, and stands otherwise."""
        raise NotImplementedError

    @property
    def belongings(self) -> Belongings:
        """What it has beside its cluster."""
        raise NotImplementedError

    async def note_time(self) -> None:
        """Keep how far the clock has come."""
        raise NotImplementedError

    @property
    def watched(self) -> bool:
        """Whether anybody is connected."""
        return self.in_use > 0 or self.terminal.watched or bool(self.tabs)

    def is_idle(self, now: float) -> bool:
        """Whether it may be put to sleep."""
        return now - self.last_active > idle_seconds(self.watched)

    def _unseen(self) -> bool:
        return not self.watched and asyncio.get_running_loop().time() - self.last_active > DOZE_SECONDS

    def _at_rest(self, now: float) -> bool:
        """Whether its keyframe, its belongings and the wall's time say all that there is to it."""
        return (
            now - self.last_active > HOLD_SECONDS
            and not (self.in_use or self.closed or self._lost)
            and self.terminal.quiet
            and self.tabs.quiet
            and not self.checker.owes
            and not self.framing.busy
            and not (self.cluster.server.sessions.open_names() or self.cluster.outside.open_names())
        )

    def may_doze(self, now: float) -> bool:
        """Whether its cluster may leave memory, as it is."""
        return self.driver.dozing and self._at_rest(now) and (not self.watched or now < self._still_until)

    def nod(self, now: float) -> None:
        """Have its clock look whether anybody is there: one that stands does not look by itself. And one that rests
        beside somebody, and does not doze yet, may do so no longer."""
        if now - self.last_active > HOLD_SECONDS and not self.driver.dozing:
            self.host.pacer.wake(self.driver)
        elif self.watched and self.driver.dozing and not self.may_doze(now):
            self.driver.rouse()

    def may_look_ahead(self, now: float) -> bool:
        """Whether it would do no harm to know what is due, for those who are connected and do nothing."""
        return (
            self.watched
            and now > self._ahead_at
            and not (self.driver.dozing or self.driver.heavy)
            and self._at_rest(now)
        )

    async def look_ahead(self) -> None:
        """Have its clock rest when nothing is due soon that those who are connected are told."""
        loop = asyncio.get_running_loop()
        seq, clock = self.cluster.journal.next_seq, self.cluster.clock
        speed = 0.0 if self.hurries else self.driver.speed
        self.driver.catch_up()
        still = math.inf
        if speed:
            fork = self.cluster.fork()
            try:
                due = await still_until(fork, clock.now + round(RESTS_LONGEST * speed * SECOND))
            finally:
                release(fork)
            self.driver.catch_up()
            left = (due - clock.now) / speed - (steady_clock() - self.driver.since)
            still = loop.time() + left / SECOND
        now = loop.time()
        self._ahead_at = max(now + AGAIN_SECONDS, min(still, now + RESTS_LONGEST))
        if still - now >= RESTS_LEAST and seq == self.cluster.journal.next_seq and self._at_rest(now):
            self._still_until = still
            self.driver.rest()

    async def doze(self) -> Doze | None:
        """It as a keyframe, which is kept; None: somebody came meanwhile. Raises what the journal raises."""
        doze = None
        try:
            doze = await self._doze()
        finally:
            if doze is None and self.watched:
                self.driver.rouse()
        return doze

    async def _doze(self) -> Doze | None:
        loop = asyncio.get_running_loop()
        await self.note_time()
        journal = self.cluster.journal
        seq, last_active = journal.next_seq - 1, self.last_active
        past = await self.host.in_thread(_past, self.cluster.fork()) if self.lab.keeps_history else b""
        keyframe = await self.framing.keep()
        if (
            keyframe is None
            or journal.next_seq - 1 != seq
            or self.last_active != last_active
            or not self.may_doze(loop.time())
        ):
            return None
        doze = Doze(
            run=self._run,
            keyframe=keyframe,
            past=past,
            lab=self.lab,
            belongings=self.belongings,
            base=self._base,
            framed=seq,
            room=self.room,
            bytes_limit=self.bytes_limit,
            since=self.driver.since,
            last_active=last_active,
            due=self._still_until if self.watched else math.inf,
        )
        host, run_id = self.host, self._run.pk

        async def back() -> None:
            await host.awake(run_id)

        self.terminal.belongs_to(None, back)
        self.tabs.rest(back)
        return doze
