"""What holds on every page: health, ids, errors, languages, settings' checks."""

from __future__ import annotations

import logging
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from accounts.models import User
from config import checks, health
from config.logs import BriefRefusals, LineFormatter, RequestIdFilter
from django.conf import settings as live
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import OperationalError
from django.test import Client


def test_ready(client: Client, db: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": "ok", "redis": "ok"})


@pytest.mark.parametrize("part", ["redis", "database"])
def test_not_ready_but_alive(client: Client, db: None, settings: Any, monkeypatch: Any, part: str) -> None:
    def gone() -> None:
        raise OperationalError("no database in this test")

    if part == "redis":
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
    else:
        monkeypatch.setattr(health, "connection", SimpleNamespace(cursor=gone))
    answer = client.get("/readyz")
    said = {"status": "unavailable", "database": "ok", "redis": "ok"}
    said[part] = {"redis": "ConnectionError", "database": "OperationalError"}[part]
    assert (answer.status_code, answer.json()) == (503, said)
    alive = client.get("/healthz")
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})


IDS = [("abcdef12", True), ("short", False), ("has space in it", False), ("x" * 65, False), ("", False)]


@pytest.mark.parametrize(("offered", "kept"), IDS)
def test_request_id(client: Client, db: None, offered: str, kept: bool) -> None:
    given = client.get("/healthz", headers={"x-request-id": offered})["X-Request-ID"]
    assert (given == offered) is kept
    assert len(given) >= 8


LOST = [
    ("the API", "/api/v1/nothing/", "text/html", "application/json"),
    ("a script", "/nothing/", "application/json", "application/json"),
    ("a person", "/nothing/", "text/html", "text/html; charset=utf-8"),
]


