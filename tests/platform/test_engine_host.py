"""The engine host with real engines: boot, journal, death, rebuild, fencing, sleep, checks, files, terminal."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pkgutil import resolve_name
from typing import Any

import httpx
import pytest
from django.db import OperationalError, connection
from runs import hosting, journal, keyframes, registry, services
from runs.host.host import EngineHost
from runs.host.upkeep import Found, Seen, find, note_activity
from runs.keyframes import State
from runs.models import JournalEntry, Keyframe, Run
from runs.proxy.sockets import open_socket
from runs.signing import SIGNATURE_HEADER, sign

pytestmark = pytest.mark.django_db(transaction=True)

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}, "data": {"a": "1"}}
MAPS = "/api/v1/namespaces/default/configmaps"


LIMIT = 60
"""Seconds after which what is waited for will not come."""


@pytest.fixture
def hosts() -> Iterator[Callable[[], EngineHost]]:
    """Hosts, as many as a test wants; all are stopped at its end."""
    started: list[EngineHost] = []

    def start() -> EngineHost:
        host = EngineHost()
        host.start()
        started.append(host)
        return host

    yield start
    for host in started:
        host.stop()


@pytest.fixture
def host(hosts: Callable[[], EngineHost]) -> EngineHost:
    return hosts()


@pytest.fixture
def fresh(make_run: Callable[..., Run]) -> Run:
    return make_run(state="requested")


def ask(
    host: EngineHost,
    run: Run,
    path: str,
    method: str = "GET",
    data: Any = None,
    prefix: str = "clusters",
    language: str = "en",
    agent: str = "",
) -> Any:
    request = httpx.Request(method, f"{host.url}/{prefix}/{run.pk}{path}", json=data)
    target = request.url.raw_path.decode()
    for name, value in hosting.host_headers(host.name, method, target, request.content):
        request.headers[name.decode()] = value.decode()
    request.headers["accept-language"] = language
    if agent:
        request.headers["user-agent"] = agent
    with httpx.Client(timeout=LIMIT) as client:
        return client.send(request)


def eventually(condition: Callable[[], bool], seconds: float = LIMIT) -> bool:
    """Whether it comes true in time."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def kinds(run: Run) -> list[str]:
    return list(JournalEntry.objects.filter(run=run).values_list("kind", flat=True))


def test_boot(host: EngineHost, fresh: Run) -> None:
    host.acquire(fresh.pk)
    fresh.refresh_from_db()
    assert (fresh.state, fresh.epoch) == ("ready", 1)
    assert fresh.engine_version
    assert kinds(fresh)[0] == "header"
    found = asyncio.run(registry.find(fresh.pk))
    assert found is not None
    assert (found.url, found.epoch) == (host.url, 1)
    nodes = ask(host, fresh, "/api/v1/nodes").json()["items"]
    assert nodes
    host.acquire(fresh.pk)
    fresh.refresh_from_db()
    assert fresh.epoch == 1, "a run that is here stays as it is"


def test_a_write_is_journaled_and_survives_its_host(hosts: Callable[[], EngineHost], fresh: Run) -> None:
    first = hosts()
    first.acquire(fresh.pk)
    before = JournalEntry.objects.count()
    created = ask(first, fresh, MAPS, "POST", CONFIG_MAP)
    assert created.status_code == 201
    assert JournalEntry.objects.count() == before + 1
    ask(first, fresh, MAPS)
    assert JournalEntry.objects.count() == before + 1, "reading leaves no trace"
    assert (
        ask(
            first, fresh, MAPS + "?dryRun=All", "POST", {**CONFIG_MAP, "metadata": {"name": "dry"}}
        ).status_code
        == 201
    )
    assert JournalEntry.objects.count() == before + 1, "nor does a dry run"

    second = hosts()
    second.acquire(fresh.pk)
    assert ask(second, fresh, f"{MAPS}/note").json() == created.json()


def test_a_stale_host_is_fenced(hosts: Callable[[], EngineHost], fresh: Run) -> None:
    first, second = hosts(), hosts()
    first.acquire(fresh.pk)
    second.acquire(fresh.pk)
    answer = ask(first, fresh, MAPS, "POST", CONFIG_MAP)
    assert answer.status_code == hosting.MISDIRECTED
    assert ask(first, fresh, "/version").status_code == hosting.MISDIRECTED, "the stale engine is gone"
    assert ask(second, fresh, f"{MAPS}/note").status_code == 404, "and its write never was"
    assert ask(second, fresh, MAPS, "POST", CONFIG_MAP).status_code == 201
    found = asyncio.run(registry.find(fresh.pk))
    assert found is not None
    assert (found.url, found.epoch) == (second.url, 2)


