"""Group commit: the journal entries of all runs of a host go to the database in shared transactions.

A commit costs far more than a row, so whatever has gathered while the last commit was under way is written
in the next one. Each run's entries sit in a savepoint of their own: a run that has been fenced fails alone.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass

from django.db import DatabaseError, close_old_connections, connection, transaction

from runs import journal

logger = logging.getLogger(__name__)

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
    """One thread with one database connection."""

    def __init__(self) -> None:
        self._queue: queue.Queue[_Order | None] = queue.Queue(QUEUE)
        self._thread = threading.Thread(target=self._work, name="journal-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, then end."""
        self._queue.put(None)
        self._thread.join(timeout=10)

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
            self._commit(batch)
            if last:
                break
        connection.close()

    def _commit(self, batch: list[_Order]) -> None:
        close_old_connections()
        fenced: dict[tuple[uuid.UUID, int], journal.FencedError] = {}
        try:
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


def _by_owner(batch: list[_Order]) -> dict[tuple[uuid.UUID, int], list[journal.Record]]:
    """In the order of the runs' numbers: who holds several rows takes them so, or two wait for each other."""
    grouped: dict[tuple[uuid.UUID, int], list[journal.Record]] = defaultdict(list)
    for order in sorted(batch, key=lambda order: order.run_id):
        grouped[order.run_id, order.epoch].extend(order.records)
    return grouped
