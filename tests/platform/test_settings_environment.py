"""Settings are read loudly: a value that makes no sense is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from config.environment import Environment, broker, database, fresh_secrets, read_file, write_file
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.views.debug import get_default_exception_reporter_filter

FLAGS = [
    ("unset", None, True), ("one", "1", True), ("yes", "Yes", True), ("zero", "0", False), ("empty", "", False),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), [row[1:] for row in FLAGS], ids=[row[0] for row in FLAGS])
def test_flag(value: str | None, expected: bool) -> None:
    values = {} if value is None else {"NAME": value}
    assert Environment(values).flag("NAME", True) is expected


LOUD: list[tuple[str, Any, str]] = [
    ("missing text", lambda e: e.text("ABSENT"), "ABSENT is not set"),
    ("odd flag", lambda e: e.flag("WORD", False), "WORD='maybe': expected 1 or 0"),
    ("odd number", lambda e: e.number("WORD", 1), "WORD='maybe': expected a whole number"),
    ("small number", lambda e: e.number("THREE", 1, minimum=4), "THREE=3: expected at least 4"),
]


@pytest.mark.parametrize(("ask", "sentence"), [row[1:] for row in LOUD], ids=[row[0] for row in LOUD])
def test_loud(ask: Any, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        ask(Environment({"WORD": "maybe", "THREE": "3"}))


URLS = [
    ("sqlite", "sqlite:////tmp/a.db", {"NAME": "/tmp/a.db"}),
    ("sqlite relative", "sqlite:///var/a.db", {"NAME": "/root-of-it/var/a.db"}),
    (
        "postgresql",
        "postgresql://u:p%40ss@db.example:5433/drydock?sslmode=require",
        {
            "NAME": "drydock", "USER": "u", "PASSWORD": "p@ss", "HOST": "db.example", "PORT": "5433",
            "OPTIONS": {"sslmode": "require"},
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("url", "expected"), [row[1:] for row in URLS], ids=[row[0] for row in URLS])
def test_database(url: str, expected: dict[str, Any]) -> None:
    found = database(url, Path("/root-of-it"))
    assert {name: found[name] for name in expected} == expected


BAD_URLS = ["mysql://x/y", "sqlite://", "postgresql://host/", "postgresql://host:port/name", "nonsense"]


@pytest.mark.parametrize("url", BAD_URLS)
def test_database_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DRYDOCK_DATABASE_URL"):
        database(url, Path("/"))


BROKERS = [
    ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
    ("rediss://:word@cache:6380/2", "rediss://:word@cache:6380/2"),
    ("unix://:word@/srv/a/redis.sock?db=3", "redis+socket://:word@/srv/a/redis.sock?virtual_host=3"),
    ("unix:///srv/redis.sock", "redis+socket:///srv/redis.sock?virtual_host=0"),
]


@pytest.mark.parametrize(("url", "expected"), BROKERS)
def test_broker(url: str, expected: str) -> None:
    assert broker(url) == expected


def test_file_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "var" / "drydock.env"
    values = fresh_secrets()
    write_file(path, values)
    assert read_file(path) == values
    assert path.stat().st_mode & 0o777 == 0o600
    assert values["DRYDOCK_SECRET_KEY"] != values["DRYDOCK_HOST_SECRET"]
    assert read_file(tmp_path / "absent") == {}


def test_the_lab_tools_need_no_settings() -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DRYDOCK", "DJANGO"))
    }
    command = [sys.executable, "manage.py", "lab", "lint", "explore-the-components"]
    done = subprocess.run(
        command, cwd=settings.ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_file_with_nonsense(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("# fine\nA=1\nnot a setting\n")
    with pytest.raises(ImproperlyConfigured, match=r"env:3: expected KEY=value"):
        read_file(path)


def test_an_error_page_shows_no_address_with_a_password(settings: Any) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = "redis://:quince@redis.example:6379/0"
    settings.CACHES = {"default": {"LOCATION": settings.REDIS_URL}}
    shown = get_default_exception_reporter_filter().get_safe_settings()
    assert "quince" not in repr(shown)
    assert shown["LANGUAGE_CODE"] == settings.LANGUAGE_CODE
