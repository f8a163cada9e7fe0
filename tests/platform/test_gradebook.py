"""The gradebook and `/api/v1/grades/`: best scores, found by name, safe in a spreadsheet."""

from __future__ import annotations

from typing import Any

import pytest
from accounts.models import User
from grading.models import Attempt


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