def test_a_host_that_hung_trusts_nothing_that_it_holds(
    hosts: Callable[[], EngineHost], make_run: Callable[..., Run], settings: Any
) -> None:
    settings.HOST_LEASE_SECONDS = 60
    first, second = hosts(), hosts()
    kept, lost = make_run(state="requested"), make_run(state="requested")
    for run in (kept, lost):
        first.acquire(run.pk)
    second.acquire(lost.pk)
    first.upkeep.beat_at -= 100
    for run in (kept, lost):
        assert ask(first, run, "/version").status_code == hosting.MISDIRECTED
    token = first.runs[lost.pk].token
    assert httpx.get(f"{first.url}/t/{token}/version", timeout=LIMIT).status_code == hosting.MISDIRECTED
    first.call(first.upkeep.beat())
    assert set(first.runs) == {kept.pk}, (
        "what is another host's by now was dropped before anything was answered"
    )
    assert ask(first, kept, "/version").status_code == 200


HELD = [
    ("nobody", "", True), ("this host", "self", True), ("another one", "other", False),
    ("another one builds it", "builder", False),
]  # fmt: skip


@pytest.mark.parametrize(("holder", "taken"), [row[1:] for row in HELD], ids=[row[0] for row in HELD])
def test_a_boot_that_was_asked_for_twice(host: EngineHost, fresh: Run, holder: str, taken: bool) -> None:
    from runs.host.current import set_host
    from runs.tasks import boot_run

    if holder == "builder":
        assert registry.begin_build(fresh.pk, "other", 30)
    elif holder:
        name = host.name if holder == "self" else holder
        registry.register(fresh.pk, registry.Location("http://127.0.0.1:9", 0, name), 30)
    set_host(host)
    try:
        boot_run.apply(args=(str(fresh.pk),), throw=True)
    finally:
        set_host(None)
    assert (fresh.pk in host.runs) == taken


