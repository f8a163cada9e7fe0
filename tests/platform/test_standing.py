"""How a run stands: what is kept of each grading, and what the page shows of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from grading import standing
from grading.models import Attempt, Standing
from runs import services
from runs.journal import FencedError
from runs.models import Run

pytestmark = pytest.mark.django_db


def report(passed: bool) -> dict[str, Any]:
    check = {
        "id": "one",
        "title": {"en": "One", "zh-hans": "一"},
        "state": "passed" if passed else "failed",
        "score": 2 * passed,
        "max_score": 2,
        "message": {} if passed else {"en": "Expected a.", "zh-hans": "期望 a。"},
        "hint": {} if passed else {"en": "Look.", "zh-hans": "看。"},
    }
    return {
        "score": 2 * passed,
        "max_score": 2,
        "passed": passed,
        "checks": [check],
        "state_hash": "abc",
    }


#: Gradings in a row as (asked, passed); how many attempts there are then, and the run's state.
STORIES = [
    pytest.param([(True, False)], 1, "ready", id="asked for: an attempt"),
    pytest.param([(False, False), (False, False)], 0, "ready", id="by itself, not passed: none"),
    pytest.param([(False, False), (False, True)], 1, "passed", id="by itself, passed: one"),
    pytest.param([(False, True), (False, False), (False, True)], 1, "passed", id="by itself, passed again"),
    pytest.param([(True, True), (True, False), (True, True)], 3, "passed", id="a passed run stays passed"),
]


@pytest.mark.parametrize(("gradings", "attempts", "state"), STORIES)
def test_what_is_kept(run: Run, gradings: list[tuple[bool, bool]], attempts: int, state: str) -> None:
    for asked, passed in gradings:
        kept = standing.record(run.pk, run.epoch, report(passed), asked)
    run.refresh_from_db()
    found = standing.of_run(run)
    assert found is not None
    assert (found.passed, found.score, found.checks) == (passed, 2 * passed, report(passed)["checks"])
    assert found.asked is kept["asked"] is any(asked for asked, _ in gradings)
    assert found.at.isoformat() == kept["at"]
    assert (Attempt.objects.filter(run=run).count(), run.state) == (attempts, state)
    assert {attempt.state_hash for attempt in Attempt.objects.all()} <= {"abc"}


@pytest.mark.parametrize(("epoch", "state"), [(1, "ready"), (0, "stopped")], ids=["another host's", "over"])
def test_a_run_that_is_no_longer_ours(make_run: Any, epoch: int, state: str) -> None:
    run = make_run(state=state)
    with pytest.raises(FencedError):
        standing.record(run.pk, epoch, report(True), True)
    assert not Standing.objects.exists()
    assert not Attempt.objects.exists()


def test_a_reset_begins_without(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    standing.record(run.pk, run.epoch, report(False), True)
    monkeypatch.setattr(services, "virtual_start", lambda: "2026-02-02T00:00:00Z")
    services.reset(run)
    assert standing.of_run(run) is None


def shown(client: Client, run: Run, language: str) -> Any:
    html = client.get(f"/runs/{run.pk}/", headers={"accept-language": language}).content.decode()
    found = re.search(r'<script id="standing" type="application/json">(.*?)</script>', html)
    assert found is not None
    return json.loads(found[1])


@pytest.mark.parametrize(("language", "message"), [("en", "Expected a."), ("zh-hans", "期望 a。")])
def test_the_page_brings_it_along(run: Run, client_of: Any, language: str, message: str) -> None:
    owner = client_of("owner")
    assert shown(owner, run, language) is None
    kept = standing.record(run.pk, run.epoch, report(False), False)
    found = shown(owner, run, language)
    assert (found["checks"][0]["message"], found["at"]) == (message, kept["at"])


def test_the_way_on_is_there_once_it_has_passed(run: Run, client_of: Any, lab: Any) -> None:
    owner = client_of("owner")
    assert owner.get(f"/runs/{run.pk}/after/").status_code == 404
    assert "Afloat" not in owner.get(f"/runs/{run.pk}/").content.decode()
    standing.record(run.pk, run.epoch, report(True), True)
    for path in ("after/", ""):
        assert "Afloat" in owner.get(f"/runs/{run.pk}/{path}").content.decode(), path
