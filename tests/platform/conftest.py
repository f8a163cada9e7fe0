"""What the platform's tests share: users, a course of one lab, a private Redis, runs."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from accounts.models import Classroom, User
from django.test import Client
from runs import hosting, registry, states
from runs.models import Run


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of the suite's own, on a free port of the loopback."""
    program = shutil.which("redis-server") or str(Path(sys.executable).parent / "redis-server")
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    client = redis.Redis.from_url(url)
    for _ in range(1_500):
        try:
            client.ping()
            break
        except redis.ConnectionError:
            time.sleep(0.02)
    yield url
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture(autouse=True)
def _platform(redis_url: str, settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every test has an empty Redis and writes nothing into the checkout."""
    from django.core.cache import cache

    settings.REDIS_URL = redis_url
    settings.SCRATCH = tmp_path_factory.getbasetemp() / "scratch"
    registry.sync_redis().flushdb()
    hosting._known.clear()
    cache.clear()


@pytest.fixture(autouse=True)
def sent_tasks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[Any]]]:
    """Tasks that were sent, in place of a broker."""
    from celery import Celery

    sent: list[tuple[str, list[Any]]] = []

    def note(app: Celery, name: str, args: Any = None, **_: Any) -> None:
        sent.append((name, list(args or [])))

    monkeypatch.setattr(Celery, "send_task", note)
    return sent


@pytest.fixture
def people(db: None) -> dict[str, User]:
    """One of each kind; the instructor teaches all others in one class."""
    found = {
        "owner": User.objects.create_user("owner", "owner@example.org", "secret-pass-1"),
        "other": User.objects.create_user("other", "other@example.org", "secret-pass-2"),
        "instructor": User.objects.create_user("teacher", password="secret-pass-3", is_instructor=True),
        "guest": User.objects.create_guest(),
    }
    everybody = Classroom.objects.create(name="everybody")
    everybody.teachers.add(found["instructor"])
    everybody.members.add(found["owner"], found["other"], found["guest"])
    return found


@pytest.fixture
def client_of(people: dict[str, User]) -> Callable[[str], Client]:
    """A browser in which this person is logged in; `anonymous` is nobody."""

    def make(role: str) -> Client:
        client = Client()
        if role != "anonymous":
            client.force_login(people[role], backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make


@pytest.fixture
def make_run(people: dict[str, User], lab: Any) -> Callable[..., Run]:
    """Rows of runs, without any machinery."""

    def make(role: str = "owner", state: str = states.READY, **fields: Any) -> Run:
        values: dict[str, Any] = {
            "lab_slug": lab.slug,
            "seed": 1,
            "start": "2026-01-01T00:00:00Z",
        }
        return Run.objects.create(user=people[role], state=state, **{**values, **fields})

    return make


@pytest.fixture
def run(make_run: Callable[..., Run]) -> Run:
    """The owner's ready run."""
    return make_run()


@pytest.fixture
def lab() -> Any:
    """The first lab of the course on disk."""
    from labs.kit import catalog

    return catalog.load().labs[0]
