"""Branches of a run: going on from a moment of its past, with the way it went kept beside.

A branch is a row that says which one it left, and where; what they share is shared as data. Each call fences the
present host, which lets go; the next one builds the cluster from the way of the branch that is present then. The
learner's files are not part of that: they stay as they are, whichever branch is present.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from django.db import transaction
from django.db.models import F, Max, QuerySet, Sum
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from cluster_engine.sim import rfc3339
from runs import journal, lineage, states
from runs.journal import CLOCK, FILE, MARKED, ROW_BYTES, FencedError, Moment, Record
from runs.models import Branch, JournalEntry, Keyframe, Run

BRANCHES_KEPT = 12
"""Branches of one run."""
NAME_LIMIT = 60
"""Characters of a name."""


class BranchError(Exception):
    """It cannot be done; str() tells the owner why."""


class Told(TypedDict):
    """A branch, as it is listed."""

    number: int
    name: str
    present: bool
    at: str
    """Where it left the one that it comes from; "": it is the first."""
    left: int | None
    """The number of that one."""
    kept_bytes: int
    """Of what it does not share."""


class Begun(TypedDict):
    """A step of the lab that has begun."""

    step: str
    at: str
    """The cluster's time then."""


def steps(run: Run) -> list[Begun]:
    """The steps that one can go back to, each with the beginning that `to_step` takes."""
    return [Begun(step=step, at=rfc3339(frame.at_us or 0)) for step, frame in _begun(run.pk).items()]


def _begun(run_id: uuid.UUID) -> dict[str, Keyframe]:
    """The keyframe with which each step begins: on the present way, or else where it began last."""
    everywhere = Keyframe.objects.filter(run_id=run_id).order_by("written", "seq")
    found: dict[str, Keyframe] = {}
    for frames in (everywhere, lineage.keyframes(run_id)):
        for frame in frames.exclude(steps=[]).defer("data", "files"):
            found |= dict.fromkeys(frame.steps, frame)
    return found


def listed(run: Run) -> list[Told]:
    """The branches that there are, in the order in which they came."""
    present = Run.objects.values_list("branch", flat=True).get(pk=run.pk)
    rows = Branch.objects.filter(run=run, gone=False)
    return [
        Told(
            number=row.number,
            name=row.name,
            present=row.number == present,
            at="" if row.parent is None else rfc3339(row.at_us),
            left=row.parent,
            kept_bytes=_bytes(run.pk, row.number),
        )
        for row in rows
    ]


def branch_off(run_id: uuid.UUID, epoch: int, moment: Moment, name: str = "") -> Branch:
    """Go on from that moment. Raises `BranchError`, `FencedError`."""
    with transaction.atomic():
        run = _held(run_id, epoch)
        rows = lineage.entries(run_id)
        if moment.entry:
            header = rows.values_list("seq", flat=True).first() or 0
            last = rows.filter(seq=header + moment.entry).first()
            return _left(run, last, last.at_us if last is not None else 0, name)
        return _left(run, rows.filter(at_us__lte=moment.at_us).last(), moment.at_us, name)


def undo(run_id: uuid.UUID, epoch: int, name: str = "") -> Branch:
    """Go on from right before what was done last. Raises `BranchError`, `FencedError`."""
    with transaction.atomic():
        run = _held(run_id, epoch)
        rows = lineage.entries(run_id)
        begun = lineage.keyframes(run_id).values_list("seq", flat=True).first() or 0
        done = rows.filter(kind__in=MARKED, seq__gt=begun).last()
        if done is None:
            raise BranchError(_("There is nothing to undo."))
        branch = _left(run, rows.filter(seq__lt=done.seq).last(), done.at_us, name)
        own = JournalEntry.objects.filter(run=run, branch=run.branch, kind__in=MARKED)
        if run.branch and not own.exists():
            # Several undone in a row: what lies between them was never gone on from.
            _forget(run.pk, _known(run.pk, run.branch), branch.number)
        return branch


def to_step(run_id: uuid.UUID, epoch: int, step: str, name: str = "") -> Branch:
    """Go on from where a step of the lab began; what is present now is kept. Raises `BranchError`, `FencedError`."""
    with transaction.atomic():
        run = _held(run_id, epoch)
        frame = _begun(run_id).get(step)
        if frame is None:
            raise BranchError(_("This step has not begun yet: it begins when those before it are done."))
        last = lineage.entries(run_id, frame.branch).filter(seq=frame.seq).first()
        return _left(run, last, frame.at_us or 0, name)


def keep(run_id: uuid.UUID, epoch: int, tail: Sequence[Record], name: str = "") -> Branch:
    """Go on from now by what was lived on a fork: the tail of its journal. Raises `BranchError`, `FencedError`."""
    with transaction.atomic():
        run = _held(run_id, epoch)
        last = lineage.entries(run_id).last()
        if last is None or last.seq + 1 != tail[0].seq:
            raise BranchError(_("The cluster went on meanwhile: try it again."))
        return _left(run, last, last.at_us, name, tail)


def switch(run_id: uuid.UUID, epoch: int, number: int) -> Branch:
    """Go on where that branch was left. Raises `BranchError`, `FencedError`."""
    with transaction.atomic():
        run = _held(run_id, epoch)
        branch = _known(run_id, number)
        if number == run.branch:
            raise BranchError(_("That branch is the present one."))
        last = lineage.entries(run_id, number).last()
        assert last is not None, "a branch begins with what it shares"
        files = _files(lineage.entries(run_id))
        _enter(run, branch, last.seq, last.at_us, _changes(_files(lineage.entries(run_id, number)), files))
        return branch