def test_a_build_is_claimed_while_its_host_lives(
    host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For longer than one claim lasts, and not at all when it is over."""
    key, redis = f"{registry.BUILD_PREFIX}{fresh.pk}", registry.sync_redis()
    others: list[bool] = []

    def slow(run_id: Any) -> None:
        redis.pexpire(key, 1_500)
        others.append(eventually(lambda: redis.pttl(key) > 2_000))
        others.append(registry.begin_build(run_id, "other", 30))
        others.append(asyncio.run(registry.claim_boot(run_id, 30)))

    monkeypatch.setattr(host, "_bring_up", slow)
    host.acquire(fresh.pk)
    assert others == [True, False, False]
    host.claims.renew()
    assert not redis.exists(key)
    assert asyncio.run(registry.claim_boot(fresh.pk, 30))


def test_sleep_and_wake(host: EngineHost, fresh: Run) -> None:
    host.acquire(fresh.pk)
    ask(host, fresh, MAPS, "POST", CONFIG_MAP)
    hosted = host.runs[fresh.pk]
    host.call(host.passivate(hosted))
    slept_at = hosted.cluster.clock.now
    state = hosted.cluster.state_hash()
    assert asyncio.run(registry.find(fresh.pk)) is None
    assert kinds(fresh)[-1] == "clock"
    from runs.host import building

    # Before it is awake: then its time goes on, and a rebuild goes on to what its clients may have seen.
    rebuilt = building.build(journal.take_over(fresh.pk)).cluster
    assert (rebuilt.clock.now, rebuilt.state_hash()) == (slept_at, state)
    host.acquire(fresh.pk)
    fresh.refresh_from_db()
    assert (fresh.state, fresh.epoch) == ("ready", 3)


def asleep(host: EngineHost, run: Run) -> Any:
    """The cluster of a run that was put to sleep with something in it."""
    host.acquire(run.pk)
    ask(host, run, MAPS, "POST", CONFIG_MAP)
    hosted = host.runs[run.pk]
    host.call(host.passivate(hosted))
    return hosted.cluster


def refuse(*_args: Any, **_more: Any) -> Any:
    raise AssertionError("the whole journal is replayed")


def test_a_run_that_slept_goes_on_from_its_keyframe(
    host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = asleep(host, fresh)
    kept = Keyframe.objects.filter(run=fresh).latest("seq")
    assert kept.seq == JournalEntry.objects.filter(run=fresh).count() - 1
    monkeypatch.setattr("cluster_engine.cluster.Cluster.replay", refuse)
    host.acquire(fresh.pk)
    hosted = host.runs[fresh.pk]
    assert ask(host, fresh, f"{MAPS}/note").status_code == 200
    assert ask(host, fresh, f"{MAPS}/note", "DELETE").status_code == 200
    assert hosted.cluster.journal.next_seq > slept.journal.next_seq
    host.call(host.passivate(hosted))
    state = hosted.cluster.state_hash()
    from runs.host import building

    rebuilt = building.build(journal.take_over(fresh.pk)).cluster
    monkeypatch.undo()
    Keyframe.objects.all().delete()
    replayed = building.build(journal.take_over(fresh.pk)).cluster
    assert rebuilt.state_hash() == state == replayed.state_hash()


def test_keyframes_are_kept_on_the_way(host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.host.framing.KEYFRAME_EVERY", 3)
    monkeypatch.setattr("runs.host.framing.KEYFRAME_REST", 0)
    host.acquire(fresh.pk)
    first = kept_at(host, fresh)
    end = time.monotonic() + LIMIT
    while kept_at(host, fresh) == first:
        assert time.monotonic() < end
        ask(host, fresh, MAPS, "POST", CONFIG_MAP)
        ask(host, fresh, f"{MAPS}/note", "DELETE")


def test_who_has_large_keyframes_has_them_less_often(
    host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runs.host.framing.KEYFRAME_EVERY", 3)
    monkeypatch.setattr("runs.host.framing.KEYFRAME_REST", 1_000_000)
    host.acquire(fresh.pk)
    first = kept_at(host, fresh)
    for _ in range(4):
        ask(host, fresh, MAPS, "POST", CONFIG_MAP)
        ask(host, fresh, f"{MAPS}/note", "DELETE")
    assert kept_at(host, fresh) == first


def test_many_entries_have_a_keyframe_all_the_same(
    host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"EVERY": 3, "REST": 1_000_000, "MANY": 12, "SHORT_REST": 0}.items():
        monkeypatch.setattr(f"runs.host.framing.KEYFRAME_{name}", value)
    host.acquire(fresh.pk)
    first = kept_at(host, fresh)
    for number in range(16):
        ask(host, fresh, MAPS, "POST", {**CONFIG_MAP, "metadata": {"name": f"n{number}"}})
        if number == 8:
            assert kept_at(host, fresh) == first
    assert kept_at(host, fresh) > first


def test_a_keyframe_is_kept_when_a_rebuild_would_take_long(
    host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.acquire(fresh.pk)
    first = kept_at(host, fresh)
    hosted = host.runs[fresh.pk]

    async def looked(later: float) -> int:
        hosted.framing.keep_up(asyncio.get_running_loop().time() + later)
        return 0

    ask(host, fresh, MAPS, "POST", CONFIG_MAP)
    host.call(looked(0))
    assert kept_at(host, fresh) == first, "not soon after the last one"
    host.call(looked(3_600))
    assert kept_at(host, fresh) == first, "not for a little work"
    monkeypatch.setattr("runs.host.framing.KEYFRAME_COST", -1)
    host.call(looked(3_600))
    assert kept_at(host, fresh) > first


def kept_at(host: EngineHost, run: Run) -> int:
    """The number of the last keyframe's entry, once none is being kept any more."""
    hosted = host.runs[run.pk]
    end = time.monotonic() + LIMIT
    while hosted.framing.busy:
        assert time.monotonic() < end
        time.sleep(0.01)
    return int(Keyframe.objects.filter(run=run).latest("seq").seq)


@pytest.mark.parametrize("data", [b"", b"DRYDOCK1 rubbish"], ids=["empty", "rubbish"])
def test_a_keyframe_that_cannot_be_read_costs_time_alone(host: EngineHost, fresh: Run, data: bytes) -> None:
    slept = asleep(host, fresh)
    Keyframe.objects.filter(run=fresh).update(data=data)
    from runs.host import building

    assert building.build(journal.take_over(fresh.pk)).cluster.state_hash() == slept.state_hash()


def test_a_keyframe_of_before_a_reset_is_not_used(host: EngineHost, fresh: Run) -> None:
    asleep(host, fresh)
    fresh.refresh_from_db()
    services.reset(fresh)
    host.acquire(fresh.pk)
    assert ask(host, fresh, f"{MAPS}/note").status_code == 404


def test_a_stale_host_keeps_no_keyframe(fresh: Run) -> None:
    journal.take_over(fresh.pk)
    with pytest.raises(journal.FencedError):
        keyframes.keep(fresh.pk, 0, State(1, b"x"))
    assert not Keyframe.objects.exists()


def test_a_stream_ends_when_its_run_leaves(
    host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runs.host.hosted.RELEASE_SECONDS", 0.1)
    host.acquire(fresh.pk)
    hosted = host.runs[fresh.pk]
    store = weakref.ref(hosted.cluster.store)
    url = f"{host.url}/t/{hosted.token}{MAPS}?watch=1"
    with httpx.stream("GET", url, timeout=LIMIT) as answer:
        assert answer.status_code == 200
        host.call(host.passivate(hosted))
        del hosted
        answer.read()  # ends as at a time-out: the client watches again, elsewhere
    assert eventually(lambda: store() is None), "what sleeps takes no memory"


def test_reset_begins_anew(host: EngineHost, fresh: Run) -> None:
    host.acquire(fresh.pk)
    ask(host, fresh, MAPS, "POST", CONFIG_MAP)
    fresh.refresh_from_db()
    services.reset(fresh)
    assert ask(host, fresh, "/version").status_code == hosting.MISDIRECTED
    host.acquire(fresh.pk)
    fresh.refresh_from_db()
    assert fresh.state == "ready"
    assert ask(host, fresh, f"{MAPS}/note").status_code == 404
    assert kinds(fresh).count("header") == 1


def test_stop_frees_the_engine(host: EngineHost, fresh: Run) -> None:
    host.acquire(fresh.pk)
    fresh.refresh_from_db()
    services.stop(fresh)
    assert host.runs == {}
    assert host.tokens == {}
    host.acquire(fresh.pk)
    assert host.runs == {}, "a run that is over cannot be taken again"


def test_a_lab_that_is_gone_fails_the_run(host: EngineHost, make_run: Callable[..., Run]) -> None:
    run = make_run(state="requested", lab_slug="gone")
    host.acquire(run.pk)
    run.refresh_from_db()
    assert (run.state, run.message) == ("failed", "The lab 'gone' is not in the course any more.")


def test_check(host: EngineHost, fresh: Run, lab: Any) -> None:
    host.acquire(fresh.pk)
    before = host.runs[fresh.pk].cluster.store.revision
    report = ask(host, fresh, "", "POST", prefix="check").json()
    assert (report["passed"], report["max_score"]) == (False, lab.max_score)
    assert [check["id"] for check in report["checks"]] == [check.id for check in lab.checks]
    assert report["state_hash"]
    assert host.runs[fresh.pk].cluster.store.revision - before < 50, (
        "the fork does not touch the learner's cluster"
    )


def test_files_survive(hosts: Callable[[], EngineHost], fresh: Run) -> None:
    first, second = hosts(), hosts()
    first.acquire(fresh.pk)
    answer = ask(first, fresh, "", "PUT", {"path": "a/b.yaml", "content": "日本: 1\n"}, prefix="files")
    assert {"path": "a/b.yaml", "content": "日本: 1\n"} in answer.json()["files"]
    second.acquire(fresh.pk)
    assert {"path": "a/b.yaml", "content": "日本: 1\n"} in ask(second, fresh, "", prefix="files").json()[
        "files"
    ]


def test_files_are_renamed_and_deleted(hosts: Callable[[], EngineHost], fresh: Run) -> None:
    first, second = hosts(), hosts()
    first.acquire(fresh.pk)
    for path in ("a.yaml", "b.yaml"):
        ask(first, fresh, "", "PUT", {"path": path, "content": path}, prefix="files")
    taken = ask(first, fresh, "", "POST", {"path": "a.yaml", "to": "b.yaml"}, prefix="files")
    assert (taken.status_code, taken.json()) == (409, {"error": "There is a file b.yaml already."})
    missing = ask(first, fresh, "", "DELETE", {"path": "c.yaml"}, prefix="files")
    assert (missing.status_code, missing.json()) == (404, {"error": "There is no file c.yaml."})
    outside = ask(first, fresh, "", "POST", {"path": "a.yaml", "to": "/tmp/a.yaml"}, prefix="files")
    assert outside.status_code == 400
    assert (
        ask(first, fresh, "", "POST", {"path": "a.yaml", "to": "new/c.yaml"}, prefix="files").status_code
        == 200
    )
    assert ask(first, fresh, "", "DELETE", {"path": "b.yaml"}, prefix="files").status_code == 200
    second.acquire(fresh.pk)
    there = {file["path"]: file["content"] for file in ask(second, fresh, "", prefix="files").json()["files"]}
    assert there["new/c.yaml"] == "a.yaml"
    assert not {"a.yaml", "b.yaml"} & there.keys()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh-hans", "没有文件 c.yaml。"),
        ("en", "There is no file c.yaml."),
        ("tlh,*;q=0.1", "There is no file c.yaml."),
    ],
)
def test_a_refusal_is_in_the_readers_language(host: EngineHost, fresh: Run, language: str, said: str) -> None:
    host.acquire(fresh.pk)
    answer = ask(host, fresh, "", "DELETE", {"path": "c.yaml"}, prefix="files", language=language)
    assert answer.json() == {"error": said}


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "/home/learner"])
def test_files_stay_at_home(host: EngineHost, fresh: Run, path: str) -> None:
    host.acquire(fresh.pk)
    answer = ask(host, fresh, "", "PUT", {"path": path, "content": "x"}, prefix="files")
    assert answer.status_code in (400, 409)


