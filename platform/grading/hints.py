"""Hints, one at a time: where to look, what to think of, how it is written. How many are left is not said.

No report of a run carries them: the page, the terminal (`hint`) and the API ask for the next one here. Which was read
is one record for all of them.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, TypedDict

from django.utils import timezone
from django.utils.translation import gettext as _
from runs.models import Run

from grading import appeals, standing
from grading.models import HintRead
from grading.reports import text_in
from labs.kit import catalog
from labs.kit.checking import CheckSpec

PAUSE = timedelta(seconds=30)
"""Wall time between a hint and the last one of its check: time to think of it first."""


class Told(TypedDict):
    """A hint."""

    check: str
    title: str
    hint: str
    wait: int | None
    """Seconds until the next one may be asked for; None: this is the last."""


def give(run_id: uuid.UUID, check_id: str, language: str, after: int | None = None) -> Told:
    """The next hint about a check that fails, "" for the first of them, and note that it was read.

    `after` says how many are before the reader's eyes: one that was read already is given again. After the last one
    that one again. Raises `HintError`, whose words are for the learner.
    """
    run = Run.objects.get(pk=run_id)
    check = _spec(run, _failing(run, check_id)["id"])
    times = dict(HintRead.objects.filter(run=run, check_id=check.id).values_list("number", "at"))
    read = max(times, default=0)
    number = min((read if after is None else min(after, read)) + 1, len(check.hints))
    if number not in times and (seconds := _wait(number, len(check.hints), times)):
        raise appeals.HintError(
            _("Another hint comes in %(seconds)d seconds. Think of it first.") % {"seconds": seconds}
        )
    appeals.note_hint(run, check.id, number)
    times.setdefault(number, timezone.now())
    return Told(
        check=check.id,
        title=text_in(language, dict(check.title)),
        hint=text_in(language, dict(check.hints[number - 1])),
        wait=_wait(number + 1, len(check.hints), times) if number < len(check.hints) else None,
    )


def _wait(number: int, last: int, times: dict[int, datetime]) -> int:
    """In how many seconds that hint may be read, when the others were read at these times."""
    if not 1 < number == last or number in times:
        return 0
    left = times[number - 1] + PAUSE - timezone.now()
    return int(left.total_seconds()) + 1 if left > timedelta(0) else 0


def _spec(run: Run, check_id: str) -> CheckSpec:
    """The check in the run's variant of its lab."""
    try:
        checks = catalog.load().lab(run.lab_slug).variant(run.seed).checks
        return next(check for check in checks if check.id == check_id and check.hints)
    except (KeyError, StopIteration):
        raise appeals.HintError(_("There is no hint about this check.")) from None


def _failing(run: Run, check_id: str) -> dict[str, Any]:
    kept = standing.of_run(run)
    failing = [each for each in (kept.checks if kept is not None else []) if each["state"] != "passed"]
    found = next((each for each in failing if check_id in ("", each["id"])), None)
    if found is not None:
        return dict(found)
    if kept is None:
        raise appeals.HintError(_("Nothing has been checked yet: check your work first."))
    names = ", ".join(each["id"] for each in failing)
    if not names:
        raise appeals.HintError(_("Every check passes."))
    raise appeals.HintError(_("No such check fails; these do: %(names)s.") % {"names": names})
