"""The journal in the database: taking a run over, reading it, writing it.

Ownership: a host takes a run by raising its epoch by one. Every write names the epoch it was made under, in a
transaction that holds the run's row: if the epoch has moved on, or the place in the history is taken, the
writer is *fenced* and must drop its engine.
"""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Length
from django.utils import timezone

from runs import lineage, states
from runs.models import Branch, JournalEntry, Keyframe, Run

#: Kinds of entries that are not the engine's own.
HEADER, FILE = "header", "file"
#: The engine's own kind that says how far time had come: the last thing that is noted of a run that falls asleep.
CLOCK = "clock"
#: What a learner did: what one looks for first in the past.
MARKED = ("request", "wire", "node/power", "node/partition", "container/kill", "registry/fail")
#: Seconds that may pass from what is noted to the moment that is noted with it, on a busy machine.
NOTING_SECONDS = 5.0
#: What an entry takes beside its payload.
ROW_BYTES = 100


class FencedError(Exception):
    """Another host owns the run by now, or the run is over."""


class JournalFullError(Exception):
    """The run has reached the limit of entries, or its owner that of bytes."""


class NotKeptError(DatabaseError):
    """The database failed, and has kept nothing of the transaction for certain."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry on its way into or out of the table."""

    seq: int
    at_us: int
    kind: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """A keyframe: the cluster's state after the entry `seq`, and what was changed of the files until then."""

    seq: int
    at_us: int
    """Its virtual time; 0: it is not known."""
    data: bytes
    files: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a run: all that was to happen until a virtual time (µs) has happened; or right after an entry."""

    at_us: int = 0
    entry: int = 0
    """As the engine counts; 0: the time says it."""


@dataclass(frozen=True, slots=True)
class History:
    """What a host needs to have a run again: its header, its keyframe, and the entries that came after."""

    header: Record | None
    frame: Frame | None
    records: list[Record]
    next_seq: int


def take_over(run_id: uuid.UUID) -> Run:
    """Become the owner of a live run and begin to build it: raises its epoch, returns the run as it is now."""
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id, state__in=states.LIVE).first()
        if run is None:
            raise FencedError(f"run {run_id} is not live")
        # Counted before the build: one that takes its worker down with it must not be begun for ever.
        Run.objects.filter(pk=run_id).update(epoch=F("epoch") + 1, builds=F("builds") + 1)
        run.epoch += 1
        run.builds += 1
    return run


def read(run_id: uuid.UUID, whole: bool = False) -> History:
    """The run's history; `whole`: all of its entries, as if there were no keyframe."""
    rows = lineage.entries(run_id)
    header = _record(rows.values_list("seq", "at_us", "kind", "payload").first())
    if header is None:
        return History(None, None, [], 0)
    frame = None if whole else _frame(lineage.keyframes(run_id).last())
    later = rows.filter(seq__gt=header.seq if frame is None else frame.seq)
    last = rows.aggregate(last=Max("seq"))["last"]
    return History(header, frame, records(later), last + 1)


def read_until(run_id: uuid.UUID, moment: Moment, whole: bool = False) -> History:
    """What it takes to have the run as it was at that moment. Raises LookupError for an entry that there is not."""
    rows = lineage.entries(run_id)
    header = _record(rows.values_list("seq", "at_us", "kind", "payload").first())
    if header is None:
        return History(None, None, [], 0)
    at_us, frames = moment.at_us, lineage.keyframes(run_id).reverse()
    if moment.entry:
        last = header.seq + moment.entry
        found_at = rows.filter(seq=last).values_list("at_us", flat=True).first()
        if found_at is None:
            raise LookupError(moment.entry)
        at_us = found_at
        # A keyframe of the entry itself may have gone on.
        frames, rows = frames.filter(seq__lt=last), rows.filter(seq__lte=last)
    frame = None if whole else _frame(frames.filter(at_us__lte=at_us).first())
    later = rows.filter(at_us__lte=at_us, seq__gt=header.seq if frame is None else frame.seq)
    found = records(later)
    return History(header, frame, found, found[-1].seq + 1 if found else header.seq + 1)


def marks(run_id: uuid.UUID, before_us: int, most: int) -> list[Record]:
    """The last entries before a virtual time that did something to the cluster, oldest first.

    Their `seq` is as the engine counts.
    """
    rows = lineage.entries(run_id).filter(at_us__lt=before_us)
    base = rows.values_list("seq", flat=True).first() or 0
    found = rows.filter(kind__in=MARKED).order_by("-seq")
    last = found.values_list("seq", "at_us", "kind", "payload")[:most]
    return [Record(seq - base, at, kind, json.loads(payload)) for seq, at, kind, payload in reversed(last)]


