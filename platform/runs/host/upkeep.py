"""What a host does by itself: the heartbeat that keeps its leases, the janitor that puts idle runs to sleep, the purge.

With thousands of runs each look at one misses the processor's caches, so they are looked at a slice at a time.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from config import alive
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Sum
from django.utils import timezone
from redis.exceptions import RedisError

from cluster_engine.memory import give_back
from cluster_engine.serving import in_slices
from runs import journal, registry, services
from runs.host.doze import Doze
from runs.host.hosted import HostedRun
from runs.host.writer import JournalWriter, checkpoint
from runs.models import Run
from runs.registry import Location

logger = logging.getLogger(__name__)

R = TypeVar("R", HostedRun, HostedRun | Doze)

JANITOR_SECONDS = 5.0
PURGE_SECONDS = 3600.0
#: Runs that begin to doze in one round of the janitor's, at most.
DOZES = 50
#: Runs with open tabs of which it is found out in one round when the next thing is due, at most: each is a fork.
LOOKS_AHEAD = 20
#: Runs of which it is noted at once that somebody uses them: entries wait meanwhile.
NOTED = 8
#: From one look of the garbage collector at all objects to the next: where nobody is connected, and at the latest.
COLLECT_SECONDS, COLLECT_LATEST = 600.0, 6 * 3600.0
#: `last_active` in the database is for people to look at: a minute's precision will do.
ACTIVITY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A run that somebody uses: how far its virtual time has come."""

    run_id: uuid.UUID
    epoch: int
    user_id: int
    reached_us: int
    pace: float


@dataclass(frozen=True, slots=True)
class Found:
    """What the janitor learns: runs that are over or another host's, and what active users' runs keep."""

    over: set[uuid.UUID]
    kept: dict[int, int]


class Host(Protocol):
    """What is asked of the host."""

    name: str
    url: str
    runs: dict[uuid.UUID, HostedRun]
    writer: JournalWriter

    @property
    def residents(self) -> list[HostedRun | Doze]:
        """All runs of this host."""

    def resident(self, run_id: uuid.UUID) -> HostedRun | Doze | None:
        """The run, awake or not, if it is here."""

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        """What ``fn(*args)`` returns, off the event loop."""

    async def doze(self, hosted: HostedRun) -> None:
        """Holds the run as its keyframe, unless somebody comes meanwhile."""

    async def passivate(self, hosted: HostedRun | Doze) -> None:
        """Puts the run to sleep."""

    async def drop(self, hosted: HostedRun | Doze) -> None:
        """Forgets the run as it is."""


class Upkeep:
    """See the module. Lives in the host's event loop."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.beat_at = self.collected_at = time.monotonic()
        """When leases were renewed last, and when the collector looked at everything."""

    @property
    def hung(self) -> bool:
        """Whether it was stopped for longer than its leases last: what it holds may be another's by now."""
        return time.monotonic() - self.beat_at > settings.HOST_LEASE_SECONDS

    def begin(self) -> list[asyncio.Task[None]]:
        """Goes on with all of it until the tasks are cancelled."""
        return [asyncio.create_task(_forever(step)) for step in (self._heartbeat, self.janitor, self._purge)]

    async def _heartbeat(self) -> None:
        await asyncio.sleep(settings.HOST_LEASE_SECONDS / 3)
        await self.beat()

    async def beat(self) -> None:
        """Renew the host's lease; let go what is another host's by now."""
        host = self._host
        if self.hung:
            logger.warning("this host hung for %.1f s", time.monotonic() - self.beat_at)
            await self._drop_lost(await host.in_thread(_lost, [(h.run_id, h.epoch) for h in host.residents]))
        self.beat_at = time.monotonic()
        alive.beat()
        now = asyncio.get_running_loop().time()
        try:
            if await host.in_thread(registry.beat, host.name, settings.HOST_LEASE_SECONDS):
                held = [(h.run_id, Location(host.url, h.epoch, host.name)) for h in host.residents]
                await self._drop_lost(await host.in_thread(_register_again, held))
        except (RedisError, OSError) as error:
            logger.warning("no heartbeat: %s", error)
        await in_slices(_each(list(host.runs.values()), lambda hosted: hosted.framing.keep_up(now)))

    async def _drop_lost(self, lost: set[uuid.UUID]) -> None:
        for run_id in lost:
            if (fenced := self._host.resident(run_id)) is not None:
                logger.info("it is another host's by now", extra={"run": run_id})
                await self._host.drop(fenced)

    async def janitor(self) -> None:
        """A pause, and a round: who is idle goes to sleep, who is used is noted, who is over is let go."""
        await asyncio.sleep(min(JANITOR_SECONDS, settings.RUN_IDLE_SECONDS / 2))
        self.collect()
        host, now = self._host, asyncio.get_running_loop().time()
        for resident in await _those(host.residents, lambda each: each.is_idle(now)):
            if resident.is_idle(now):  # nobody came while the others were looked at
                logger.info("idle: put to sleep", extra={"run": resident.run_id})
                await host.passivate(resident)
        await self.have_doze()
        used = await _those(
            list(host.runs.values()), lambda each: each.watched or now - each.last_active < ACTIVITY_SECONDS
        )
        active = [Seen(h.run_id, h.epoch, h.user_id, h.cluster.clock.now, h.driver.pace) for h in used]
        held = dict(await in_slices((resident.run_id, resident.epoch) for resident in host.residents))
        try:
            for first in range(0, len(active), NOTED):
                await host.writer.do(note_activity, active[first : first + NOTED])
            await host.in_thread(checkpoint)
            found = await host.in_thread(find, {seen.user_id for seen in active}, held)
        except DatabaseError as error:
            logger.warning("the janitor cannot reach the database: %s", error)
            return
        for run_id in found.over:
            if (lost := host.resident(run_id)) is not None and lost.epoch == held[run_id]:
                await host.drop(lost)
        for resident in await _those(host.residents, lambda each: each.user_id in found.kept):
            resident.room = resident.bytes_limit - found.kept[resident.user_id]

    async def have_doze(self) -> None:
        """Have those doze in which nothing is under way, and find out of which others nothing is due."""
        host, loop = self._host, asyncio.get_running_loop()
        now = loop.time()
        ahead = await _those(list(host.runs.values()), lambda each: each.may_look_ahead(now))
        for hosted in ahead[:LOOKS_AHEAD]:
            await hosted.look_ahead()
        now = loop.time()
        for hosted in (await _those(list(host.runs.values()), lambda each: each.may_doze(now)))[:DOZES]:
            await host.doze(hosted)
        now = loop.time()
        await in_slices(_each(list(host.runs.values()), lambda hosted: hosted.nod(now)))

    def collect(self) -> None:
        """Look for garbage everywhere. With thousands of clusters it takes seconds: it is done when nobody waits."""
        now = time.monotonic()
        quiet = not any(hosted.watched for hosted in self._host.runs.values())
        if now - self.collected_at > (COLLECT_SECONDS if quiet else COLLECT_LATEST):
            self.collected_at = now
            gc.collect()
            if quiet:
                give_back()

    async def _purge(self) -> None:
        """Once an hour one of the hosts forgets what nobody will come back to."""
        await asyncio.sleep(PURGE_SECONDS * (0.05 + secrets.randbelow(100) / 1000))
        if await self._host.in_thread(registry.claim_purge, PURGE_SECONDS):
            purged = await self._host.in_thread(services.purge, settings.RETENTION_DAYS)
            logger.info("purged %d guests and %d journal entries", purged.guests, purged.entries)


