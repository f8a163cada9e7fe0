"""What the page shows after a pass: what was learned, a model solution, how what is there came about."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("slug", "subjects"),
    [
        pytest.param("declare-a-deployment", [("Deployment", "default", "web")], id="one that is checked"),
        pytest.param("explore-the-components", [], id="notes have no causes worth telling"),
        pytest.param("who-is-selected", [], id="nothing is known by its name"),
        pytest.param(
            "three-ways-one-object",
            [("Deployment", "default", name) for name in ("by-command", "by-file", "by-wish", "bell")],
            id="several, each once",
        ),
    ],
)
def test_causes_are_offered(client_of: Any, make_run: Any, slug: str, subjects: list[Any]) -> None:
    run = make_run(lab_slug=slug, state="passed")
    answer = client_of("owner").get(f"/runs/{run.pk}/after/")
    found = [(each.kind, each.namespace, each.name) for each in answer.context["subjects"]]
    assert sorted(found) == sorted(subjects)
    page = answer.content.decode()
    for kind, _namespace, name in subjects:
        assert f">{kind} {name}</button>" in page


def test_until_then_it_is_not_there(client_of: Any, make_run: Any) -> None:
    assert client_of("owner").get(f"/runs/{make_run().pk}/after/").status_code == 404
