"""The steps of a run's lab: each begins when all checks of those before it pass; one can go back to where it began."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _

from labs.kit.lab import Step
from runs import lineage


def begun(steps: Sequence[Step], passed: Collection[str]) -> list[str]:
    """The ids of those that have begun when these checks pass."""
    found: list[str] = []
    for step in steps:
        found.append(step.id)
        if not all(check in passed for check in step.checks):
            break
    return found


def known(run_id: uuid.UUID) -> set[str]:
    """Those whose beginning is kept on the present way."""
    frames = lineage.keyframes(run_id).exclude(steps=[]).values_list("steps", flat=True)
    return {step for steps in frames for step in steps}


def name_of(steps: Sequence[Step], step: str) -> str:
    """What the branch is called that goes on from the beginning of a step; "" of one that there is not."""
    number = next((place for place, each in enumerate(steps, start=1) if each.id == step), None)
    return "" if number is None else _("Step %(number)d again") % {"number": number}
