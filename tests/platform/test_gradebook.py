"""The gradebook and `/api/v1/grades/`: best scores, found by name, safe in a spreadsheet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from accounts.models import User
from grading.models import Attempt, Submission
from runs.models import JournalEntry, Run

from labs.kit import catalog


@pytest.fixture
def work(people: dict[str, User], lab: Any) -> None:
    for role, score, passed in (
        ("owner", 1, False),
        ("owner", lab.max_score, True),
        ("owner", 0, False),
        ("other", 1, False),
    ):
        Attempt.objects.create(
            user=people[role], lab_slug=lab.slug, score=score, max_score=lab.max_score, passed=passed
        )


def test_page(work: None, client_of: Any, lab: Any) -> None:
    page = client_of("instructor").get("/grades/")
    rows = {row.user.username: row.cells[0] for row in page.context["rows"]}
    assert rows["owner"]["score"] == lab.max_score
    assert (rows["owner"]["passed"], rows["owner"]["attempts"]) == (True, 3)
    assert (rows["other"]["score"], rows["other"]["passed"]) == (1, False)


@pytest.mark.parametrize(("query", "names"), [("", ["other", "owner"]), ("OWN", ["owner"]), ("nobody", [])])
def test_search(work: None, client_of: Any, query: str, names: list[str]) -> None:
    page = client_of("instructor").get("/grades/", {"q": query})
    assert [row.user.username for row in page.context["rows"]] == names


def test_the_labs_of_one_lesson(work: None, client_of: Any, lab: Any) -> None:
    client, lesson = client_of("instructor"), catalog.load().lesson(lab.lesson_slug)
    page = client.get("/grades/", {"lesson": lesson.slug})
    assert page.context["labs"] == list(lesson.labs)
    assert [len(row.cells) for row in page.context["rows"]] == [len(lesson.labs)] * 2
    assert f"/grades/grades.csv?lesson={lesson.slug}" in page.content.decode()
    head = client.get("/grades/grades.csv", {"lesson": lesson.slug}).content.decode().splitlines()[0]
    assert len(head.split(",")) == 4 + len(lesson.labs)
    for address in ("/grades/", "/grades/grades.csv"):
        assert client.get(address, {"lesson": "nothing"}).status_code == 404


def test_who_teaches_or_only_looked_in_is_no_learner(
    work: None, client_of: Any, people: Any, lab: Any
) -> None:
    staff = User.objects.create_superuser("keeper", password="keeper-pass-1")
    for user in (staff, people["instructor"], people["guest"]):
        Attempt.objects.create(user=user, lab_slug=lab.slug, score=1, max_score=2, passed=False)
    page = client_of("instructor").get("/grades/")
    assert [row.user.username for row in page.context["rows"]] == ["other", "owner"]
    assert [row.user.pk for row in page.context["guests"]] == [people["guest"].pk]
    assert "<details" in page.content.decode()
    assert client_of("instructor").get("/grades/", {"q": "o"}).context["guests"] == []
    names = client_of("instructor").get("/grades/grades.csv").content.decode().splitlines()[1:]
    assert [line.partition(",")[0] for line in names] == ["other", "owner"]


CHECK = {
    "id": "a", "title": {"en": "One `Pod`", "zh-hans": "一个"}, "state": "failed", "score": 0, "max_score": 2,
    "message": {"en": "Expected <b>two</b>.", "zh-hans": "期望两个。"}, "hint": {},
}  # fmt: skip


def test_an_attempt_opens(people: Any, run: Run, client_of: Any, lab: Any) -> None:
    submission = Submission.objects.create(user=people["owner"], lab_slug=lab.slug, manifests="kind: Pod")
    values = {"user": people["owner"], "lab_slug": lab.slug, "score": 0, "max_score": 2, "checks": [CHECK]}
    Attempt.objects.create(**values, submission=submission)
    Attempt.objects.create(**values, run=run)
    address = f"/grades/{people['owner'].pk}/{lab.slug}/"
    assert address in client_of("instructor").get("/grades/").content.decode()
    page = client_of("instructor").get(address).content.decode()
    assert "Expected &lt;b&gt;two&lt;/b&gt;." in page
    assert '<pre tabindex="0">kind: Pod</pre>' in page
    assert f"/grades/runs/{run.pk}/" in page
    chinese = client_of("instructor").get(address, headers={"accept-language": "zh-hans"}).content.decode()
    assert "期望两个。" in chinese
    assert client_of("instructor").get(f"/grades/{people['other'].pk}/{lab.slug}/").status_code == 404


def test_a_run_opens(run: Run, client_of: Any) -> None:
    payload = {
        "method": "POST",
        "path": "/api/v1/pods",
        "query": [["dryRun", "All"]],
        "body": {"text": "{<>}"},
    }
    rows = [("header", {"seed": 1}), ("request", payload), ("file", {"path": "a.yaml", "content": {"text": "a: 1"}}),
            ("file", {"path": "b", "content": {"base64": "/w=="}}), ("file", {"path": "b", "content": None}),
            ("clock", {})]  # fmt: skip
    for seq, (kind, data) in enumerate(rows):
        JournalEntry.objects.create(run=run, epoch=1, seq=seq, at_us=seq, kind=kind, payload=json.dumps(data))
    answer = client_of("instructor").get(f"/grades/runs/{run.pk}/")
    page = answer.content.decode()
    assert [step.seq for step in answer.context["steps"]] == [5, 4, 3, 2, 1, 0]
    assert "POST /api/v1/pods?dryRun=All" in page
    assert "{&lt;&gt;}" in page
    assert answer.context["files"] == {"a.yaml": "a: 1"}
    key = client_of("instructor").get(f"/grades/runs/{run.pk}/kubeconfig/").content.decode()
    assert "/t/ddv_" in key
    run.move("stopped")
    assert client_of("instructor").get(f"/grades/runs/{run.pk}/").status_code == 200
    assert client_of("instructor").get(f"/grades/runs/{run.pk}/kubeconfig/").status_code == 404


def test_csv_holds_no_formulas(work: None, client_of: Any, people: dict[str, User]) -> None:
    User.objects.filter(pk=people["owner"].pk).update(username="=1+1")
    text = client_of("instructor").get("/grades/grades.csv").content.decode("utf-8-sig")
    assert text.splitlines()[1].startswith("'=1+1,owner@example.org,")


def test_api(work: None, client_of: Any, lab: Any) -> None:
    everyone = client_of("instructor").get("/api/v1/grades/").json()
    assert {(row["user"], row["score"], row["passed"], row["attempts"]) for row in everyone} == {
        ("owner", lab.max_score, True, 3),
        ("other", 1, False, 1),
    }
    filtered = client_of("instructor").get("/api/v1/grades/", {"user": "other", "lab": lab.slug}).json()
    assert [row["user"] for row in filtered] == ["other"]
    assert [row["user"] for row in client_of("other").get("/api/v1/grades/").json()] == ["other"]
    assert client_of("other").get("/api/v1/grades/", {"user": "owner"}).json() == []
