"""What one user's runs hold and have under way on a host, together: both limits crossed."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from runs.host.host import EngineHost
from runs.models import Run
from test_engine_host import CONFIG_MAP, LIMIT, MAPS, ask, eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def host() -> Iterator[EngineHost]:
    host = EngineHost()
    host.start()
    yield host
    host.stop()


@pytest.fixture
def fresh(make_run: Callable[..., Run]) -> Run:
    return make_run(state="requested")


@pytest.fixture
def second(fresh: Run) -> Run:
    """Another run of the same user."""
    return Run.objects.create(user=fresh.user, lab_slug=fresh.lab_slug, seed=2, start=fresh.start)


def test_what_the_clusters_of_one_user_hold_is_bounded_together(
    host: EngineHost, fresh: Run, second: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("USER_STORE_BYTES", 1_400_000), ("GROWTH", 250_000), ("AGAIN_SECONDS", 0.0)):
        monkeypatch.setattr(f"runs.host.holdings.{name}", value)
    data = {**CONFIG_MAP, "data": {"a": "x" * 300_000}}
    statuses = {}
    for run in (fresh, second):
        host.acquire(run.pk)
        statuses[run.pk] = [
            ask(host, run, MAPS, "POST", {**data, "metadata": {"name": f"n{i}"}}).status_code
            for i in range(3)
        ]
    assert statuses[fresh.pk] == [201, 201, 201]
    assert statuses[second.pk][-1] == 403


def test_what_one_user_has_under_way_is_bounded_together(
    host: EngineHost, fresh: Run, second: Run, make_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runs.host.hosted.USER_IN_USE", 2)
    others = Run.objects.create(
        user=make_run("other").user, lab_slug=fresh.lab_slug, seed=3, start=fresh.start
    )
    for run in (fresh, second, others):
        host.acquire(run.pk)
    with ExitStack() as watches:
        for run in (fresh, second):
            url = f"{host.url}/t/{host.runs[run.pk].token}{MAPS}?watch=1"
            watches.enter_context(httpx.stream("GET", url, timeout=LIMIT))
        refused = ask(host, second, MAPS)
        assert (refused.status_code, refused.json()["reason"]) == (429, "TooManyRequests")
        assert ask(host, others, MAPS).status_code == 200
    assert eventually(lambda: not host.in_use)
    assert ask(host, second, MAPS).status_code == 200


def test_a_host_waits_for_few_bodies_and_not_for_long(
    host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.doors.COMING", 1)
    monkeypatch.setattr("config.doors.BODY_SECONDS", 1.0)
    host.acquire(fresh.pk)
    where = urlsplit(host.url)
    assert where.hostname is not None
    with socket.create_connection((where.hostname, where.port or 0), timeout=LIMIT) as half:
        head = f"POST /t/{host.runs[fresh.pk].token}{MAPS} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n"
        half.sendall(head.encode() + b"{")
        assert eventually(lambda: ask(host, fresh, MAPS, "POST", CONFIG_MAP).status_code == 429)
        assert half.recv(1024).startswith(b"HTTP/1.1 408 ")
    assert ask(host, fresh, MAPS).status_code == 200
    assert eventually(lambda: not host.in_use)
