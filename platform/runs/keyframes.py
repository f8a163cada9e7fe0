"""The keyframes in the database: how one is kept, and which of the older ones stay (`journal` reads them).

What it takes is read and worked out first; the transaction that holds the run's row, for which others wait, then
writes alone. Nobody else writes keyframes of the run's epoch meanwhile: its host keeps one after the other.
"""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum

from runs import journal, lineage
from runs.models import Keyframe

#: Keyframes of one run that are kept, and their bytes together; beyond them those go that are missed least.
KEYFRAMES_KEPT, KEYFRAMES_BYTES = 96, 10_000_000


@dataclass(frozen=True, slots=True)
class State:
    """A cluster's state after an entry of its run's journal."""

    seq: int
    data: bytes
    at_us: int | None = None
    """Its virtual time."""
    cost_us: int = 0
    """What was computed since the keyframe before, µs."""
    steps: Sequence[str] = ()
    """Those of the lab that begin with it."""


@dataclass(slots=True)
class _Kept:
    """What is known of a keyframe without its data."""

    pk: int | None
    cost_us: int
    size: int
    steps: list[str]
    seq: int


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is to be written so that a state is kept."""

    row: Keyframe
    more_bytes: int
    gone: list[int]
    """Keys of keyframes that are forgotten for it."""
    costs: dict[int, int]
    """Key → cost of those that follow them: what was computed before those that go is theirs now."""


def keep(run_id: uuid.UUID, epoch: int, state: State) -> None:
    """Keep the state, with the files of then. One that is older than the last one is let go. Raises `FencedError`."""
    if (keeping := plan(run_id, state)) is not None:
        carry_out(keeping, epoch)


def plan(run_id: uuid.UUID, state: State, pause: Callable[[], None] = lambda: None) -> Keeping | None:
    """What keeping the state takes; None: it is older than the last one. Raises `FencedError` where the run is gone.

    `pause` is called between two of its steps, of a millisecond or two each.
    """
    branch = journal.branch_of(run_id)
    last = lineage.keyframes(run_id, branch).values_list("seq", "files").last()
    if last is not None and last[0] > state.seq:
        return None
    pause()
    files = zlib.compress(json.dumps(_files(run_id, branch, state.seq, last)).encode("ascii"))
    pause()
    run = Keyframe.objects.filter(run_id=run_id)
    known = run.filter(branch=branch).order_by("seq").values_list("pk", "cost_us", "size", "steps", "seq")
    own = [_Kept(*each) for each in known]
    pause()
    elsewhere = run.exclude(branch=branch).aggregate(count=Count("pk"), size=Sum("size"))
    pause()
    # It takes the place of one that was kept after the same entry.
    same = [own.pop()] if own and own[-1].seq == state.seq else []
    steps = [step for each in same for step in each.steps] + [*state.steps]
    new = _Kept(None, state.cost_us, len(state.data) + len(files), steps, state.seq)
    gone, heirs = _thin([*own, new], elsewhere["count"], elsewhere["size"] or 0)
    row = Keyframe(
        run_id=run_id, branch=branch, seq=state.seq, data=state.data, files=files, at_us=state.at_us,
        cost_us=new.cost_us, steps=steps, size=new.size,
    )  # fmt: skip
    return Keeping(
        row,
        more_bytes=new.size - sum(each.size for each in [*same, *gone]),
        gone=[each.pk for each in gone if each.pk is not None],
        costs={each.pk: each.cost_us for each in heirs if each.pk is not None},
    )


def carry_out(keeping: Keeping, epoch: int) -> None:
    """Write it. Raises `FencedError`."""
    row = keeping.row
    with transaction.atomic():
        journal.own(row.run_id, epoch, keeping.more_bytes)
        Keyframe.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["run", "branch", "seq"],
            update_fields=["data", "files", "at_us", "cost_us", "steps", "size", "written"],
        )
        if keeping.gone:
            Keyframe.objects.filter(pk__in=keeping.gone).delete()
        for pk, cost in keeping.costs.items():
            Keyframe.objects.filter(pk=pk).update(cost_us=cost)


def _files(
    run_id: uuid.UUID, branch: int, seq: int, last: tuple[int, bytes | memoryview] | None
) -> dict[str, Any]:
    """What was changed of the files until that entry: `last` says how it was after another one."""
    rows = lineage.entries(run_id, branch).filter(kind=journal.FILE, seq__lte=seq)
    if last is None:
        return journal.with_changes({}, journal.records(rows))
    return journal.with_changes(
        journal.unpacked_files(last[1]), journal.records(rows.filter(seq__gt=last[0]))
    )


def _thin(kept: list[_Kept], others: int, others_bytes: int) -> tuple[list[_Kept], list[_Kept]]:
    """Which of a branch's keyframes go, where the run keeps too many or too large ones, and who follows them."""
    gone: list[_Kept] = []
    heirs: list[_Kept] = []
    while (
        others + len(kept) > KEYFRAMES_KEPT
        or others_bytes + sum(each.size for each in kept) > KEYFRAMES_BYTES
    ):
        stay = {place for place, each in enumerate(kept) if each.steps}
        place = missed_least([each.cost_us for each in kept], stay)
        if place is None:
            break
        gone.append(kept.pop(place))
        kept[place].cost_us += gone[-1].cost_us
        heirs.append(kept[place])
    return gone, [each for each in heirs if each not in gone]


def missed_least(costs: Sequence[int], stay: Container[int] = ()) -> int | None:
    """Which of the keyframes can go: without it, least is computed to get to a moment after it. None where none can.

    `costs`: of each, what it takes from the one before to it. Never the first, with which a later engine begins, nor
    the last, from which the run goes on, nor those of `stay`, to which one goes back by name.
    """
    places = [place for place in range(1, len(costs) - 1) if place not in stay]
    return min(places, key=lambda place: costs[place] + costs[place + 1], default=None)
