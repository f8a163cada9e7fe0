"""Hints, one at a time: where to look, what to think of, how it is written. How many are left is not said.

The page has the hints of a report beside it and notes which were read; the terminal (`hint`) and the API ask for the
next one here. Which was read is one record for all of them.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, TypedDict

from django.utils import timezone
from django.utils.translation import gettext as _
from runs.models import Run

from grading import appeals, standing
from grading.models import HintRead
from grading.reports import text_in

PAUSE = timedelta(seconds=30)
"""Wall time between a hint and the last one of its check: time to think of it first. The page has the same."""


class Told(TypedDict):
    """A hint."""

    check: str
    title: str
    hint: str


def give(run_id: uuid.UUID, check_id: str, language: str) -> Told:
    """The next hint about a check that fails, "" for the first of them, and note that it was read.

    After the last one that one again. Raises `HintError`, whose words are for the learner.
    """
    run = Run.objects.get(pk=run_id)
    result = _failing(run, check_id)
    all_hints = result.get("hints") or []
    if not all_hints:
        raise appeals.HintError(_("There is no hint about this check."))
    read = list(HintRead.objects.filter(run=run, check_id=result["id"]).order_by("number"))
    number = min(max((each.number for each in read), default=0) + 1, len(all_hints))
    is_new = not any(each.number == number for each in read)
    if (
        is_new
        and 1 < number == len(all_hints)
        and (wait := read[-1].at + PAUSE - timezone.now()) > timedelta(0)
    ):
        seconds = int(wait.total_seconds()) + 1
        raise appeals.HintError(
            _("Another hint comes in %(seconds)d seconds. Think of it first.") % {"seconds": seconds}
        )
    appeals.note_hint(run, result["id"], number)
    return Told(
        check=result["id"],
        title=text_in(language, result.get("title", result["id"])),
        hint=text_in(language, all_hints[number - 1]),
    )


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
