"""Migrations with rows in the tables, there and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from accounts.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(app: str, name: str) -> Any:
    """The applications' models as they are after that migration."""
    executor = MigrationExecutor(connection)
    executor.migrate([(app, name)])
    return MigrationExecutor(connection).loader.project_state([(app, name)]).apps


@pytest.fixture(autouse=True)
def _to_the_end() -> Iterator[None]:
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_runs_that_had_expired_or_were_reset() -> None:
    apps = migrate("runs", "0003_keyframe")
    from django.utils import timezone

    values = {"user_id": None, "lab_slug": "x", "seed": 1, "start": "", "expires": timezone.now()}
    user = User.objects.create(username="u")  # of today: only the runs go back
    run_model, entry_model = apps.get_model("runs", "Run"), apps.get_model("runs", "JournalEntry")
    expired = run_model.objects.create(**{**values, "user_id": user.pk}, state="expired")
    live = run_model.objects.create(**{**values, "user_id": user.pk}, state="ready")
    for seq, kind in enumerate(["header", "request", "reset", "header", "request"]):
        entry_model.objects.create(run=live, epoch=1, seq=seq, at_us=0, kind=kind, payload="{}" * 10)

    apps = migrate("runs", "0005_no_expiry")
    run_model, entry_model = apps.get_model("runs", "Run"), apps.get_model("runs", "JournalEntry")
    assert run_model.objects.get(pk=expired.pk).state == "stopped"
    assert list(entry_model.objects.order_by("seq").values_list("seq", flat=True)) == [3, 4]
    assert run_model.objects.get(pk=live.pk).kept_bytes == 2 * (20 + 100)

    apps = migrate("runs", "0003_keyframe")
    assert apps.get_model("runs", "Run").objects.get(pk=live.pk).expires
    assert apps.get_model("runs", "JournalEntry").objects.count() == 2


def test_keyframes_stay_there_and_back() -> None:
    apps = migrate("runs", "0009_speed")
    user = User.objects.create(username="u")
    run = apps.get_model("runs", "Run").objects.create(user_id=user.pk, lab_slug="x", seed=1, start="")
    apps.get_model("runs", "Keyframe").objects.create(run=run, seq=4, data=b"state", files=b"f")

    apps = migrate("runs", "0010_older_keyframes")
    keyframes = apps.get_model("runs", "Keyframe").objects
    kept = keyframes.get()
    assert (kept.run_id, kept.seq, kept.at_us, bytes(kept.data), kept.size) == (run.pk, 4, None, b"state", 6)
    keyframes.create(run_id=run.pk, seq=9, data=b"later", at_us=7, size=5)

    apps = migrate("runs", "0009_speed")
    last = apps.get_model("runs", "Keyframe").objects.get()
    assert (last.run_id, last.seq, bytes(last.data)) == (run.pk, 9, b"later")


def test_back_from_branches_the_present_way_stays() -> None:
    apps = migrate("runs", "0011_branches")
    user = User.objects.create(username="u")
    run = apps.get_model("runs", "Run").objects.create(
        user_id=user.pk, lab_slug="x", seed=1, start="", branch=2
    )
    for number, parent, seq in ((0, None, 0), (1, 0, 2), (2, 0, 1)):
        apps.get_model("runs", "Branch").objects.create(
            run=run, number=number, name="x", parent=parent, seq=seq, at_us=seq
        )
    for number, first in ((0, 0), (1, 3), (2, 2)):
        for seq in (first, first + 1, first + 2):
            values = {"run": run, "branch": number, "seq": seq, "at_us": seq}
            apps.get_model("runs", "JournalEntry").objects.create(
                **values, epoch=1, kind="clock", payload="{}"
            )
            apps.get_model("runs", "Keyframe").objects.create(**values, data=b"")

    apps = migrate("runs", "0010_older_keyframes")
    for name in ("JournalEntry", "Keyframe"):
        assert list(apps.get_model("runs", name).objects.values_list("seq", flat=True)) == [0, 1, 2, 3, 4]