@pytest.mark.kubectl
def test_apply(host: EngineHost, fresh: Run) -> None:
    host.acquire(fresh.pk)
    manifest = json.dumps(CONFIG_MAP)
    good = ask(host, fresh, "", "POST", {"path": "map.yaml", "content": manifest}, prefix="apply").json()
    assert good == {"exit_code": 0, "stdout": "configmap/note created\n", "stderr": ""}
    bad = ask(host, fresh, "", "POST", {"path": "map.yaml", "content": "kind: Pot"}, prefix="apply").json()
    assert bad["exit_code"] == 1
    assert bad["stderr"].startswith("error: ")


async def until(socket: Any, needle: bytes, seconds: float = LIMIT) -> bytes:
    """Terminal bytes up to `needle`."""
    seen = b""
    async with asyncio.timeout(seconds):
        while needle not in seen:
            message = await socket.recv()
            if isinstance(message, bytes):
                seen += message
    return seen


@pytest.mark.kubectl
def test_terminal(host: EngineHost, fresh: Run) -> None:
    host.acquire(fresh.pk)
    path = f"/terminal/{fresh.pk}"
    location = registry.Location(host.url, 1, host.name)

    async def scene() -> None:
        socket = await open_socket(location, path, [])
        await socket.send(json.dumps({"type": "resize", "cols": 100, "rows": 30}))
        await socket.send(
            json.dumps({"type": "input", "data": "echo hi > f; kubectl get nodes -o name; echo do''ne\r"})
        )
        seen = await until(socket, b"done\r\n")
        assert b"node/" in seen
        await socket.close()
        # The session is still there for the next one who looks.
        again = await open_socket(location, path, [])
        assert b"done\r\n" in await until(again, b"done\r\n")
        await again.send(json.dumps({"type": "input", "data": "cat f; echo e''nd\r"}))
        assert b"hi\r\n" in await until(again, b"end\r\n")
        await again.close()

    asyncio.run(scene())
    assert eventually(lambda: "file" in kinds(fresh))


