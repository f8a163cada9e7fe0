"""A class of two hundred costs the database no more questions than one of five, whatever is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from accounts.models import Classroom, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from grading.models import Appeal, Attempt, HintRead, Submission
from runs import states
from runs.models import JournalEntry, Run

from labs.kit import catalog

FEW, MANY = 5, 200
MOST = 22
"""Questions of one page."""
PAGES = (
    "/", "/grades/", "/grades/?q=student", "/grades/?class={classroom}", "/grades/?lesson=pods", "/grades/grades.csv",
    "/grades/{student}/{lab}/", "/grades/runs/{run}/", "/grades/appeals/{appeal}/", "/classes/",
    "/classes/{classroom}/", "/api/v1/grades/", "/api/v1/appeals/", "/api/v1/classes/",
    "/api/v1/classes/{classroom}/", "/api/v1/runs/", "/admin/", "/admin/accounts/user/", "/admin/accounts/classroom/",
)  # fmt: skip
CHECK = {
    "id": "a",
    "title": {"en": "A"},
    "state": "failed",
    "score": 0,
    "max_score": 1,
    "message": {"en": "No."},
}


def enrol(classroom: Classroom, numbers: range) -> None:
    """Students with a run, attempts, a submission and an appeal each; each tenth has a run that failed."""
    labs = catalog.load().labs[:5]
    users = User.objects.bulk_create(
        User(username=f"student-{number}", email=f"s{number}@example.org") for number in numbers
    )
    classroom.members.add(*users)
    runs = Run.objects.bulk_create(
        Run(
            user=user, lab_slug=labs[0].slug, seed=1, start="2026-01-01T00:00:00Z",
            state=states.FAILED if number % 10 == 0 else states.READY,
        )
        for number, user in zip(numbers, users, strict=True)
    )  # fmt: skip
    Attempt.objects.bulk_create(
        Attempt(user=run.user, lab_slug=lab.slug, run=run, score=1, max_score=2, checks=[CHECK])
        for run in runs
        for lab in labs
    )
    Submission.objects.bulk_create(
        Submission(user=user, lab_slug=labs[0].slug, manifests="kind: Pod") for user in users
    )
    Appeal.objects.bulk_create(
        Appeal(user=run.user, run=run, check_id="a", result=CHECK, at=timezone.now()) for run in runs
    )
    HintRead.objects.bulk_create(HintRead(run=run, check_id="a", number=1, at=timezone.now()) for run in runs)
    JournalEntry.objects.bulk_create(
        JournalEntry(run=run, epoch=1, seq=seq, at_us=seq, kind="clock", payload="{}")
        for run in runs
        for seq in range(5)
    )


def asked(client: Client, pages: dict[str, str]) -> dict[str, int]:
    """How often each page asks the database."""
    found = {}
    for page, address in pages.items():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(address, headers={"accept": "text/html, application/json"})
        assert answer.status_code == 200, address
        found[page] = len(queries)
    return found


@pytest.mark.parametrize("leads", [True, False], ids=["who leads", "who teaches"])
def test_questions_do_not_grow_with_the_class(people: Any, client_of: Any, leads: bool) -> None:
    teacher = people["instructor"]
    User.objects.filter(pk=teacher.pk).update(is_staff=leads, is_superuser=leads)
    classroom = Classroom.objects.get()
    enrol(classroom, range(FEW))
    run = Run.objects.filter(state=states.READY).first()
    assert run is not None
    names = {
        "classroom": classroom.pk, "student": run.user_id, "lab": run.lab_slug, "run": run.pk,
        "appeal": Appeal.objects.get(run=run).pk,
    }  # fmt: skip
    pages = {page: page.format(**names) for page in PAGES if leads or not page.startswith("/admin/")}
    client = client_of("instructor")
    asked(client, pages)  # what is kept from then on
    few = asked(client, pages)
    enrol(classroom, range(FEW, MANY))
    assert asked(client, pages) == few
    assert max(few.values()) <= MOST, few
