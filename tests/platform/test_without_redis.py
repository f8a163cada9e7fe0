"""Redis is dead, at each hop: what it only remembers is waited for or asked for again, and nothing else stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from accounts.models import ApiToken
from api.waiting import until_done
from celery import Celery
from django.test import Client
from grading import queue, services
from grading.models import Submission
from kombu.exceptions import OperationalError
from runs import hosting, registry
from runs import services as run_services
from runs.host.host import EngineHost
from runs.models import JournalEntry, Run
from test_engine_host import CONFIG_MAP, MAPS, ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DEAD = "redis://127.0.0.1:9/0"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: nginx}]}\n"


@pytest.fixture
def dead(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has Redis die, for the registry and as the broker."""

    def broken(*_: Any, **__: Any) -> None:
        raise OperationalError("no broker")

    def die() -> None:
        settings.REDIS_URL = DEAD
        monkeypatch.setattr(Celery, "send_task", broken)

    return die


@pytest.fixture
def host() -> Iterator[EngineHost]:
    host = EngineHost()
    host.start()
    yield host
    host.stop()


def test_a_host_goes_on(
    host: EngineHost, make_run: Callable[..., Run], dead: Callable[[], None], settings: Any, redis_url: str
) -> None:
    run = make_run(state="requested")
    host.acquire(run.pk)
    location = asyncio.run(registry.find(run.pk))
    dead()
    host.call(host.upkeep.beat())
    assert ask(host, run, MAPS, "POST", CONFIG_MAP).status_code == 201
    assert ask(host, run, "", "POST", prefix="check").status_code == 200
    assert JournalEntry.objects.filter(run=run, kind="request").exists()
    settings.REDIS_URL = redis_url
    registry.sync_redis().flushdb()
    host.call(host.upkeep.beat())
    assert asyncio.run(registry.find(run.pk)) == location


def test_a_host_puts_its_runs_to_sleep(
    host: EngineHost, make_run: Callable[..., Run], dead: Callable[[], None]
) -> None:
    run = make_run(state="requested")
    host.acquire(run.pk)
    dead()
    host.call(host.passivate(host.runs[run.pk]))
    assert not host.residents
    assert JournalEntry.objects.filter(run=run).latest("seq").kind == "clock"


def test_where_a_run_was_a_moment_ago_it_is_asked_for(run: Run, dead: Callable[[], None]) -> None:
    known = registry.Location("http://127.0.0.1:1", 1, "host")
    hosting._known[run.pk] = (known, 0.0)
    dead()
    assert asyncio.run(hosting.locate(run.pk)) == known
    hosting._known.clear()
    with pytest.raises(hosting.UnavailableError):
        asyncio.run(hosting.locate(run.pk))


@pytest.mark.parametrize("path", ["/", "/runs/{run}/", "/accounts/tokens/"])
def test_pages_are_shown(run: Run, client_of: Any, dead: Callable[[], None], path: str) -> None:
    client = client_of("owner")
    dead()
    assert client.get(path.format(run=run.pk)).status_code == 200


def test_a_lab_is_started_later(lab: Any, dead: Callable[[], None]) -> None:
    """Its page asks for the boot again while it waits."""
    dead()
    assert Client().post(f"/labs/{lab.slug}/").status_code == 302
    assert Run.objects.get().state == "requested"


@pytest.mark.parametrize("change", [run_services.stop, run_services.reset], ids=["stop", "reset"])
def test_a_run_is_stopped_and_reset(run: Run, dead: Callable[[], None], change: Callable[[Run], Run]) -> None:
    dead()
    change(run)
    run.refresh_from_db()
    assert run.state == ("stopped" if change is run_services.stop else "requested")


def test_a_submission_is_taken_and_graded(people: Any, lab: Any, dead: Callable[[], None]) -> None:
    token = ApiToken.issue(people["owner"], "t")[1]
    dead()
    answer = Client().post(
        f"/api/v1/labs/{lab.slug}/submissions/?wait=5",
        json.dumps({"manifests": POD}),
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    claimed = queue.claim()
    assert claimed is not None
    services.grade(claimed)
    assert Submission.objects.get().state == "graded"
    assert asyncio.run(until_done(str(claimed.pk), 5)) is False, "who waits asks the database"
