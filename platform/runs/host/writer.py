"""Group commit: the journal entries of all runs of a host go to the database in shared transactions.

A commit costs far more than a row, so what has gathered while the last commit was under way is written in the next
one; a run that has been fenced fails alone. Runs take turns (`Turns`): one that writes without end, or much at once,
has the others wait for one commit of its own at most.

What else a host writes (keyframes, upkeep) takes turns with that: SQLite knows one writer at a time, and has the
other one wait asleep, for longer than it takes. It comes after the entries that wait.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.db import DatabaseError, close_old_connections, connection

from runs import journal, keyframes
from runs.host.computing import COMPUTING

logger = logging.getLogger(__name__)

T = TypeVar("T")

BATCH = 128
"""Orders in one commit at most."""
BATCH_BYTES = 64 * 1024
"""Of their entries; one that is larger is committed by itself."""
QUEUE = 10_000
"""Orders that wait at most."""
ERRAND_SECONDS = 0.2
"""That an errand lets entries go first at most."""


class JournalUnavailableError(Exception):
    """The database did not take the entries; nobody can tell whether it kept them."""


class JournalRefusedError(JournalUnavailableError):
    """The database did not take the entries, and kept nothing of them for certain: the run goes on without them."""


@dataclass(slots=True)
class _Order:
    lot: journal.Lot
    size: int
    """Bytes, about."""
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]

    def settle(self, error: BaseException | None) -> None:
        """Tell the waiting coroutine, in its own loop."""
        self.loop.call_soon_threadsafe(self._settle, error)

    def _settle(self, error: BaseException | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class Turns:
    """Orders that wait. Of each run the oldest comes first, and one whose orders are carried out comes after those who
    came meanwhile."""

    def __init__(self) -> None:
        self._of: dict[uuid.UUID, deque[_Order]] = {}
        self._turns: deque[uuid.UUID] = deque()
        self._had_one: deque[uuid.UUID] = deque()
        self.count = 0

    def add(self, order: _Order) -> None:
        """Raises `JournalRefusedError` where too many wait."""
        if self.count >= QUEUE:
            raise JournalRefusedError("too many writes are waiting for the database")
        run = order.lot.run_id
        if run not in self._of:
            self._of[run] = deque()
            self._turns.append(run)
        self._of[run].append(order)
        self.count += 1

    def take(self) -> list[_Order]:
        """What is carried out next, together."""
        self._turns.extend(self._had_one)
        self._had_one.clear()
        batch: list[_Order] = []
        size = 0
        while self.count and len(batch) < BATCH:
            turns = self._turns or self._had_one
            waiting = self._of[turns[0]]
            size += waiting[0].size
            if batch and size > BATCH_BYTES:
                break
            run = turns.popleft()
            batch.append(waiting.popleft())
            self.count -= 1
            if waiting:
                self._had_one.append(run)
            else:
                del self._of[run]
        return batch


class JournalWriter:
    """One thread with one database connection, and one for what nobody waits for."""

    def __init__(self) -> None:
        self._turns = Turns()
        lock = threading.Lock()
        self._more, self._none = threading.Condition(lock), threading.Condition(lock)
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="journal-writer", daemon=True)
        self._errands = ThreadPoolExecutor(1, thread_name_prefix="journal-errands")
        self._writing = threading.Lock()
        self._known = threading.local()

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, then end."""
        with self._more:
            self._closing = True
            self._more.notify()
        self._thread.join(timeout=10)
        self._errands.shutdown(wait=False, cancel_futures=True)

    async def write(self, lot: journal.Lot, size: int = 0) -> None:
        """Returns when its records are committed; they take about so many bytes.

        Raises `FencedError`; `JournalUnavailableError` when the database fails; and `JournalRefusedError` when it has
        kept nothing for certain, or the queue is full.
        """
        loop = asyncio.get_running_loop()
        order = _Order(lot, size, loop, loop.create_future())
        with self._more:
            self._turns.add(order)
            self._more.notify()
        await order.done

    async def do(self, fn: Callable[..., T], *args: Any) -> T:
        """What ``fn(*args)`` returns or raises: it writes what nobody waits for, one at a time."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._errands, self._in_turn, fn, *args)

    async def keep(self, run_id: uuid.UUID, epoch: int, state: keyframes.State) -> None:
        """Keep a keyframe (`keyframes.keep`): nobody waits while it is found out what that takes."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._errands, self._keep, run_id, epoch, state)

    def _keep(self, run_id: uuid.UUID, epoch: int, state: keyframes.State) -> None:
        self._connect()
        with COMPUTING:
            keeping = keyframes.plan(run_id, state, COMPUTING.breathe)
        if keeping is not None:
            with self._turn():
                keyframes.carry_out(keeping, epoch)

    def _in_turn(self, fn: Callable[..., T], *args: Any) -> T:
        self._connect()
        with self._turn():
            return fn(*args)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._none:
            self._none.wait_for(lambda: not self._turns.count, ERRAND_SECONDS)
        with self._writing:
            yield

    def _connect(self) -> None:
        """What is committed here is brought from SQLite's log into its file by `checkpoint`: each thousandth page would
        have a commit do that, and whoever waits for it."""
        close_old_connections()
        connection.ensure_connection()
        known = getattr(self._known, "connection", None)
        if connection.vendor == "sqlite" and connection.connection is not known:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_autocheckpoint = 0")
            self._known.connection = connection.connection

    def _work(self) -> None:
        while batch := self._next():
            with self._writing:
                self._commit(batch)
        connection.close()

    def _next(self) -> list[_Order]:
        """What is carried out next; nothing: it is over."""
        with self._more:
            self._more.wait_for(lambda: self._turns.count or self._closing)
            batch = self._turns.take()
            if not self._turns.count:
                self._none.notify()
        return batch

    def _commit(self, batch: list[_Order]) -> None:
        begun = False
        try:
            self._connect()
            begun = True
            fenced = journal.write_together(_by_owner([order.lot for order in batch]))
        except DatabaseError as error:
            logger.exception("the journal could not be written")
            connection.close()
            known = not begun or isinstance(error, journal.NotKeptError)
            failure = (JournalRefusedError if known else JournalUnavailableError)(str(error))
            for order in batch:
                order.settle(failure)
            return
        for order in batch:
            order.settle(fenced.get(order.lot.owner))


def checkpoint() -> None:
    """Bring what was committed from SQLite's log into its file, beside whoever reads or writes."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _by_owner(lots: list[journal.Lot]) -> list[journal.Lot]:
    """One lot an owner, in the order of the runs' numbers: who holds several rows takes them so, or two wait for each
    other."""
    grouped: dict[tuple[uuid.UUID, int], list[journal.Lot]] = defaultdict(list)
    for lot in sorted(lots, key=lambda lot: lot.run_id):
        grouped[lot.owner].append(lot)
    return [
        replace(together[0], records=[record for lot in together for record in lot.records])
        for together in grouped.values()
    ]
