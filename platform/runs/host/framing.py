"""When a run's keyframes are kept, so that a rebuild replays only what came after the last one."""

from __future__ import annotations

import asyncio
import logging
import math
import uuid
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from django.db import DatabaseError

from cluster_engine.cluster import Cluster
from cluster_engine.serving import Driver
from cluster_engine.sim import SECOND
from runs.host.building import Built
from runs.host.writer import JournalWriter
from runs.journal import FencedError
from runs.keyframes import State

logger = logging.getLogger(__name__)

#: Journal entries from keyframe to keyframe, where it does not take long to keep one:
KEYFRAME_EVERY = 250
#: a run rests for so many times what the last one took, or a flooded large cluster would be packed all day.
KEYFRAME_REST = 10
#: with so many entries since the last one it rests for less: a rebuild would take long,
KEYFRAME_MANY = 500
#: namely for so many times.
KEYFRAME_SHORT_REST = 1
#: Seconds of processor time since the last keyframe that make a new one worth it: what a rebuild takes, about.
KEYFRAME_COST = 0.1
#: Seconds from keyframe to keyframe at least, where processor time asks for one.
KEYFRAME_PAUSE = 20.0


class Host(Protocol):
    """What is asked of the run's host."""

    writer: JournalWriter

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs it beside everything else, until the host stops."""

    async def pack(self, fork: Cluster) -> bytes:
        """The fork's keyframe."""


class Owner(Protocol):
    """What is asked of the run."""

    run_id: uuid.UUID
    epoch: int
    lab: Any
    cluster: Cluster
    driver: Driver


class Framing:
    """The keyframes of one run. Lives in the host's event loop."""

    def __init__(self, host: Host, run: Owner, built: Built) -> None:
        now = asyncio.get_running_loop().time()
        self._host = host
        self._run = run
        self._base = built.base
        self._last = built.framed
        """The engine's number of the entry after which one was kept last."""
        self._last_at = now
        self._rests_until = self._rests_a_little_until = now
        """None for the number of entries before then, or for many of them."""
        self._spent = 0
        """What the cluster had taken of the processor then, in µs."""

    @property
    def busy(self) -> bool:
        """Whether one is being kept that nobody asked for."""
        return self._rests_until == math.inf

    def start(self) -> None:
        """A later engine, which cannot replay what this one did, goes on from here."""
        if self._last < self._present:
            self._soon(self._present)

    def wrote(self, seq: int) -> None:
        """The entry of that number is in the journal."""
        if seq < self._last + KEYFRAME_EVERY:
            return
        many = seq >= self._last + KEYFRAME_MANY
        if asyncio.get_running_loop().time() > (self._rests_a_little_until if many else self._rests_until):
            self._soon(seq)

    def keep_up(self, now: float) -> None:
        """Keep one when a rebuild from the last one would take long."""
        costly = self._run.driver.spent - self._spent > KEYFRAME_COST * SECOND
        if costly and now - self._last_at > KEYFRAME_PAUSE:
            self._soon(self._present)

    async def keep(self, begin: Sequence[str] = ()) -> bytes | None:
        """Keep the state as it is now. None: it was not kept.

        `begin`: the lab's steps that begin now.
        """
        run = self._run
        fork = run.cluster.fork()
        if not run.lab.keeps_journal:
            run.cluster.journal.let_go()
        seq, at, spent = self._base + fork.journal.next_seq - 1, fork.clock.now, run.driver.spent
        cost, self._spent = spent - self._spent, spent
        try:
            data = await self._host.pack(fork)
            await self._host.writer.keep(run.run_id, run.epoch, State(seq, data, at, cost, begin))
            return data
        except (FencedError, DatabaseError) as error:
            # The journal has everything; a rebuild takes longer.
            logger.warning("no keyframe was kept: %s", error, extra={"run": run.run_id, "epoch": run.epoch})
            return None

    @property
    def _present(self) -> int:
        return self._run.cluster.journal.next_seq - 1

    def _soon(self, seq: int) -> None:
        self._last, self._last_at = seq, asyncio.get_running_loop().time()
        self._rests_until = self._rests_a_little_until = math.inf
        self._host.spawn(self._keep_soon())

    async def _keep_soon(self) -> None:
        begun = asyncio.get_running_loop().time()
        try:
            await self.keep()
        finally:
            now = asyncio.get_running_loop().time()
            self._rests_until = now + KEYFRAME_REST * (now - begun)
            self._rests_a_little_until = now + KEYFRAME_SHORT_REST * (now - begun)
