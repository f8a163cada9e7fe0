"""A run whose cluster cannot be built becomes `failed` with a report; it is not begun for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError
from runs import journal, services
from runs.host import building
from runs.host.host import EngineHost
from runs.models import JournalEntry, Keyframe, Run

from cluster_engine import Cluster
from cluster_engine.wiring import Wiring

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


def poison(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Every replay meets this at its second entry."""
    original = Cluster.perform

    def planted(self: Cluster, entry: Any) -> Any:
        if entry.seq == 2:
            raise error
        return original(self, entry)

    monkeypatch.setattr(Cluster, "perform", planted)


def lived(host: EngineHost, run: Run) -> None:
    """The run is booted, works, and is put to sleep."""
    host.acquire(run.pk)
    host.call(host.runs[run.pk].app.note("clock", {}))
    host.call(host.runs[run.pk].app.note("clock", {}))
    host.call(host.passivate(host.runs[run.pk]))
    Keyframe.objects.filter(run=run).delete()  # so that all of it is replayed


ANY = [KeyError("lost"), RecursionError("deep")]


@pytest.mark.parametrize("error", ANY, ids=lambda error: type(error).__name__)
def test_a_poisoned_journal_fails_the_run_once(
    host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch, caplog: Any, error: Exception
) -> None:
    lived(host, fresh)
    entries = JournalEntry.objects.filter(run=fresh).count()
    poison(monkeypatch, error)
    host.acquire(fresh.pk)
    fresh.refresh_from_db()
    assert (fresh.state, fresh.builds) == ("failed", 1)
    assert fresh.message.startswith("The lab's cluster could not be built: ")
    assert fresh.report.startswith(f"{type(error).__name__}: {error}\ndigest ")
    assert "at journal entry 2 (clock)" in fresh.report
    assert f"{entries} journal entries" in fresh.report
    assert "the run's cluster could not be built" in caplog.text
    assert JournalEntry.objects.filter(run=fresh).count() == entries, "its journal is kept"
    assert host.runs == {}
    host.acquire(fresh.pk)
    fresh.refresh_from_db()
    assert (fresh.state, fresh.epoch) == ("failed", 2), "nobody builds it again"
    services.reset(fresh)
    monkeypatch.undo()
    host.acquire(fresh.pk)
    fresh.refresh_from_db()
    assert (fresh.state, fresh.builds, fresh.report) == ("ready", 0, "")


def test_a_bug_at_the_first_boot_fails_the_run(
    host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wiring, "boot", lambda self: 1 / 0)
    host.acquire(fresh.pk)
    fresh.refresh_from_db()
    assert fresh.state == "failed"
    assert "ZeroDivisionError" in fresh.report


@pytest.mark.parametrize("error", [OperationalError("gone"), MemoryError(), OSError(28, "disk")], ids=repr)
def test_what_is_the_machines_trouble_is_tried_again(
    host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    lived(host, fresh)
    with monkeypatch.context() as patch:
        poison(patch, error)
        with pytest.raises(type(error)):
            host.acquire(fresh.pk)
    fresh.refresh_from_db()
    assert (fresh.state, fresh.builds) == ("ready", 1)
    host.acquire(fresh.pk)
    fresh.refresh_from_db()
    assert (fresh.state, fresh.builds) == ("ready", 0)


def test_builds_that_never_end_are_not_begun_for_ever(host: EngineHost, fresh: Run) -> None:
    lived(host, fresh)
    for _ in range(building.BUILD_LIMIT):
        journal.take_over(fresh.pk)  # and its worker dies
    host.acquire(fresh.pk)
    fresh.refresh_from_db()
    assert fresh.state == "failed"
    assert fresh.message == "The lab's cluster could not be built in 5 attempts."
    assert "None of them came to its end." in fresh.report


@pytest.fixture
def failed(make_run: Callable[..., Run]) -> Run:
    run = make_run(state="requested")
    services.fail(run, "It could not be built.", "KeyError: 'inner <part>'")
    return run


@pytest.mark.parametrize(
    ("role", "seen"), [("instructor", "KeyError: 'inner <part>'"), ("owner", "")], ids=["instructor", "owner"]
)
def test_the_api_tells_the_report_to_instructors(failed: Run, client_of: Any, role: str, seen: str) -> None:
    for told in (
        client_of(role).get(f"/api/v1/runs/{failed.pk}/").json(),
        client_of(role).get("/api/v1/runs/").json()["results"][0],
    ):
        assert (told["state"], told["message"]) == ("failed", "It could not be built.")
        assert told["report"] == seen


def test_the_gradebook_shows_failed_runs(failed: Run, client_of: Any) -> None:
    page = client_of("instructor").get("/grades/").content.decode()
    assert "Labs that could not be built" in page
    assert "KeyError: &#x27;inner &lt;part&gt;&#x27;" in page
