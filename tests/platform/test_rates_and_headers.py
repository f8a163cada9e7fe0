"""How often strangers and passwords are tried, by address or network; what every answer tells the browser."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest
from accounts.models import User
from api.throttling import StrangersThrottle
from django.test import AsyncClient, Client

#: Who calls after three calls from the first address, what they say of themselves, whether they are let in.
CALLERS = [
    ("the same", "192.0.2.1", "192.0.2.1", "", False),
    ("the same, with a story", "192.0.2.1", "192.0.2.1", "198.51.100.7", False),
    ("another", "192.0.2.1", "192.0.2.2", "", True),
    ("the same /64", "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "", False),
    ("another /64", "2001:db8:1:2::1", "2001:db8:1:3::1", "", True),
    ("the same, mapped", "192.0.2.1", "::ffff:192.0.2.1", "", False),
]
ROWS = pytest.mark.parametrize(
    ("first", "then", "said", "let_in"), [row[1:] for row in CALLERS], ids=[row[0] for row in CALLERS]
)


def from_(address: str, said: str = "") -> Client:
    return Client(REMOTE_ADDR=address, **({"HTTP_X_FORWARDED_FOR": said} if said else {}))


@ROWS
def test_the_api(
    db: None, monkeypatch: pytest.MonkeyPatch, first: str, then: str, said: str, let_in: bool
) -> None:
    monkeypatch.setattr(StrangersThrottle, "rate", "3/min", raising=False)
    assert [from_(first).get("/api/v1/lessons/").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert from_(then, said).get("/api/v1/lessons/").status_code == (200 if let_in else 429)


@ROWS
def test_guests(db: None, settings: Any, lab: Any, first: str, then: str, said: str, let_in: bool) -> None:
    settings.GUESTS_PER_HOUR = 3
    for _ in range(4):
        from_(first).post(f"/labs/{lab.slug}/")
    assert User.objects.filter(is_guest=True).count() == 3
    from_(then, said).post(f"/labs/{lab.slug}/")
    assert User.objects.filter(is_guest=True).count() == 3 + let_in


@ROWS
def test_passwords(people: Any, settings: Any, first: str, then: str, said: str, let_in: bool) -> None:
    """Ten wrong ones a minute from one network, whoever's they are; then not even a right one is looked at."""
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/m/ip"}
    for _ in range(4):
        from_(first).post("/accounts/login/", {"login": "other", "password": "wrong"})
    answer = from_(then, said).post("/accounts/login/", {"login": "owner", "password": "secret-pass-1"})
    assert (answer.status_code == 302) is let_in


def test_one_account_is_not_guessed_from_many_networks(people: Any, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {}
    wrong = {"login": "owner", "password": "wrong"}
    for number in range(6):
        from_(f"192.0.2.{number}").post("/accounts/login/", wrong)
    right = {"login": "owner", "password": "secret-pass-1"}
    assert from_("192.0.2.99").post("/accounts/login/", right).status_code == 200
    assert from_("192.0.2.99").post("/accounts/login/", {**right, "login": "other"}).status_code == 200


CSP = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'",
    "frame-ancestors": "'none'", "base-uri": "'self'", "form-action": "'self'", "object-src": "'none'",
}  # fmt: skip
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
ADDRESSES = [
    ("the front page", "/", 200),
    ("a form", "/accounts/login/", 200),
    ("the API", "/api/v1/labs/", 200),
    ("the API's refusal", "/api/v1/me/", 403),
    ("the schema", "/api/schema/", 200),
    ("health", "/healthz", 200),
    ("nothing", "/nothing/", 404),
    ("the admin's door", "/admin/", 302),
    ("a run that is not there", "/runs/11111111-1111-4111-8111-111111111111/", 404),
]


@pytest.mark.parametrize(
    ("path", "status"), [row[1:] for row in ADDRESSES], ids=[row[0] for row in ADDRESSES]
)
def test_headers(client: Client, db: None, path: str, status: int) -> None:
    answer = client.get(path, headers={"accept": "*/*"})
    assert answer.status_code == status
    assert {name: answer.get(name) for name in HEADERS} == HEADERS
    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
    assert {name: policy.get(name) for name in CSP} == CSP
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "*" not in answer["Content-Security-Policy"]


def test_cookies(client: Client, people: Any) -> None:
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": "owner", "password": "secret-pass-1"})
    session, form = client.cookies["sessionid"], client.cookies["csrftoken"]
    assert (session["httponly"], session["samesite"], form["samesite"]) == (True, "Lax", "Lax")


def test_the_site_s_own_pages_may_not_be_kept(client_of: Any, run: Any) -> None:
    for path in (f"/runs/{run.pk}/", f"/runs/{run.pk}/kubeconfig/", "/accounts/tokens/"):
        assert "no-store" in client_of("owner").get(path)["Cache-Control"], path


FAVICON = "/static/img/favicon.svg"
FILES = [
    ("get", {}, 200, b"<svg"),
    ("head", {}, 200, b""),
    ("get", {"range": "bytes=1-3"}, 206, b"svg"),
    ("post", {}, 405, b""),
]


@pytest.mark.parametrize(
    ("method", "headers", "status", "begins"),
    FILES,
    ids=["all of it", "its headers", "a part", "not to be changed"],
)
def test_a_file_of_the_site(method: str, headers: dict[str, str], status: int, begins: bytes) -> None:
    """Served as the site is, asynchronously; Django has nothing to warn of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "StreamingHttpResponse", Warning)
        answer = asyncio.run(getattr(AsyncClient(), method)(FAVICON, headers=headers))
    assert (answer.status_code, answer.content[: len(begins) or None]) == (status, begins)
    if status in (200, 206):
        assert answer["Content-Type"] == "image/svg+xml"
        assert method == "head" or int(answer["Content-Length"]) == len(answer.content)


def test_a_file_of_the_site_that_is_known() -> None:
    tag = Client().get(FAVICON)["ETag"]
    known = Client().get(FAVICON, headers={"if-none-match": tag})
    assert (known.status_code, known.content) == (304, b"")
