"""Which submission is graded next: nothing is lost, nothing sticks, nobody waits for somebody else's batch."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from accounts.models import User
from billiard.exceptions import SoftTimeLimitExceeded
from django.utils import timezone
from grading import queue, services
from grading.models import Attempt, Submission

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec: {containers: [{name: c, image: nginx}]}\n"
PAST, FUTURE = timedelta(seconds=-1), timedelta(seconds=60)


def submission_of(user: User, lab: Any, **fields: Any) -> Submission:
    return Submission.objects.create(user=user, lab_slug=lab.slug, manifests=POD, **fields)


DUE = [
    ("queued", "queued", None, True),
    ("begun long ago by an earlier version", "running", None, True),
    ("its worker gives no sign of life", "running", PAST, True),
    ("under way", "running", FUTURE, False),
    ("graded", "graded", None, False),
    ("failed", "failed", None, False),
]


@pytest.mark.parametrize(("state", "lease", "due"), [row[1:] for row in DUE], ids=[row[0] for row in DUE])
def test_due(people: dict[str, User], lab: Any, state: str, lease: timedelta | None, due: bool) -> None:
    until = timezone.now() + lease if lease is not None else None
    submission = submission_of(people["owner"], lab, state=state, leased_until=until)
    assert (queue.claim() == submission) is due


def test_a_claim_is_held_once(people: dict[str, User], lab: Any) -> None:
    submission_of(people["owner"], lab)
    first = queue.claim()
    assert first is not None
    assert (first.state, first.tries) == ("running", 1)
    assert queue.claim() is None


def test_a_batch_holds_nobody_up(people: dict[str, User], lab: Any) -> None:
    """Ten of one user, then one of another: the other's is the second to be begun."""
    for _ in range(10):
        submission_of(people["owner"], lab)
    single = submission_of(people["other"], lab)
    begun = [queue.claim(), queue.claim()]
    assert [found.user.username for found in begun if found] == ["owner", "other"]
    assert begun[1] == single


def test_turns_are_taken(people: dict[str, User], lab: Any) -> None:
    for name in ("owner", "other", "instructor"):
        for _ in range(3):
            submission_of(people[name], lab)
    order = []
    while (found := queue.claim()) is not None:
        order.append(found.user.username)
        services.finish(
            found, services.Outcome("failed", {"score": 0, "max_score": 1, "passed": False, "checks": []})
        )
    assert order == ["owner", "other", "teacher"] * 3


def test_a_lost_worker_blames_nobody(people: dict[str, User], lab: Any) -> None:
    """Killed twice, then graded: the score is what the manifests are worth."""
    submission = submission_of(people["owner"], lab)
    for _ in range(2):
        assert queue.claim() == submission
        Submission.objects.update(leased_until=timezone.now() + PAST)
    found = queue.claim()
    assert found is not None
    services.grade(found)
    submission.refresh_from_db()
    assert (submission.state, submission.error, submission.tries) == ("graded", None, 3)
    assert Attempt.objects.count() == 1


def test_a_worker_that_wakes_up_late_changes_nothing(people: dict[str, User], lab: Any) -> None:
    submission_of(people["owner"], lab)
    stopped = queue.claim()
    Submission.objects.update(leased_until=timezone.now() + PAST)
    second = queue.claim()
    assert stopped is not None
    assert second is not None
    services.grade(second)
    services.grade(stopped)
    assert Attempt.objects.count() == 1


SOFT = [("the machine stood still", 0.0, "queued"), ("the manifests took long", 1e6, "failed")]


@pytest.mark.parametrize(("cpu", "state"), [row[1:] for row in SOFT], ids=[row[0] for row in SOFT])
def test_a_time_limit_is_blamed_on_what_computed(
    people: dict[str, User], lab: Any, monkeypatch: pytest.MonkeyPatch, cpu: float, state: str
) -> None:
    def cut_off(*_: Any) -> Any:
        ticks.append(cpu)
        raise SoftTimeLimitExceeded

    ticks = [0.0]
    monkeypatch.setattr(services, "evaluate", cut_off)
    monkeypatch.setattr(services.time, "process_time", lambda: ticks[-1])
    submission_of(people["owner"], lab)
    found = queue.claim()
    assert found is not None
    services.grade(found)
    found.refresh_from_db()
    assert found.state == state


@pytest.mark.django_db(transaction=True)
def test_a_long_grading_gives_signs_of_life(
    people: dict[str, User], lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "RENEW_SECONDS", 0.01)
    submission_of(people["owner"], lab)
    found = queue.claim()
    assert found is not None
    before = found.leased_until
    with queue.lease(found):
        deadline = time.monotonic() + 60
        while found.leased_until == before and time.monotonic() < deadline:
            time.sleep(0.01)
            found.refresh_from_db()
    assert before is not None
    assert found.leased_until is not None
    assert found.leased_until > before


def test_the_migration_goes_back() -> None:
    from django.db.migrations.loader import MigrationLoader

    migration = MigrationLoader(None).get_migration("grading", "0002_leases")
    assert all(operation.reversible for operation in migration.operations)


def test_a_ticket_gives_up_when_others_are_always_first(
    people: dict[str, User], lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty times somebody else took what was found; the submission itself is not touched by that."""
    submission = submission_of(people["owner"], lab)
    tried = []

    def find(now: Any) -> Submission:
        tried.append(now)
        found = Submission.objects.get(pk=submission.pk)
        Submission.objects.filter(pk=submission.pk).update(tries=found.tries + 1)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(queue, "next_due", find)
        assert queue.claim() is None
    assert len(tried) == queue.CLAIMS
    claimed = queue.claim()
    assert claimed is not None
    assert (claimed.pk, claimed.state, claimed.tries) == (submission.pk, "running", queue.CLAIMS + 1)
