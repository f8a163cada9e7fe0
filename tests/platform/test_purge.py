"""`manage.py purge` forgets old guests and old journals, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from accounts.models import User
from django.core.management import call_command
from django.utils import timezone
from grading.models import Attempt
from runs.models import JournalEntry, Run

OLD = timezone.now() - timedelta(days=40)


def journal_of(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(kept_bytes=100)
    JournalEntry.objects.create(run=run, epoch=1, seq=0, at_us=0, kind="header", payload="{}")


def test_purge(make_run: Any, people: dict[str, User], lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ended, live = make_run(state="stopped", finished=OLD), make_run()
    for run in (ended, live):
        journal_of(run)
    Attempt.objects.create(user=people["owner"], run=ended, lab_slug=lab.slug, score=1, max_score=2)
    away, back = User.objects.create_guest(), User.objects.create_guest()
    User.objects.filter(pk__in=[away.pk, back.pk, people["owner"].pk]).update(date_joined=OLD)
    Run.objects.create(
        user=back,
        lab_slug=lab.slug,
        seed=1,
        start="2026-01-01T00:00:00Z",
        last_active=timezone.now(),
    )
    call_command("purge", "--days", "30")
    assert capsys.readouterr().out == "deleted 1 guests and 1 journal entries\n"
    assert set(User.objects.values_list("pk", flat=True)) == {user.pk for user in people.values()} | {back.pk}
    assert list(JournalEntry.objects.values_list("run", flat=True)) == [live.pk]
    assert Attempt.objects.count() == 1
