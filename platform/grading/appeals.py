"""What a learner says and needs besides the attempts: that a check is wrong, and which hints were read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal, TypedDict

from django.utils import timezone
from runs import reading
from runs.models import Run
from runs.texts import is_storable, storable_json

from grading import standing
from grading.models import Appeal, HintRead
from labs.kit import catalog
from labs.kit.pages import HINTS

NOTE = 1_000
"""Characters of a learner's note."""
FAILED = ("failed", "error")


class AppealError(ValueError):
    """There is nothing to appeal against, or the note cannot be kept."""


class HintError(ValueError):
    """There is no such hint, or not yet."""


def send(run: Run, check_id: str, note: str) -> Appeal:
    """Keep the learner's word against a check that fails, with what it said and the run's journal.

    A second one about the same check takes the first one's place. Raises `AppealError`.
    """
    if len(note) > NOTE or not is_storable(note):
        raise AppealError("note")
    kept = standing.of_run(run)
    results = kept.checks if kept is not None else []
    result = next((each for each in results if each["id"] == check_id and each["state"] in FAILED), None)
    if result is None:
        raise AppealError("check")
    appeal, _made = Appeal.objects.update_or_create(
        run=run,
        check_id=check_id,
        defaults={
            "user_id": run.user_id,
            "note": note.strip(),
            "result": result,
            "steps": storable_json([asdict(step) for step in reading.latest(run)]),
            "lab_version": catalog.load().lab(run.lab_slug).version,
            "at": timezone.now(),
            "settled": None,
            "reply": "",
            "read": None,
        },
    )
    return appeal


def settle(appeal: Appeal, reply: str = "") -> None:
    """Somebody who teaches has looked into it, and writes back, or does not. Raises `AppealError`."""
    if len(reply) > NOTE or not is_storable(reply):
        raise AppealError("reply")
    appeal.settled, appeal.reply, appeal.read = timezone.now(), reply.strip(), None
    appeal.save(update_fields=["settled", "reply", "read"])


def note_read(appeal: Appeal) -> None:
    """Its learner has read the reply; the first time counts."""
    if appeal.reply and appeal.read is None:
        appeal.read = timezone.now()
        appeal.save(update_fields=["read"])


class Sent(TypedDict):
    """How an appeal stands."""

    state: Literal["sent", "settled"]
    reply: str


def sent_of(run: Run) -> dict[str, Sent]:
    """How the run's appeals stand, by check."""
    found = Appeal.objects.filter(run=run)
    return {
        each.check_id: Sent(state="settled" if each.settled else "sent", reply=each.reply) for each in found
    }


def note_hint(run: Run, check_id: str, number: int) -> None:
    """Note that a hint was read; the first time counts. Raises `HintError`."""
    try:
        checks = catalog.load().lab(run.lab_slug).checks
    except KeyError:
        raise HintError from None
    if not 1 <= number <= HINTS or not any(check.id == check_id for check in checks):
        raise HintError
    HintRead.objects.get_or_create(run=run, check_id=check_id, number=number, defaults={"at": timezone.now()})


def hints_of(run: Run) -> dict[str, int]:
    """How far the run's hints were read, by check."""
    read: dict[str, int] = {}
    for check_id, number in HintRead.objects.filter(run=run).values_list("check_id", "number"):
        read[check_id] = max(read.get(check_id, 0), number)
    return dict(sorted(read.items()))