@pytest.mark.parametrize(("path", "accept", "kind"), [row[1:] for row in LOST], ids=[row[0] for row in LOST])
def test_not_found(client: Client, db: None, path: str, accept: str, kind: str) -> None:
    answer = client.get(path, headers={"accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (404, kind)
    if kind == "application/json":
        assert set(answer.json()) == {"error", "code", "request_id"}


def test_schema(client: Client, db: None) -> None:
    import yaml

    document = yaml.safe_load(client.get("/api/schema/").content)
    assert document["openapi"].startswith("3.")
    assert "/api/v1/labs/{slug}/submissions/" in document["paths"]
    submission = document["components"]["schemas"]["Submission"]["properties"]
    assert set(submission) >= {
        "state",
        "score",
        "max_score",
        "passed",
        "checks",
        "engine_version",
        "seed",
        "state_hash",
    }


def test_the_page_of_the_api(client: Client, db: None) -> None:
    import yaml

    page = client.get("/api/docs/").content.decode()
    document = yaml.safe_load(client.get("/api/schema/").content)
    for path in document["paths"]:
        assert (f"<code>{path}</code>" in page) is path.startswith("/api/v1/"), path
    for name, shape in document["components"]["schemas"].items():
        for field in shape.get("properties", ()):
            assert f"<code>{field}</code>" in page, f"{name}.{field}"
    links = set(re.findall(r'href="#([\w]+)"', page))
    assert links <= set(re.findall(r'id="([\w]+)"', page))
    assert "None" not in page


def test_schema_has_no_complaints() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


@pytest.mark.parametrize(("language", "title"), [("en", "en"), ("zh-hans", "zh-hans"), ("zh-CN", "zh-hans")])
def test_api_language(client: Client, db: None, lab: Any, language: str, title: str) -> None:
    answer = client.get(f"/api/v1/labs/{lab.slug}/", headers={"accept-language": language}).json()
    assert answer["title"] == lab.title[title]
    assert answer["max_score"] == sum(check["points"] for check in answer["checks"])


class Lines(logging.Handler):
    """What a console would show."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(LineFormatter())
        for rule in (RequestIdFilter(), BriefRefusals()):
            self.addFilter(rule)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


REFUSED = [
    ("a page that is not yours", "/grades/", {}, 403),
    ("a host that is not ours", "/", {"host": "evil.example"}, 400),
]


@pytest.mark.parametrize(
    ("path", "headers", "status"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_refusal_is_one_line(
    client_of: Any, caplog: pytest.LogCaptureFixture, path: str, headers: dict[str, str], status: int
) -> None:
    lines = Lines()
    caplog.set_level(logging.WARNING, "django.request")
    logging.getLogger("django").addHandler(lines)
    try:
        assert client_of("owner").get(path, headers=headers).status_code == status
    finally:
        logging.getLogger("django").removeHandler(lines)
    assert lines.lines
    assert not [line for line in lines.lines if "\n" in line or " ERROR " in line]


def test_a_failure_keeps_its_traceback() -> None:
    lines = Lines()
    for status, shown in ((403, False), (500, True), (None, True)):
        try:
            raise ValueError("planted")
        except ValueError:
            record = logging.LogRecord("x", logging.ERROR, "", 0, "said", None, sys.exc_info())
        if status:
            record.status_code = status
        lines.handle(record)
        assert ("planted" in lines.lines.pop()) is shown


CHECKS: list[tuple[str, dict[str, Any], str]] = [
    ("no key", {"SECRET_KEY": "insecure"}, "drydock.W001"),
    ("short key", {"SECRET_KEY": "short"}, "drydock.E001"),
    ("short host secret", {"HOST_SECRET": "short"}, "drydock.E002"),
    (
        "one secret for all",
        {"SECRET_KEY": "x" * 40, "HOST_SECRET": "x" * 40, "RELAXED": False},
        "drydock.E003",
    ),
    ("an odd Redis", {"REDIS_URL": "http://redis"}, "drydock.E004"),
    ("any host", {"ALLOWED_HOSTS": ["*"]}, "drydock.E005"),
    ("debugging for all", {"DEBUG": True, "ALLOWED_HOSTS": ["*"]}, "drydock.E009"),
    ("a key that everyone knows", {"SECRET_KEY": "insecure-for-one-machine-only"}, "drydock.E010"),
    ("an unreachable host", {"HOST_BIND": "0.0.0.0"}, "drydock.E006"),
    (
        "SQLite for many",
        {"RELAXED": False, "DATABASES": {"default": {"ENGINE": "x.sqlite3"}}},
        "drydock.W002",
    ),
]


@pytest.mark.parametrize(("values", "identity"), [row[1:] for row in CHECKS], ids=[row[0] for row in CHECKS])
def test_checks(settings: Any, values: dict[str, Any], identity: str) -> None:
    settings.TESTING = False
    for name, value in values.items():
        setattr(settings, name, value)
    found = [
        *checks.secrets(None), *checks.redis_url(None), *checks.hosts(None), *checks.database_for_many(None),
        *checks.debugging(None),
    ]  # fmt: skip
    assert identity in {message.id for message in found}


DEPLOYED = [
    ("debugging for all", {"DEBUG": True, "ALLOWED_HOSTS": ["*"]}, "drydock.E009"),
    ("a known key", {"SECRET_KEY": "insecure-for-one-machine-only"}, "drydock.E010"),
    ("hosts with a known key", {"HOST_SECRET": "insecure-for-one-machine-only"}, "drydock.E010"),
]
SOUND = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["drydock.example"],
    "SECRET_KEY": "k" * 50,
    "HOST_SECRET": "h" * 50,
}


@pytest.mark.parametrize(
    ("values", "identity"), [row[1:] for row in DEPLOYED], ids=[row[0] for row in DEPLOYED]
)
def test_deployment_is_refused(settings: Any, values: dict[str, Any], identity: str) -> None:
    for name, value in {**SOUND, **values}.items():
        setattr(settings, name, value)
    with pytest.raises(SystemCheckError, match=identity):
        call_command("check", deploy=True)
    call_command("check")  # at home it may


def test_a_sound_deployment_is_not_refused(settings: Any) -> None:
    for name, value in SOUND.items():
        setattr(settings, name, value)
    call_command("check", deploy=True)


def test_no_checks_fail_as_shipped() -> None:
    assert live.TESTING
    assert [*checks.redis_url(None), *checks.hosts(None), *checks.course(None)] == []
    call_command("check", fail_level="WARNING")


def test_migrations_are_complete(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_first_instructor(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("ensure_instructor")
    name, password = capsys.readouterr().out.split()
    user = User.objects.get()
    assert (user.username, user.is_instructor, user.check_password(password)) == (name, True, True)
    call_command("ensure_instructor")
    assert capsys.readouterr().out == ""
    call_command("ensure_instructor", "--reset")
    fresh = capsys.readouterr().out.split()[1]
    user.refresh_from_db()
    assert user.check_password(fresh)
    assert not user.check_password(password)