@pytest.mark.kubectl
def test_a_stopped_api_server_refuses_by_every_door(host: EngineHost, fresh: Run) -> None:
    """A client by the run's address, kubectl by it, and kubectl in the terminal."""
    host.acquire(fresh.pk)
    fault = {"kind": "component/stop", "component": "kube-apiserver", "stopped": True}
    assert ask(host, fresh, "/drydock/faults", "POST", fault).status_code == 201
    assert eventually(lambda: ask(host, fresh, "/api/v1/nodes").status_code == 503)
    answer = ask(host, fresh, "/api/v1/nodes", agent="kubectl/v1.37.0")
    assert answer.status_code == 302
    assert answer.headers["location"].endswith("connection refused")

    async def scene() -> None:
        socket = await open_socket(registry.Location(host.url, 1, host.name), f"/terminal/{fresh.pk}", [])
        await socket.send(json.dumps({"type": "resize", "cols": 200, "rows": 30}))
        await socket.send(json.dumps({"type": "input", "data": "kubectl get nodes; echo do''ne\r"}))
        assert b"was refused - did you specify the right host or port?" in await until(socket, b"done\r\n")
        await socket.close()

    asyncio.run(scene())
    fault["stopped"] = False
    ask(host, fresh, "/drydock/faults", "POST", fault)
    assert eventually(lambda: ask(host, fresh, "/api/v1/nodes").status_code == 200)