def _each(runs: Sequence[HostedRun], does: Callable[[HostedRun], None]) -> Iterator[None]:
    for run in runs:
        does(run)
        yield


async def _those(runs: Sequence[R], holds: Callable[[R], bool]) -> list[R]:
    """The runs of which it holds."""
    return [each for each, yes in await in_slices((each, holds(each)) for each in runs) if yes]


async def _forever(step: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Upkeep goes on whatever happens in one round: without it the host would lose its runs in silence."""
    while True:
        try:
            await step()
        except Exception:
            logger.exception("a round of upkeep failed")
            await asyncio.sleep(1)


def _register_again(held: list[tuple[uuid.UUID, Location]]) -> set[uuid.UUID]:
    """Tell a Redis that forgot everything; returns the runs that are another host's."""
    seconds = settings.HOST_LEASE_SECONDS
    return {run_id for run_id, location in held if not registry.register(run_id, location, seconds)}


def _lost(held: list[tuple[uuid.UUID, int]]) -> set[uuid.UUID]:
    """Which of these runs another host has taken over, or are over. Without an answer: all, for none can be trusted."""
    close_old_connections()
    try:
        current = dict(Run.objects.live().filter(pk__in=[run for run, _ in held]).values_list("pk", "epoch"))
        return {run for run, epoch in held if current.get(run) != epoch}
    except DatabaseError as error:
        logger.warning("whose the runs are cannot be told: %s", error)
        return {run for run, _ in held}
    finally:
        close_old_connections()


def note_activity(active: list[Seen]) -> None:
    """Note who is used, and how far their time has come."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    # In so many words: each learner's command beside it waits for what is put together here (`journal._insert`).
    rows = [
        (now, seen.reached_us, round(seen.pace * 100), journal.adapted(seen.run_id), seen.epoch)
        # In the order in which the journal is written, too: see `writer`.
        for seen in sorted(active, key=lambda seen: seen.run_id)
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {Run._meta.db_table} SET last_active = %s, reached_us = %s, pace = %s"
            " WHERE id = %s AND epoch = %s",
            rows,
        )


def find(users: set[int], held: dict[uuid.UUID, int]) -> Found:
    """What is over, and what the users keep."""
    close_old_connections()
    try:
        current = dict(Run.objects.live().filter(pk__in=list(held)).values_list("pk", "epoch"))
        over = {run_id for run_id, epoch in held.items() if current.get(run_id) != epoch}
        kept = Run.objects.filter(user__in=users).values("user").order_by()
        sums = kept.annotate(total=Sum("kept_bytes")).values_list("user", "total")
        return Found(over, dict(sums))
    finally:
        close_old_connections()
