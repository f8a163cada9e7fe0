"""The journal in the database: taking a run over, reading it, writing it.

Ownership: a host takes a run by raising its epoch by one. Every write names the epoch it was made under, in a
transaction that holds the run's row: if the epoch has moved on, or the place in the history is taken, the
writer is *fenced* and must drop its engine.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone

from runs import states
from runs.models import JournalEntry, Keyframe, Run

#: Kinds of entries that are not the engine's own.
HEADER, RESET, FILE = "header", "reset", "file"
OURS = frozenset({HEADER, RESET, FILE})


class FencedError(Exception):
    """Another host owns the run by now, or the run is over."""


class JournalFullError(Exception):
    """The run has reached the limit of entries."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry on its way into or out of the table."""

    seq: int
    at_us: int
    kind: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """What a host needs to have a run again: its entries since the last reset."""

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


def read(run_id: uuid.UUID) -> History:
    """The run's history since its last reset."""
    rows = JournalEntry.objects.filter(run_id=run_id)
    last = rows.aggregate(last=Max("seq"))["last"]
    reset = rows.filter(kind=RESET).aggregate(last=Max("seq"))["last"]
    if reset is not None:
        rows = rows.filter(seq__gt=reset)
    found = rows.order_by("seq").values_list("seq", "at_us", "kind", "payload").iterator()
    records = [Record(seq, at_us, kind, json.loads(payload)) for seq, at_us, kind, payload in found]
    return History(records, 0 if last is None else last + 1)


def count(run_id: uuid.UUID) -> int:
    """How many entries there are, those before a reset too."""
    return JournalEntry.objects.filter(run_id=run_id).count()


def write(run_id: uuid.UUID, epoch: int, records: Iterable[Record]) -> None:
    """Commit entries written under `epoch`, or raise `FencedError`. Nests in an outer transaction."""
    rows = [
        JournalEntry(
            run_id=run_id, epoch=epoch, seq=r.seq, at_us=r.at_us, kind=r.kind, payload=json.dumps(r.payload)
        )
        for r in records
    ]
    try:
        with transaction.atomic():
            owner = (
                Run.objects.select_for_update()
                .filter(pk=run_id, epoch=epoch, state__in=states.LIVE)
                .values_list("pk", flat=True)
            )
            if not list(owner):
                raise FencedError(f"run {run_id}: epoch {epoch} is over")
            JournalEntry.objects.bulk_create(rows)
    except IntegrityError as error:
        raise FencedError(f"run {run_id}: its history goes on elsewhere") from error


def keep_keyframe(run_id: uuid.UUID, epoch: int, seq: int, data: bytes) -> None:
    """Keep the cluster's state after the entry `seq`, instead of the one before. Raises `FencedError`."""
    with transaction.atomic():
        owner = Run.objects.select_for_update().filter(pk=run_id, epoch=epoch, state__in=states.LIVE)
        if not list(owner.values_list("pk", flat=True)):
            raise FencedError(f"run {run_id}: epoch {epoch} is over")
        Keyframe.objects.update_or_create(run_id=run_id, defaults={"seq": seq, "data": data})


def keyframe_of(run_id: uuid.UUID, since: int) -> tuple[int, bytes] | None:
    """(seq, data) of the run's keyframe, if it is of the history that began at `since`."""
    found = Keyframe.objects.filter(run_id=run_id, seq__gt=since).values_list("seq", "data").first()
    return (found[0], bytes(found[1])) if found is not None else None


def mark_reset(run: Run) -> None:
    """Start a new history: fences the present host and hides all entries so far. In a transaction with the move."""
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run.pk)
        Run.objects.filter(pk=run.pk).update(epoch=F("epoch") + 1)
        run.refresh_from_db(fields=["epoch"])
        last = JournalEntry.objects.filter(run=run).aggregate(last=Max("seq"))["last"]
        if last is not None:
            JournalEntry.objects.create(
                run=run,
                epoch=run.epoch,
                seq=last + 1,
                at_us=0,
                kind=RESET,
                payload=json.dumps({"wall": timezone.now().isoformat()}),
            )