def begin(run_id: uuid.UUID) -> int | None:
    """The virtual time of the run's first entry, µs; None: it has none."""
    rows = lineage.entries(run_id).exclude(kind=HEADER)
    return rows.values_list("at_us", flat=True).first()


def records(rows: QuerySet[JournalEntry]) -> list[Record]:
    """The entries as records."""
    found = rows.values_list("seq", "at_us", "kind", "payload").iterator()
    return [Record(seq, at, kind, json.loads(payload)) for seq, at, kind, payload in found]


def _record(row: tuple[int, int, str, str] | None) -> Record | None:
    return None if row is None else Record(row[0], row[1], row[2], json.loads(row[3]))


def _frame(kept: Keyframe | None) -> Frame | None:
    if kept is None:
        return None
    return Frame(kept.seq, kept.at_us or 0, bytes(kept.data), unpacked_files(kept.files))


def unpacked_files(packed: bytes | memoryview) -> dict[str, Any]:
    """What a keyframe keeps of the files, as `with_changes`."""
    return dict(json.loads(zlib.decompress(bytes(packed)))) if packed else {}


def with_changes(files: dict[str, Any], records: Iterable[Record]) -> dict[str, Any]:
    """Path → content, None where a file is gone: what the records changed, over what was changed before."""
    noted = (record.payload for record in records if record.kind == FILE)
    return {**files, **{str(payload["path"]): payload.get("content") for payload in noted}}


def may_have_reached(run: Run) -> int:
    """The virtual time (µs) that clients have seen at most: it goes on as the wall's does while the run is awake."""
    last = lineage.entries(run.pk).last()
    if last is None or (last.kind == CLOCK and run.reached_us <= last.at_us):
        # It was put to sleep; what the janitor had seen before that may have been noted after it.
        return run.reached_us
    noted, at = last.written, last.at_us
    if run.reached_us and run.last_active > noted:
        noted, at = run.last_active, run.reached_us
    now = timezone.now()
    since = max(0.0, (now - noted).total_seconds()) + NOTING_SECONDS
    goal, wall = at + round(since * 1_000_000 * run.speed), round(now.timestamp() * 1_000_000)
    # One that keeps the wall's time does not get ahead of it.
    return min(goal, wall) if at <= wall else goal


def count(run_id: uuid.UUID) -> int:
    """How many entries there are."""
    return JournalEntry.objects.filter(run_id=run_id).count()


@dataclass(frozen=True, slots=True)
class Lot:
    """Entries of one run that are to be written under one epoch."""

    run_id: uuid.UUID
    epoch: int
    records: Sequence[Record]
    branch: int | None = None
    """That is present during the epoch; None: it is looked up."""

    @property
    def owner(self) -> tuple[uuid.UUID, int]:
        """Under which epoch of which run."""
        return self.run_id, self.epoch


def write(run_id: uuid.UUID, epoch: int, records: Sequence[Record]) -> None:
    """Commit entries written under `epoch`, to the present branch, or raise `FencedError`.

    Nests in an outer transaction.
    """
    _write_alone(Lot(run_id, epoch, records))


def _write_alone(lot: Lot) -> None:
    try:
        with transaction.atomic():
            _insert(_rows(lot))
    except IntegrityError as error:
        raise FencedError(f"run {lot.run_id}: its history goes on elsewhere") from error


Fenced = dict[tuple[uuid.UUID, int], FencedError]
"""Owners whose lots were not written."""


def write_together(lots: Sequence[Lot]) -> Fenced:
    """Commit lots of several owners, in the order of the runs' numbers; those that are fenced fail alone.

    Raises `NotKeptError`, or another DatabaseError where nobody can tell whether they were kept.
    """
    fenced: Fenced = {}
    try:
        with _whole():
            _insert(_gathered(lots, fenced))
    except IntegrityError:
        # Of one of them a place in the history is taken: which, is found out one by one.
        with _whole():
            for lot in lots:
                try:
                    _write_alone(lot)
                except FencedError as error:
                    fenced[lot.owner] = error
    return fenced


@contextmanager
def _whole() -> Iterator[None]:
    """A transaction. What fails in it before its commit is asked for has left nothing behind."""
    asked = False
    try:
        with transaction.atomic():
            yield
            asked = True
    except IntegrityError:
        raise
    except DatabaseError as error:
        if asked and not _said_no(error):
            raise
        raise NotKeptError(str(error)) from error


