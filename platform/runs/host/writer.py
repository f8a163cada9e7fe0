"""Group commit: the journal entries of all runs of a host go to the database in shared transactions.

A commit costs far more than a row, so whatever has gathered while the last commit was under way is written
in the next one. Each run's entries sit in a savepoint of their own: a run that has been fenced fails alone.

What else a host writes (keyframes, upkeep) takes turns with that: SQLite knows one writer at a time, and has the
other one wait asleep, for longer than it takes.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import DatabaseError, close_old_connections, connection, transaction

from runs import journal

logger = logging.getLogger(__name__)

T = TypeVar("T")

BATCH = 128
QUEUE = 10_000


class JournalUnavailableError(Exception):
    """The database did not take the entries; nobody can tell whether it kept them."""


@dataclass(slots=True)
class _Order:
    run_id: uuid.UUID
    epoch: int
    records: list[journal.Record]
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


class JournalWriter:
    """One thread with one database connection, and one for what nobody waits for."""

    def __init__(self) -> None:
        self._queue: queue.Queue[_Order | None] = queue.Queue(QUEUE)
        self._thread = threading.Thread(target=self._work, name="journal-writer", daemon=True)
        self._errands = ThreadPoolExecutor(1, thread_name_prefix="journal-errands")
        self._writing = threading.Lock()
        self._connection: Any = None

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, then end."""
        self._queue.put(None)
        self._thread.join(timeout=10)
        self._errands.shutdown(wait=False, cancel_futures=True)

    async def write(self, run_id: uuid.UUID, epoch: int, records: list[journal.Record]) -> None:
        """Returns when the records are committed.

        Raises `FencedError`, or `JournalUnavailableError` when the database fails or the queue is full.
        """
        loop = asyncio.get_running_loop()
        order = _Order(run_id, epoch, records, loop, loop.create_future())
        try:
            self._queue.put_nowait(order)
        except queue.Full:
            raise JournalUnavailableError("too many writes are waiting for the database") from None
        await order.done

    async def do(self, fn: Callable[..., T], *args: Any) -> T:
        """What ``fn(*args)`` returns or raises: it writes what nobody waits for, one at a time."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._errands, self._in_turn, fn, *args)

    def _in_turn(self, fn: Callable[..., T], *args: Any) -> T:
        close_old_connections()
        with self._writing:
            return fn(*args)

    def _leave_checkpoints(self) -> None:
        """What is committed here is brought from SQLite's log into its file by `checkpoint`: each thousandth page would
        have a commit do that, and whoever waits for it."""
        connection.ensure_connection()
        if connection.vendor == "sqlite" and connection.connection is not self._connection:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_autocheckpoint = 0")
            self._connection = connection.connection

    def _work(self) -> None:
        while True:
            order = self._queue.get()
            if order is None:
                break
            batch, last = [order], False
            while len(batch) < BATCH:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                    break
                batch.append(following)
            with self._writing:
                self._commit(batch)
            if last:
                break
        connection.close()

    def _commit(self, batch: list[_Order]) -> None:
        close_old_connections()
        fenced: dict[tuple[uuid.UUID, int], journal.FencedError] = {}
        try:
            self._leave_checkpoints()
            with transaction.atomic():
                for (run_id, epoch), records in _by_owner(batch).items():
                    try:
                        journal.write(run_id, epoch, records)
                    except journal.FencedError as error:
                        fenced[run_id, epoch] = error
        except DatabaseError as error:
            logger.exception("the journal could not be written")
            connection.close()
            failure = JournalUnavailableError(str(error))
            for order in batch:
                order.settle(failure)
            return
        for order in batch:
            order.settle(fenced.get((order.run_id, order.epoch)))


def checkpoint() -> None:
    """Bring what was committed from SQLite's log into its file, beside whoever reads or writes."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _by_owner(batch: list[_Order]) -> dict[tuple[uuid.UUID, int], list[journal.Record]]:
    """In the order of the runs' numbers: who holds several rows takes them so, or two wait for each other."""
    grouped: dict[tuple[uuid.UUID, int], list[journal.Record]] = defaultdict(list)
    for order in sorted(batch, key=lambda order: order.run_id):
        grouped[order.run_id, order.epoch].extend(order.records)
    return grouped
