"""Guests: made when a lab is started, kept when they sign up, merged when they log in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from accounts.models import User
from django.test import Client
from django.utils import timezone
from grading.models import Attempt, Submission
from runs.models import Run

PASSWORD = "a-Long-enough-phrase-7"


@pytest.fixture
def visitor(db: None, lab: Any) -> Client:
    """Somebody without an account who started a lab."""
    client = Client()
    response = client.post(f"/labs/{lab.slug}/")
    assert response.status_code == 302, response.content
    assert response["Location"].startswith("/runs/")
    return client


def guest_of(client: Client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


def work_of(guest: User, lab: Any) -> None:
    Attempt.objects.create(user=guest, lab_slug=lab.slug, score=2, max_score=4)
    Submission.objects.create(user=guest, lab_slug=lab.slug, manifests="x")


def test_a_visitor_becomes_a_guest_with_a_run(visitor: Client, lab: Any, sent_tasks: Any) -> None:
    guest = guest_of(visitor)
    run = Run.objects.get()
    assert (guest.is_guest, guest.has_usable_password()) == (True, False)
    assert (run.user, run.lab_slug, run.state) == (guest, lab.slug, "requested")


@pytest.mark.django_db(transaction=True)
def test_the_boot_is_asked_for_after_the_commit(lab: Any, sent_tasks: list[Any]) -> None:
    Client().post(f"/labs/{lab.slug}/")
    assert sent_tasks == [("runs.tasks.boot_run", [str(Run.objects.get().pk)])]


def test_starting_again_returns_to_the_same_run(visitor: Client, lab: Any) -> None:
    visitor.post(f"/labs/{lab.slug}/")
    assert (User.objects.count(), Run.objects.count()) == (1, 1)


def test_signing_up_keeps_the_row(visitor: Client, lab: Any) -> None:
    guest = guest_of(visitor)
    work_of(guest, lab)
    form = {"username": "ada", "email": "ada@example.org", "password1": PASSWORD, "password2": PASSWORD}
    assert visitor.get("/accounts/signup/").status_code == 200
    response = visitor.post("/accounts/signup/", form)
    assert response.status_code == 302, response.content.decode()
    account = User.objects.get()
    assert (account.pk, account.username, account.is_guest) == (guest.pk, "ada", False)
    assert account.check_password(PASSWORD)
    assert Run.objects.get().user == account
    assert visitor.get("/api/v1/me/").json()["username"] == "ada"


@pytest.mark.parametrize("login", ["grace", "grace@example.org"], ids=["by name", "by address"])
def test_logging_in_brings_the_work_along(visitor: Client, lab: Any, login: str) -> None:
    guest = guest_of(visitor)
    work_of(guest, lab)
    account = User.objects.create_user("grace", "grace@example.org", PASSWORD)
    assert visitor.get("/accounts/login/").status_code == 200
    response = visitor.post("/accounts/login/", {"login": login, "password": PASSWORD})
    assert response.status_code == 302, response.content.decode()
    assert not User.objects.filter(pk=guest.pk).exists()
    for model in (Run, Attempt, Submission):
        assert model.objects.get().user == account, model
    assert visitor.get("/api/v1/me/").json()["username"] == "grace"


def test_a_failed_log_in_changes_nothing(visitor: Client, lab: Any) -> None:
    guest = guest_of(visitor)
    User.objects.create_user("grace", "grace@example.org", PASSWORD)
    response = visitor.post("/accounts/login/", {"login": "grace", "password": "wrong"})
    assert response.status_code == 200
    assert guest_of(visitor) == guest
    assert Run.objects.get().user == guest


def test_an_account_merges_into_nothing(client: Client, db: None, lab: Any) -> None:
    """Only guests are merged: logging in as somebody else does not move an account's work."""
    first = User.objects.create_user("first", password=PASSWORD)
    User.objects.create_user("second", password=PASSWORD)
    client.force_login(first, backend="django.contrib.auth.backends.ModelBackend")
    work_of(first, lab)
    client.post("/accounts/login/", {"login": "second", "password": PASSWORD})
    assert Attempt.objects.get().user == first


def test_no_account_may_look_like_a_guest(client: Client, db: None) -> None:
    form = {"username": "guest-007", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/accounts/signup/", form).status_code == 200
    assert not User.objects.exists()


def test_limits(settings: Any, people: dict[str, User], make_run: Any, lab: Any) -> None:
    from runs.services import LimitError, start_run

    settings.RUN_KEPT_MB, settings.RUN_KEPT_MB_GUEST = 3, 1
    for role, limit in (("owner", 3), ("guest", 1)):
        for number in range(10):
            make_run(role, lab_slug=f"lab-{number}", kept_bytes=limit * 100_000)
        with pytest.raises(LimitError, match=f"Your labs keep {limit} MB, as much as they may"):
            start_run(people[role], lab, "en")


def test_what_is_over_makes_room(settings: Any, make_run: Any, lab: Any) -> None:
    """The histories of ended runs go before a new run is refused, the oldest first, and no more than needed."""
    from runs.services import start_run

    settings.RUN_KEPT_MB = 1
    now = timezone.now()
    ended = [
        make_run(
            lab_slug=f"lab-{age}", state="stopped", kept_bytes=400_000, finished=now - timedelta(days=age)
        )
        for age in (1, 2, 3)
    ]
    new = start_run(ended[0].user, lab, "en")
    kept = Run.objects.exclude(pk=new.pk).order_by("-finished").values_list("kept_bytes", flat=True)
    assert list(kept) == [400_000, 400_000, 0]


def test_too_many_guests_from_one_address(settings: Any, db: None, lab: Any) -> None:
    settings.GUESTS_PER_HOUR = 2
    targets = [Client().post(f"/labs/{lab.slug}/")["Location"] for _ in range(3)]
    assert [target.split("/")[1] for target in targets] == ["runs", "runs", "accounts"]
    assert User.objects.count() == 2


#: What is typed into the form, and what a reader of Chinese is told.
SIGN_UP = [
    ("a guest's name", {"username": "guest-1"}, "这个名称留给访客使用。"),
    ("a name of somebody else", {"username": "owner"}, "已存在一位使用该名字的用户。"),
    ("a short name", {"username": "x"}, "至少需要 2 个字符（现在有 1 个）。"),
    ("no name", {"username": ""}, "该字段是必填项。"),
    ("a kept name", {"username": "root"}, "此用户名不能使用，请改用其他用户名。"),
    ("a short password", {"password1": "a1", "password2": "a1"}, "密码太短，至少需要 8 个字符。"),
    ("a common one", {"password1": "password", "password2": "password"}, "这个密码太常见了。"),
    ("one like the name", {"password1": "newcomer1", "password2": "newcomer1"}, "密码与用户名太相似。"),
    ("another one", {"password2": "quay-side-lantern-43"}, "每次输入的密码必须相同。"),
    ("no address", {"email": "x"}, "请输入合法的邮件地址。"),
]


@pytest.mark.parametrize(("typed", "told"), [row[1:] for row in SIGN_UP], ids=[row[0] for row in SIGN_UP])
def test_signing_up_in_chinese(people: Any, typed: dict[str, str], told: str) -> None:
    client = Client(headers={"accept-language": "zh-hans"})
    fine = {"username": "newcomer", "password1": "quay-side-lantern-42", "password2": "quay-side-lantern-42"}
    html = client.post("/accounts/signup/", fine | typed).content.decode()
    assert told in html
    for page in ("signup", "login", "password/reset"):
        text = client.get(f"/accounts/{page}/").content.decode()
        assert "您" not in text
        assert "帐号" not in text