REFUSALS = ("SQLITE_FULL", "SQLITE_BUSY", "SQLITE_READONLY")
"""How SQLite says that a commit was not made; after any other error of its own nobody can tell."""
GOING = ("08", "57P", "40003", "XX")
"""How the SQLSTATEs begin with which PostgreSQL does not say what became of a commit: it loses the line, or goes."""


def _said_no(error: DatabaseError) -> bool:
    """Whether the database itself refused the commit."""
    state = getattr(error.__cause__, "sqlstate", None)
    if state:
        return not state.startswith(GOING)
    return getattr(error.__cause__, "sqlite_errorname", "") in REFUSALS


def _gathered(lots: Sequence[Lot], fenced: Fenced) -> list[_Row]:
    rows: list[_Row] = []
    for lot in lots:
        try:
            rows += _rows(lot)
        except FencedError as error:
            fenced[lot.owner] = error
    return rows


_Row = tuple[Any, ...]
"""The values of COLUMNS, as the database takes them."""

COLUMNS = ("run_id", "branch", "epoch", "seq", "at_us", "kind", "payload", "written")


def _rows(lot: Lot) -> list[_Row]:
    """The lot as rows that are not saved yet; its run's row is held. Raises `FencedError`."""
    texts = [json.dumps(record.payload) for record in lot.records]
    own(lot.run_id, lot.epoch, sum(map(len, texts)) + ROW_BYTES * len(texts))
    branch = branch_of(lot.run_id) if lot.branch is None else lot.branch
    run_id = adapted(lot.run_id)
    written = connection.ops.adapt_datetimefield_value(timezone.now())
    return [
        (run_id, branch, lot.epoch, record.seq, record.at_us, record.kind, text, written)
        for record, text in zip(lot.records, texts, strict=True)
    ]


def _insert(rows: list[_Row]) -> None:
    # In so many words: to have them put together each time takes longer than the database does, and each learner's
    # command waits for it.
    if rows:
        places = ", ".join(["%s"] * len(COLUMNS))
        with connection.cursor() as cursor:
            table = JournalEntry._meta.db_table
            cursor.executemany(f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES ({places})", rows)


def adapted(run_id: uuid.UUID) -> Any:
    """A run's number as the database takes it."""
    return Run._meta.pk.get_db_prep_value(run_id, connection)


def amend(run_id: uuid.UUID, epoch: int, record: Record) -> None:
    """Put a smaller entry into the place of the one of its number. Raises `FencedError`."""
    text = json.dumps(record.payload)
    with transaction.atomic():
        row = JournalEntry.objects.filter(run_id=run_id, epoch=epoch, seq=record.seq)
        was = row.annotate(size=Length("payload")).values_list("size", flat=True).first()
        if was is not None:
            own(run_id, epoch, len(text) - was)
            row.update(kind=record.kind, payload=text)


def own(run_id: uuid.UUID, epoch: int, more_bytes: int) -> None:
    """Hold the run's row until the transaction ends, and count what it keeps. Raises `FencedError`."""
    live = ", ".join(["%s"] * len(states.LIVE))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Run._meta.db_table} SET kept_bytes = kept_bytes + %s"
            f" WHERE id = %s AND epoch = %s AND state IN ({live})",
            [more_bytes, adapted(run_id), epoch, *states.LIVE],
        )
        if not cursor.rowcount:
            raise FencedError(f"run {run_id}: epoch {epoch} is over")


def branch_of(run_id: uuid.UUID) -> int:
    """The number of the run's present branch; it stays while the epoch does. Raises `FencedError`."""
    found = Run.objects.filter(pk=run_id).values_list("branch", flat=True).first()
    if found is None:
        raise FencedError(f"run {run_id} is gone")
    return found


def begin_anew(run: Run) -> None:
    """An empty history: fences the present host and forgets what was. In a transaction with the move."""
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(epoch=F("epoch") + 1, branch=0)
        run.refresh_from_db(fields=["epoch", "branch"])
        forget(run.pk)


def forget(run_id: uuid.UUID) -> int:
    """Delete the run's journal and keyframe; returns the number of entries. Not for a run that a host may hold."""
    with transaction.atomic():
        entries, _ = JournalEntry.objects.filter(run_id=run_id).delete()
        Keyframe.objects.filter(run_id=run_id).delete()
        Branch.objects.filter(run_id=run_id).delete()
        Run.objects.filter(pk=run_id).update(kept_bytes=0, branch=0)
    return entries
