"""The way of a branch: its own entries and keyframes, and those that it shares with the branches it left."""

from __future__ import annotations

import uuid
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from runs.models import Branch, JournalEntry, Keyframe, Run


def entries(run_id: uuid.UUID, branch: int | None = None) -> QuerySet[JournalEntry]:
    """The journal of a branch (None: of the present one) from the run's beginning, in its order."""
    ways = [
        Q(branch=number) if left is None else Q(branch=number, seq__lte=left.seq)
        for number, left in _ways(run_id, branch)
    ]
    return JournalEntry.objects.filter(reduce(or_, ways), run_id=run_id).order_by("seq")


def keyframes(run_id: uuid.UUID, branch: int | None = None) -> QuerySet[Keyframe]:
    """The keyframes on the way of a branch (None: of the present one), in its order."""
    ways = [
        # One that was kept after the last entry that is shared may have gone on further than where the way left.
        Q(branch=number) if left is None else Q(branch=number, seq__lte=left.seq, at_us__lte=left.at_us)
        for number, left in _ways(run_id, branch)
    ]
    return Keyframe.objects.filter(reduce(or_, ways), run_id=run_id).order_by("seq")


def _ways(run_id: uuid.UUID, branch: int | None) -> list[tuple[int, Branch | None]]:
    """The branch and those that it comes from, each with the branch by which its way was left."""
    if branch is None:
        branch = Run.objects.filter(pk=run_id).values_list("branch", flat=True).first()
    found: list[tuple[int, Branch | None]] = [(branch or 0, None)]
    if branch:
        known = {each.number: each for each in Branch.objects.filter(run_id=run_id)}
        while (left := known[found[-1][0]]).parent is not None:
            found.append((left.parent, left))
    return found