DOORS = [("/version", "clusters"), ("", "check"), ("", "files"), ("", "stop")]


@pytest.mark.parametrize(("path", "prefix"), DOORS)
def test_the_port_wants_a_signature(host: EngineHost, fresh: Run, path: str, prefix: str) -> None:
    host.acquire(fresh.pk)
    target = f"/{prefix}/{fresh.pk}{path}"
    for signature in (None, "wrong", "1 2 3 4", sign("another-host", "POST", target),
                      sign(host.name, "GET", target), sign(host.name, "POST", target, b"another body"),
                      sign(host.name, "POST", f"{target}?more=1")):  # fmt: skip
        headers = {SIGNATURE_HEADER: signature} if signature else {}
        assert httpx.post(host.url + target, headers=headers, timeout=LIMIT).status_code == 401, signature
    once = {SIGNATURE_HEADER: sign(host.name, "POST", target)}
    assert httpx.post(host.url + target, headers=once, timeout=LIMIT).status_code != 401
    assert httpx.post(host.url + target, headers=once, timeout=LIMIT).status_code == 401, (
        "a signature is good once"
    )


def test_the_terminals_own_way_in(host: EngineHost, fresh: Run) -> None:
    host.acquire(fresh.pk)
    assert httpx.get(f"{host.url}/t/{'x' * 40}/version", timeout=LIMIT).status_code == 401
    token = host.runs[fresh.pk].token
    assert httpx.get(f"{host.url}/t/{token}/version", timeout=LIMIT).status_code == 200


def test_a_full_journal_says_so(host: EngineHost, fresh: Run, settings: Any) -> None:
    host.acquire(fresh.pk)
    settings.RUN_JOURNAL_LIMIT = 2
    statuses = [
        ask(host, fresh, MAPS, "POST", {**CONFIG_MAP, "metadata": {"name": f"n{i}"}}).status_code
        for i in range(3)
    ]
    assert statuses == [201, 403, 403]
    assert ask(host, fresh, "/version").status_code == 200


#: What fails of the database, and with what (in SQLite's words, and PostgreSQL's); whether the run goes on as it is, or
#: is let go.
COMMIT = "django.db.backends.base.base.BaseDatabaseWrapper._commit"
OUTAGES = [
    ("there is none", "runs.host.writer.JournalWriter._connect", "", "", True),
    ("a statement", "runs.journal._insert", "", "", True),
    ("the commit, full", COMMIT, "SQLITE_FULL", "53100", True),
    ("the commit, who knows", COMMIT, "SQLITE_IOERR", "08006", False),
]


