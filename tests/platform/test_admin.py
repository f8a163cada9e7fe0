"""`/admin/`: for staff, through the site's own log-in; and what a password from somebody else opens."""

from __future__ import annotations

from typing import Any

import pytest
from accounts.models import ApiToken, User
from django.core.management import call_command
from django.test import Client
from runs.models import Run


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("keeper", password="keeper-pass-1")


@pytest.mark.parametrize("role", ["owner", "instructor", "guest"])
def test_only_staff_come_in(client_of: Any, role: str) -> None:
    client = client_of(role)
    assert client.get("/admin/", follow=True).status_code == 403
    assert client.post("/admin/login/", {"username": "owner", "password": "x"}).status_code == 403


def test_strangers_log_in_where_attempts_are_counted(client: Client, db: None) -> None:
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=")
    given = client.post("/admin/login/", {"username": "keeper", "password": "keeper-pass-1"})
    assert given.status_code == 302
    assert "sessionid" not in client.cookies, "no second way in"


PAGES = ["", "accounts/user/", "accounts/user/add/", "accounts/user/{pk}/change/", "accounts/user/{pk}/password/",
         "accounts/user/{pk}/history/", "accounts/user/{pk}/delete/", "jsi18n/"]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_its_pages_work(staff: User, people: Any, page: str) -> None:
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/admin/" + page.format(pk=people["owner"].pk))
    assert answer.status_code == 200
    assert b"<script>" not in answer.content
    assert b" style=" not in answer.content


def test_staff_make_an_instructor_and_give_a_password(staff: User, people: Any) -> None:
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    base = f"/admin/accounts/user/{people['other'].pk}"
    fields = {"username": "other", "email": "", "language": "en", "is_active": "on", "is_instructor": "on",
              "must_change_password": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}  # fmt: skip
    assert client.post(f"{base}/change/", fields).status_code == 302
    words = {"password1": "given-by-staff-1", "password2": "given-by-staff-1", "usable_password": "true"}
    assert client.post(f"{base}/password/", words).status_code == 302
    other = User.objects.get(username="other")
    assert (other.is_instructor, other.must_change_password, other.check_password("given-by-staff-1")) == (
        True,
    ) * 3


def test_a_new_account(staff: User) -> None:
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    words = {"password1": "given-by-staff-1", "password2": "given-by-staff-1", "usable_password": "true"}
    assert client.post("/admin/accounts/user/add/", {"username": "new", **words}).status_code == 302
    assert User.objects.get(username="new").check_password("given-by-staff-1")


def test_the_first_password_opens_one_page(
    client: Client, db: None, capsys: pytest.CaptureFixture[str], lab: Any
) -> None:
    call_command("ensure_instructor")
    name, password = capsys.readouterr().out.split()
    page = client.post("/accounts/login/", {"login": name, "password": password}, follow=True)
    assert page.redirect_chain[-1][0] == "/accounts/password/change/"
    assert "given to you" in page.content.decode()
    for path in ("/", f"/labs/{lab.slug}/", "/grades/", "/accounts/tokens/", "/admin/"):
        assert client.get(path)["Location"] == "/accounts/password/change/", path
    assert client.post(f"/labs/{lab.slug}/")["Location"] == "/accounts/password/change/"
    assert not Run.objects.exists()
    refused = client.get("/api/v1/me/")
    assert (refused.status_code, set(refused.json())) == (403, {"error", "code", "request_id"})
    new = {"oldpassword": password, "password1": "mine-alone-1234", "password2": "mine-alone-1234"}
    same = {**new, "password1": "short", "password2": "short"}
    assert client.post("/accounts/password/change/", same).status_code == 200
    assert client.get("/grades/").status_code == 302, "a refused password changes nothing"
    assert client.post("/accounts/password/change/", new)["Location"] == "/"
    assert client.get("/grades/").status_code == 200
    assert client.get("/admin/").status_code == 200


def test_whoever_must_change_is_out_of_tokens_and_runs_too(people: Any, run: Run) -> None:
    secret = ApiToken.issue(people["owner"], "t")[1]
    assert ApiToken.objects.find(secret)
    people["owner"].must_change_password = True
    people["owner"].save()
    assert ApiToken.objects.find(secret) is None
    assert not Run.objects.owned_by(people["owner"]).exists()
    people["instructor"].must_change_password = True
    assert not Run.objects.for_user(people["instructor"]).exists()