def rename(run: Run, number: int, name: str) -> None:
    """Raises `BranchError`."""
    branch = _known(run.pk, number)
    branch.name = _named(name) or branch.name
    branch.save(update_fields=["name"])


def delete(run: Run, number: int) -> None:
    """Forget the branch, and what no other shares with it. Raises `BranchError`."""
    with transaction.atomic():
        row = Run.objects.select_for_update().get(pk=run.pk)
        branch = _known(run.pk, number)
        if number == row.branch:
            raise BranchError(_("The present branch cannot be deleted: switch to another one first."))
        _forget(run.pk, branch, row.branch)


def _held(run_id: uuid.UUID, epoch: int) -> Run:
    run = Run.objects.select_for_update().filter(pk=run_id, epoch=epoch, state__in=states.LIVE).first()
    if run is None:
        raise FencedError(f"run {run_id}: epoch {epoch} is over")
    return run


def _known(run_id: uuid.UUID, number: int) -> Branch:
    found = Branch.objects.filter(run_id=run_id, number=number, gone=False).first()
    if found is None:
        raise BranchError(_("There is no branch %(number)d.") % {"number": number})
    return found


def _named(name: str) -> str:
    if len(name) > NAME_LIMIT:
        raise BranchError(_("A branch's name has at most %(most)d characters.") % {"most": NAME_LIMIT})
    return name.strip()


def _left(run: Run, last: JournalEntry | None, at_us: int, name: str, tail: Sequence[Record] = ()) -> Branch:
    """A new branch that shares all up to that entry, and begins at that time; `tail`: what it has lived since."""
    if last is None or last.kind == journal.HEADER:
        raise BranchError(_("The run had not begun then."))
    known = Branch.objects.filter(run=run)
    if known.filter(gone=False).count() >= BRANCHES_KEPT:
        raise BranchError(
            _("This run has %(most)d branches, as many as it may: delete one first.")
            % {"most": BRANCHES_KEPT}
        )
    known.get_or_create(run=run, number=0, defaults={"name": _("First way")})
    number = (known.aggregate(most=Max("number"))["most"] or 0) + 1
    name = _named(name) or _("From %(time)s") % {"time": rfc3339(at_us)[11:19]}
    branch = known.create(run=run, number=number, name=name, parent=last.branch, seq=last.seq, at_us=at_us)
    then = _files(lineage.entries(run.pk, last.branch).filter(seq__lte=last.seq))
    _enter(run, branch, last.seq, at_us, _changes(then, _files(lineage.entries(run.pk))), tail)
    return branch


def _enter(
    run: Run,
    branch: Branch,
    seq: int,
    at_us: int,
    changes: Mapping[str, Any],
    tail: Sequence[Record] = (),
) -> None:
    """The branch is present from now on: the files come along, then the time is noted at which it goes on."""
    if tail:
        seq, at_us = tail[-1].seq, tail[-1].at_us
    Run.objects.filter(pk=run.pk).update(
        branch=branch.number, epoch=F("epoch") + 1, builds=0, report="", reached_us=at_us
    )
    payloads = [(FILE, {"path": path, "content": content}) for path, content in changes.items()]
    noted = [
        Record(seq + place, at_us, kind, payload)
        for place, (kind, payload) in enumerate([*payloads, (CLOCK, {})], start=1)
    ]
    journal.write(run.pk, run.epoch + 1, [*tail, *noted])


def _files(rows: QuerySet[JournalEntry]) -> dict[str, Any]:
    return journal.with_changes({}, journal.records(rows.filter(kind=FILE)))


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What makes the files of then those of now, of which none is unknown: they came along with every branch."""
    return {path: now[path] for path in sorted(now) if path not in then or then[path] != now[path]}


def _forget(run_id: uuid.UUID, branch: Branch, present: int) -> None:
    before = _bytes(run_id, None)
    branch.gone = True
    branch.save(update_fields=["gone"])
    _prune(run_id, branch, present)
    Run.objects.filter(pk=run_id).update(kept_bytes=F("kept_bytes") + _bytes(run_id, None) - before)


def _prune(run_id: uuid.UUID, branch: Branch, present: int) -> None:
    """Of a branch that is gone only what others share stays; and of those it comes from, if they are gone too."""
    while branch.gone and branch.number != present:
        number = branch.number
        shared = Branch.objects.filter(run_id=run_id, parent=number).aggregate(
            seq=Max("seq"), at=Max("at_us")
        )
        rows = JournalEntry.objects.filter(run_id=run_id, branch=number)
        frames = Keyframe.objects.filter(run_id=run_id, branch=number)
        if shared["seq"] is not None:
            rows.filter(seq__gt=shared["seq"]).delete()
            frames.filter(seq__gt=shared["seq"]).delete()
            return
        rows.delete()
        frames.delete()
        branch.delete()
        if branch.parent is None:
            return
        branch = Branch.objects.get(run_id=run_id, number=branch.parent)


def _bytes(run_id: uuid.UUID, number: int | None) -> int:
    """What a branch keeps by itself; None: all of them."""
    which = {} if number is None else {"branch": number}
    entries = JournalEntry.objects.filter(run_id=run_id, **which)
    sums = entries.aggregate(total=Sum(Length("payload") + ROW_BYTES))
    frames = Keyframe.objects.filter(run_id=run_id, **which).aggregate(total=Sum("size"))
    return int(sums["total"] or 0) + int(frames["total"] or 0)
