"""Reports of checks: as stored (texts in every language), as told (in one), as recorded."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.db import transaction
from runs.models import Run, TransitionError
from runs.services import pass_run

from grading.models import Attempt

TEXTS = ("title", "message", "hint")
HINTS = ("hint", "hints")
"""Of a run they are given one at a time (`grading.hints`); older reports carry all of a check's."""
DEFAULT_LANGUAGE = "en"


def text_in(language: str, texts: dict[str, str] | str) -> str:
    """The text in a language, else in English."""
    if isinstance(texts, str):
        return texts
    return texts.get(language) or texts.get(DEFAULT_LANGUAGE, "")


def localize_checks(
    checks: list[dict[str, Any]], language: str, first_hint: bool = False
) -> list[dict[str, Any]]:
    """The checks with plain texts: without hints, or with the first, for what was graded without a run."""
    untold = HINTS[1:] if first_hint else HINTS
    return [
        {
            name: text_in(language, value) if name in TEXTS else value
            for name, value in check.items()
            if name not in untold
        }
        for check in checks
    ]


def localize(report: dict[str, Any], language: str) -> dict[str, Any]:
    """A stored report in one language."""
    return {
        "score": report["score"],
        "max_score": report["max_score"],
        "passed": report["passed"],
        "checks": localize_checks(report["checks"], language),
        **{name: report[name] for name in ("at", "asked") if name in report},
    }


@transaction.atomic
def record_check(run: Run, report: dict[str, Any]) -> Attempt:
    """Keep a live check as an attempt; a run whose checks all pass has passed."""
    attempt = Attempt.objects.create(
        user_id=run.user_id,
        lab_slug=run.lab_slug,
        run=run,
        score=report["score"],
        max_score=report["max_score"],
        passed=report["passed"],
        lab_version=report.get("lab_version", ""),
        checks=report["checks"],
        state_hash=report.get("state_hash", ""),
    )
    if attempt.passed:
        # Stopped or reset while the check ran? The attempt counts all the same.
        with suppress(TransitionError):
            pass_run(run)
    return attempt
