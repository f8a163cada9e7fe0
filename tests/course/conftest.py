"""What the course's page tests share: people, a running lab, no broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from accounts.models import User
from django.test import Client
from django.utils import translation
from runs.models import Run

from labs.kit import catalog


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting a lab asks a worker to boot it; here nobody listens."""
    from runs import services

    monkeypatch.setattr(services, "request_boot", lambda run: None)


@pytest.fixture(autouse=True)
def _in_english() -> None:
    """Whatever language the test before left."""
    translation.activate("en")


@pytest.fixture
def lab() -> Any:
    return catalog.load().lab("declare-a-deployment")


@pytest.fixture
def people(db: None) -> dict[str, User]:
    return {
        "learner": User.objects.create_user("lin", password="secret-pass-1"),
        "instructor": User.objects.create_user(
            "ada", password="secret-pass-2", is_instructor=True, is_staff=True
        ),
        "guest": User.objects.create_guest(),
    }


@pytest.fixture
def browser(people: dict[str, User]) -> Callable[..., Client]:
    """A browser: `browser("learner", "zh-hans")`; without a name, a stranger's."""

    def make(who: str = "", language: str = "en") -> Client:
        client = Client(headers={"accept": "text/html"})
        if who:
            client.force_login(people[who], backend="django.contrib.auth.backends.ModelBackend")
        client.cookies["django_language"] = language
        return client

    return make


@pytest.fixture
def run(people: dict[str, User], lab: Any) -> Run:
    """The learner's running lab."""
    return Run.objects.create(
        user=people["learner"],
        lab_slug=lab.slug,
        state="ready",
        seed=1,
        start="2026-01-01T00:00:00Z",
    )
