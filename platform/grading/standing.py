"""How a run stands: the last result of its checks with its time, kept until the lab is reset."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone
from runs import states
from runs.journal import FencedError
from runs.models import Run

from grading.models import Standing
from grading.reports import record_check


@transaction.atomic
def record(run_id: uuid.UUID, epoch: int, report: dict[str, Any], asked: bool) -> dict[str, Any]:
    """Keep a report (`labs.kit.runner.Report.as_data`); returns it with `at`, its time in ISO 8601, and `asked`.

    What was asked for is an attempt; so is the first pass that is found without being asked. Raises `FencedError` when
    the run has another owner by now, or is over.
    """
    run = Run.objects.live().filter(pk=run_id, epoch=epoch).first()
    if run is None:
        raise FencedError(f"run {run_id} is no longer this host's to grade")
    now = timezone.now()
    known = of_run(run)
    ever_asked = asked or (known is not None and known.asked)
    Standing.objects.update_or_create(
        run=run,
        defaults={
            "history": run.start,
            "score": report["score"],
            "max_score": report["max_score"],
            "passed": report["passed"],
            "asked": ever_asked,
            "checks": report["checks"],
            "at": now,
        },
    )
    if asked or (report["passed"] and run.state != states.PASSED):
        record_check(run, report)
    return {**report, "at": now.isoformat(), "asked": ever_asked}


def of_run(run: Run) -> Standing | None:
    """How the run stands; None when it was not graded since its beginning (or since its last reset)."""
    return Standing.objects.filter(run=run, history=run.start).first()