@pytest.mark.parametrize(
    ("part", "name", "state", "goes_on"), [row[1:] for row in OUTAGES], ids=[row[0] for row in OUTAGES]
)
def test_a_database_that_fails(
    host: EngineHost, fresh: Run, part: str, name: str, state: str, goes_on: bool
) -> None:
    """What was certainly not kept is refused, and may be tried again; where nobody can tell, the run is let go."""
    host.acquire(fresh.pk)
    held = host.runs[fresh.pk]
    owner, _, attribute = part.rpartition(".")
    real = getattr(resolve_name(owner), attribute)

    def failing(*arguments: Any) -> Any:
        if threading.current_thread().name != "journal-writer":
            return real(*arguments)
        if connection.vendor == "postgresql":
            cause: Any = Exception("planted")
            cause.sqlstate = state
        else:
            cause = sqlite3.OperationalError("planted")
            cause.sqlite_errorname = name
        raise OperationalError("planted") from cause

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part, failing)
        assert ask(host, fresh, MAPS, "POST", CONFIG_MAP).status_code == 503
        if goes_on:
            saved = ask(host, fresh, "", "PUT", {"path": "a", "content": "b"}, prefix="files")
            assert saved.status_code == 503, "nobody is told that it is kept"
    if not goes_on:
        assert eventually(lambda: fresh.pk not in host.runs)
        return
    assert ask(host, fresh, MAPS, "POST", CONFIG_MAP).status_code == 201
    assert host.runs[fresh.pk] is held
    assert eventually(lambda: "file" in kinds(fresh)), "it is kept by itself, as soon as it can be"
    host.call(host.drop(held))
    host.acquire(fresh.pk)
    names = [item["metadata"]["name"] for item in ask(host, fresh, MAPS).json()["items"]]
    assert names.count("note") == 1, "its journal is what it did"


def test_a_graceful_stop_leaves_nothing(hosts: Callable[[], EngineHost], fresh: Run) -> None:
    host = hosts()
    host.acquire(fresh.pk)
    host.stop()
    assert asyncio.run(registry.find(fresh.pk)) is None
    assert kinds(fresh)[-1] == "clock"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{host.url}/")


def awake(host: EngineHost) -> set[Any]:
    return set(host.runs)


CEILINGS = [
    ("of the host", "HOST_MAX_RUNS", ["owner", "other", "owner"], [1, 2]),
    ("of a user", "RUN_LIMIT", ["owner", "other", "owner", "owner"], [1, 2, 3]),
    ("of a guest", "RUN_LIMIT_GUEST", ["guest", "owner", "guest", "guest"], [1, 2, 3]),
]


@pytest.mark.parametrize(("name", "whose", "left"), [r[1:] for r in CEILINGS], ids=[r[0] for r in CEILINGS])
def test_what_was_used_least_recently_sleeps(
    host: EngineHost,
    make_run: Callable[..., Run],
    settings: Any,
    name: str,
    whose: list[str],
    left: list[int],
) -> None:
    setattr(settings, name, 2)
    runs = [make_run(role, state="requested") for role in whose]
    for run in runs:
        host.acquire(run.pk)
    assert awake(host) == {runs[n].pk for n in left}
    runs[0].refresh_from_db()
    assert runs[0].state == "ready"
    assert Keyframe.objects.filter(run=runs[0]).exists()


def test_what_redis_forgot_is_told_again(
    hosts: Callable[[], EngineHost], make_run: Callable[..., Run]
) -> None:
    first, second = hosts(), hosts()
    kept, lost = make_run(state="requested"), make_run(state="requested")
    for run in (kept, lost):
        first.acquire(run.pk)
    second.acquire(lost.pk)
    registry.sync_redis().flushdb()
    for host in (second, first):
        host.call(host.upkeep.beat())
    assert set(first.runs) | set(second.runs) == {kept.pk, lost.pk}
    registry.sync_redis().flushdb()
    for host in (first, second):
        registry.sync_redis().delete(registry.KNOWN_KEY)
        host.call(host.upkeep.beat())
    for run, host in ((kept, first), (lost, second)):
        found = asyncio.run(registry.find(run.pk))
        assert found is not None
        assert found.host == host.name


def test_a_run_that_is_another_host_s_is_let_go(hosts: Callable[[], EngineHost], fresh: Run) -> None:
    first, second = hosts(), hosts()
    first.acquire(fresh.pk)
    held = {fresh.pk: first.runs[fresh.pk].epoch}
    assert find(set(), held).over == set()
    second.acquire(fresh.pk)
    assert find(set(), held).over == {fresh.pk}


def test_who_is_watched_sleeps_last(host: EngineHost, make_run: Callable[..., Run], settings: Any) -> None:
    settings.RUN_LIMIT = 2
    watched, other, third = (make_run(state="requested") for _ in range(3))
    host.acquire(watched.pk)
    host.runs[watched.pk].in_use = 1
    host.acquire(other.pk)
    host.acquire(third.pk)
    assert awake(host) == {watched.pk, third.pk}


