"""API tokens: shown once, kept as a hash, good for the API until revoked."""

from __future__ import annotations

from typing import Any

import pytest
from accounts.models import ApiToken, User
from django.test import Client


@pytest.fixture
def issued(people: dict[str, User]) -> tuple[ApiToken, str]:
    return ApiToken.issue(people["owner"], "laptop")


def test_only_the_hash_is_kept(issued: tuple[ApiToken, str]) -> None:
    token, secret = issued
    assert secret.startswith("dd_")
    assert token.prefix == secret[:10]
    assert secret not in str(ApiToken.objects.values().get())


HEADERS = [
    ("bearer", "Bearer {}", 200),
    ("token", "Token {}", 200),
    ("any case", "bEaReR {}", 200),
    ("a wrong one", "Bearer {}x", 401),
    ("two words", "Bearer {} {}", 401),
    ("no word", "Bearer", 401),
    ("another scheme", "Basic {}", 403),
]


@pytest.mark.parametrize(("header", "status"), [row[1:] for row in HEADERS], ids=[row[0] for row in HEADERS])
def test_header(issued: tuple[ApiToken, str], header: str, status: int) -> None:
    response = Client().get("/api/v1/me/", headers={"authorization": header.format(issued[1], issued[1])})
    assert response.status_code == status
    if status == 401:
        assert response["WWW-Authenticate"] == "Bearer"
        assert response.json()["error"] == "The token is not valid."


def test_use_is_noted(issued: tuple[ApiToken, str]) -> None:
    Client().get("/api/v1/me/", headers={"authorization": f"Bearer {issued[1]}"})
    issued[0].refresh_from_db()
    assert issued[0].last_used is not None


def test_an_inactive_user_is_out(issued: tuple[ApiToken, str], people: dict[str, User]) -> None:
    User.objects.filter(pk=people["owner"].pk).update(is_active=False)
    assert Client().get("/api/v1/me/", headers={"authorization": f"Bearer {issued[1]}"}).status_code == 401


def test_a_token_needs_no_csrf(issued: tuple[ApiToken, str], lab: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        f"/api/v1/labs/{lab.slug}/submissions/", {"manifests": "x"}, "application/json",
        headers={"authorization": f"Bearer {issued[1]}"},
    )  # fmt: skip
    assert answer.status_code == 202


def test_a_cookie_needs_csrf(people: dict[str, User], lab: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["owner"], backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(f"/api/v1/labs/{lab.slug}/submissions/", {"manifests": "x"}, "application/json")
    assert answer.status_code == 403


def test_the_page(client_of: Any, people: dict[str, User]) -> None:
    client = client_of("owner")
    page = client.post("/accounts/tokens/", {"name": "laptop"})
    assert page.status_code == 200
    token = ApiToken.objects.get()
    secret = page.context["secret"]
    assert (token.name, ApiToken.objects.find(secret)) == ("laptop", token)
    assert secret in page.content.decode()
    assert secret not in client.get("/accounts/tokens/").content.decode()
    revoke = f"/accounts/tokens/{token.pk}/revoke/"
    assert client_of("other").post(revoke).status_code == 404
    assert client.get(revoke).status_code == 405
    assert client.post(revoke).status_code == 302
    assert not ApiToken.objects.exists()


def test_too_many(client_of: Any, people: dict[str, User]) -> None:
    for number in range(10):
        ApiToken.issue(people["owner"], str(number))
    assert client_of("owner").post("/accounts/tokens/", {"name": "one more"}).status_code == 400
    assert ApiToken.objects.count() == 10


@pytest.mark.parametrize(
    ("role", "target"), [("guest", "/accounts/signup/"), ("anonymous", "/accounts/login/")]
)
def test_not_for_guests(client_of: Any, role: str, target: str) -> None:
    response = client_of(role).get("/accounts/tokens/")
    assert (response.status_code, response["Location"].split("?")[0]) == (302, target)