def test_a_user_keeps_no_more_bytes_than_allowed(host: EngineHost, fresh: Run, settings: Any) -> None:
    settings.RUN_KEPT_MB = 1
    host.acquire(fresh.pk)
    data = {**CONFIG_MAP, "data": {"a": "x" * 300_000}}
    answers = [ask(host, fresh, MAPS, "POST", {**data, "metadata": {"name": f"n{i}"}}) for i in range(5)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 201, 403]
    assert "your labs keep as many bytes as they may" in answers[-1].json()["message"]
    assert ask(host, fresh, f"{MAPS}/n3").status_code == 200
    host.call(host.passivate(host.runs[fresh.pk]))
    host.acquire(fresh.pk)
    assert ask(host, fresh, f"{MAPS}/n0", "DELETE").status_code == 403


def test_a_cluster_that_holds_too_much_takes_no_more(
    host: EngineHost, fresh: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("STORE_BYTES", 1_400_000), ("GROWTH", 250_000), ("AGAIN_SECONDS", 0.0)):
        monkeypatch.setattr(f"runs.host.holdings.{name}", value)
    host.acquire(fresh.pk)
    data = {**CONFIG_MAP, "data": {"a": "x" * 300_000}}

    def create(name: str) -> int:
        answer = ask(host, fresh, MAPS, "POST", {**data, "metadata": {"name": name}})
        return int(answer.status_code)

    statuses = [create(f"n{number}") for number in range(6)]
    assert statuses == [201] * statuses.count(201) + [403] * statuses.count(403)
    assert 3 <= statuses.count(201) <= 5
    assert ask(host, fresh, f"{MAPS}/n0", "DELETE").status_code == 200
    assert ask(host, fresh, f"{MAPS}/n1", "DELETE").status_code == 200
    assert create("again") == 201


def test_a_refused_write_is_kept_without_its_body(host: EngineHost, fresh: Run) -> None:
    host.acquire(fresh.pk)
    bad = {**CONFIG_MAP, "metadata": {"name": "Bad_"}, "data": {"a": "x" * 100_000}}
    assert ask(host, fresh, MAPS, "POST", bad).status_code == 422
    assert eventually(lambda: kinds(fresh)[-1] == "refused")
    last = JournalEntry.objects.filter(run=fresh).latest("seq")
    assert (last.kind, len(last.payload) < 1_000) == ("refused", True)


def test_a_keyframe_is_kept_from_the_beginning(host: EngineHost, fresh: Run) -> None:
    """So that a later engine, which could not replay the journal, goes on with a run that was just begun."""
    host.acquire(fresh.pk)
    assert eventually(Keyframe.objects.filter(run=fresh).exists), "it is written in a thread"
    assert len(host.runs[fresh.pk].cluster.journal) <= 1


def test_time_that_was_seen_is_not_lost_with_redis(host: EngineHost, fresh: Run) -> None:
    host.acquire(fresh.pk)
    hosted = host.runs[fresh.pk]
    hosted.driver.catch_up()
    reached = hosted.cluster.clock.now
    seen = [Seen(fresh.pk, hosted.epoch, hosted.user_id, reached, 0.42), Seen(fresh.pk, 7, 0, 1, 1.0)]
    note_activity(seen)
    assert find({hosted.user_id, 0}, {fresh.pk: hosted.epoch}) == Found(
        set(), {hosted.user_id: Run.objects.get().kept_bytes}
    )
    fresh.refresh_from_db()
    assert services.notice_of(fresh) == "Your cluster is busy: it runs at 0.4 ×."
    registry.sync_redis().flushdb()
    host.acquire(fresh.pk)
    from runs.host import building

    assert building.build(journal.take_over(fresh.pk)).cluster.clock.now >= reached


IDLE = [
    ("just used", 0, 0, False),
    ("long unused", 61, 0, True),
    ("unused, but watched", 61, 1, False),
    ("watched for too long", 361, 1, True),
]


@pytest.mark.parametrize(
    ("seconds", "in_use", "expected"), [row[1:] for row in IDLE], ids=[row[0] for row in IDLE]
)
def test_idle(host: EngineHost, fresh: Run, settings: Any, seconds: int, in_use: int, expected: bool) -> None:
    settings.RUN_IDLE_SECONDS = 60
    host.acquire(fresh.pk)
    hosted = host.runs[fresh.pk]
    hosted.in_use = in_use
    assert hosted.is_idle(hosted.last_active + seconds) is expected
