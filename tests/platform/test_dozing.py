"""A run that nobody has used for a while is held as its keyframe, and nobody can tell."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from runs import hosting, registry, services
from runs.host import live, resting
from runs.host.doze import Doze
from runs.host.host import EngineHost
from runs.models import JournalEntry, Keyframe, Run
from runs.proxy.sockets import open_socket
from test_engine_host import CONFIG_MAP, MAPS, ask, eventually
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MINUTE = 60_000_000


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineHost]:
    """One whose janitor comes when a test calls it."""
    monkeypatch.setattr("runs.host.upkeep.JANITOR_SECONDS", 3_600)
    host = EngineHost()
    host.start()
    yield host
    host.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to wait for two minutes."""
    monkeypatch.setattr("runs.host.resting.DOZE_SECONDS", 0)
    monkeypatch.setattr("runs.host.resting.HOLD_SECONDS", 0)
    monkeypatch.setattr("runs.host.resting.RESTS_LEAST", 0)


async def _look(host: EngineHost, run: Run) -> bool:
    hosted = host.runs[run.pk]
    host.pacer.wake(hosted.driver)
    await asyncio.sleep(0.01)
    return hosted.may_doze(asyncio.get_running_loop().time())


def doze(host: EngineHost, run: Run) -> Doze:
    """Has it doze, as the janitor does."""
    hosted = host.runs[run.pk]
    assert eventually(lambda: host.call(_look(host, run)))
    host.call(host.doze(hosted))
    return host.dozing[run.pk]


@pytest.fixture
def dozing(quick: None, host: EngineHost, make_run: Callable[..., Run]) -> Run:
    run = make_run(state="requested")
    host.acquire(run.pk)
    ask(host, run, MAPS, "POST", CONFIG_MAP)
    ask(host, run, "", "PUT", {"path": "web.yaml", "content": "a: 1\n"}, prefix="files")
    host.call(host.passivate(host.runs[run.pk]))
    host.acquire(run.pk)
    doze(host, run)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("past", [False, True], ids=["a lab", "one that asks for the past"])
def test_what_wakes_is_what_dozed(
    host: EngineHost, quick: None, make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, past: bool
) -> None:
    monkeypatch.setattr("labs.kit.lab.Lab.keeps_history", past)
    run = make_run(state="requested")
    host.acquire(run.pk)
    ask(host, run, MAPS, "POST", CONFIG_MAP)
    straight = host.runs[run.pk].cluster
    held = doze(host, run)
    assert held.built().cluster.state_hash() == straight.state_hash()
    assert held.built().cluster.store.past() == (straight.store.past() if past else {})
    assert len(held.keyframe) < 50_000
    held.since -= 5 * MINUTE  # so long ago
    assert ask(host, run, f"{MAPS}/note").status_code == 200
    woken = host.runs[run.pk]

    async def now() -> tuple[int, str]:
        return woken.cluster.clock.now, woken.cluster.state_hash()

    reached, state = host.call(now())
    assert reached > held.built().cluster.clock.now + 5 * MINUTE, "what happened meanwhile is worked out"
    straight.clock.run_until(reached)
    assert straight.state_hash() == state


WAYS = [
    ("its API", f"{MAPS}/note", "GET", None, "clusters"),
    ("a write", MAPS, "POST", {**CONFIG_MAP, "metadata": {"name": "more"}}, "clusters"),
    ("its clock", "", "GET", None, "clock"),
    ("a check", "", "POST", None, "check"),
    ("a file", "", "PUT", {"path": "more.yaml", "content": "b: 2\n"}, "files"),
    ("its past", "", "GET", None, "timeline"),
]


@pytest.mark.parametrize(
    ("path", "method", "data", "prefix"), [row[1:] for row in WAYS], ids=[row[0] for row in WAYS]
)
def test_who_asks_wakes_it(
    host: EngineHost, dozing: Run, settings: Any, path: str, method: str, data: Any, prefix: str
) -> None:
    settings.CHECK_SECONDS = 100  # its process has to be begun, beside all that a busy machine does
    assert (set(host.runs), set(host.dozing), host.tokens) == (set(), {dozing.pk}, {})
    assert ask(host, dozing, path, method, data, prefix).status_code in (200, 201)
    assert (set(host.runs), host.dozing) == ({dozing.pk}, {})
    hosted = host.runs[dozing.pk]
    assert {"path": "web.yaml", "content": "a: 1\n"} in hosted.files()
    assert ask(host, dozing, f"{MAPS}/note", "DELETE").status_code == 200, "its journal goes on"
    host.call(host.passivate(hosted))
    host.acquire(dozing.pk)
    assert ask(host, dozing, f"{MAPS}/note").status_code == 404


@pytest.mark.parametrize("path", ["terminal", "live"])
def test_a_socket_wakes_it(host: EngineHost, dozing: Run, path: str) -> None:
    location = registry.Location(host.url, dozing.epoch, host.name)

    async def scene() -> None:
        socket = await open_socket(location, f"/{path}/{dozing.pk}", [])
        assert await socket.recv()
        assert not host.runs[dozing.pk].may_doze(asyncio.get_running_loop().time() + 3_600)
        await socket.close()

    asyncio.run(scene())


class Visit:
    """A browser at a run: a tab that follows its ConfigMaps, and a terminal."""

    def __init__(self, host: EngineHost, run: Run) -> None:
        self._host = host
        self._run = run
        self.shown = {"live": b"", "terminal": b""}
        self.codes: dict[str, int | None] = {}
        self._sockets: dict[str, ClientConnection] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Visit:
        location = registry.Location(self._host.url, self._run.epoch, self._host.name)
        for path in self.shown:
            socket = self._sockets[path] = await open_socket(location, f"/{path}/{self._run.pk}", [])
            self._tasks.append(asyncio.ensure_future(self._read(path, socket)))
        watch = {"ch": "map", "type": "watch", "resources": {"configmaps": ""}}
        await self.say("live", **watch)
        await self.until(lambda: b"initial-events-end" in self.shown["live"])
        return self

    async def __aexit__(self, *error: object) -> None:
        for socket in self._sockets.values():
            await socket.close()
        await asyncio.gather(*self._tasks)

    async def _read(self, path: str, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for message in socket:
                self.shown[path] += message.encode() if isinstance(message, str) else message
        self.codes[path] = socket.close_code

    async def say(self, path: str, **message: Any) -> None:
        await self._sockets[path].send(json.dumps(message))

    @staticmethod
    async def until(holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(60):
            while not holds():
                await asyncio.sleep(0.01)

    async def dozes(self) -> Doze:
        """Has the run doze, as the janitor does, when nothing is left to tell."""

        async def round_() -> None:
            if (hosted := self._host.runs.get(self._run.pk)) is not None:
                hosted._ahead_at = 0.0
            await self._host.upkeep.have_doze()

        async with asyncio.timeout(60):
            while self._run.pk not in self._host.dozing:
                await asyncio.to_thread(self._host.call, round_())
        return self._host.dozing[self._run.pk]


@pytest.fixture
def lived(quick: None, host: EngineHost, make_run: Callable[..., Run]) -> Run:
    """A run in which nothing is due."""
    run = make_run(state="requested")
    host.acquire(run.pk)
    host.call(host.runs[run.pk].clock.act({"action": "advance", "seconds": 600}))
    return run


def test_a_run_with_an_open_tab_and_a_terminal_dozes(
    host: EngineHost, lived: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runs.host.hosted.RELEASE_SECONDS", 0)

    async def scene() -> None:
        async with Visit(host, lived) as visit:
            awake = weakref.ref(host.runs[lived.pk])
            held = await visit.dozes()

            def gone() -> bool:
                gc.collect()
                return awake() is None

            await visit.until(gone)  # no socket keeps the cluster in memory
            assert held.watched
            told = len(visit.shown["live"])
            answer = await asyncio.to_thread(ask, host, lived, MAPS, "POST", CONFIG_MAP)
            assert answer.status_code == 201
            await visit.until(lambda: b'"name":"note"' in visit.shown["live"][told:])
            await visit.dozes()
            await visit.say("terminal", type="input", data="echo a$((1+1))b\n")
            await visit.until(lambda: b"a2b" in visit.shown["terminal"])
            assert lived.pk in host.runs
            await visit.dozes()
            await visit.say("live", ch="map", type="watch", resources={"nodes": ""})
            await visit.until(lambda: b'"kind":"Node"' in visit.shown["live"])
            assert visit.shown["live"].count(b'"name":"note"') == 1, "nothing is told twice"
            assert not visit.codes

    asyncio.run(scene())


def test_it_wakes_by_itself_when_something_is_due(host: EngineHost, lived: Run) -> None:
    async def scene() -> None:
        async with Visit(host, lived) as visit:
            held = await visit.dozes()
            assert held.alarm is not None
            assert 0 < held.alarm.when() - held.last_active < 2 * resting.RESTS_LONGEST
            held.since -= 5 * MINUTE
            assert host.loop is not None
            host.loop.call_soon_threadsafe(host._ring, held)
            await visit.until(lambda: lived.pk in host.runs and not host.runs[lived.pk].driver.dozing)
            assert host.runs[lived.pk].last_active == held.last_active, "nobody has used it"
            held = await visit.dozes()
        await visit.until(lambda: not held.watched)
        host.loop.call_soon_threadsafe(host._ring, held)
        host.call(asyncio.sleep(0.01))
        assert lived.pk in host.dozing, "nobody is there any more"

    asyncio.run(scene())


def test_who_is_connected_to_what_cannot_be_woken_comes_again(host: EngineHost, lived: Run) -> None:
    async def scene() -> None:
        async with Visit(host, lived) as visit:
            held = await visit.dozes()
            held.keyframe = b"DRYDOCK2"
            assert host.loop is not None
            host.loop.call_soon_threadsafe(host._ring, held)
            await visit.until(lambda: len(visit.codes) == 2)
            assert visit.codes["live"] == live.CLOSE_AGAIN
        assert not host.residents
        await asyncio.to_thread(host.acquire, lived.pk)
        await asyncio.to_thread(lived.refresh_from_db)
        async with Visit(host, lived) as visit:
            assert b"kube-root-ca.crt" in visit.shown["live"]

    asyncio.run(scene())


BESIDE_A_TAB = [
    ("what runs in its terminal", lambda hosted: _type(hosted, "sleep 1000 &")),
    ("a check that is to come", lambda hosted: setattr(hosted.checker, "_owes", True)),
    ("a tab that was not told all", lambda hosted: hosted.told()),
    ("a request", lambda hosted: setattr(hosted, "in_use", 1)),
]


@pytest.mark.parametrize("change", [row[1] for row in BESIDE_A_TAB], ids=[row[0] for row in BESIDE_A_TAB])
def test_what_keeps_a_run_with_a_tab_awake(
    host: EngineHost, lived: Run, change: Callable[[Any], Any]
) -> None:
    async def scene() -> None:
        async with Visit(host, lived) as visit:
            await visit.dozes()
            await asyncio.to_thread(ask, host, lived, MAPS)
            hosted = host.runs[lived.pk]

            async def looks() -> bool:
                loop = asyncio.get_running_loop()
                async with asyncio.timeout(60):
                    while not hosted.may_look_ahead(loop.time()):
                        await asyncio.sleep(0.01)
                change(hosted)
                return hosted.may_look_ahead(loop.time())

            assert not await asyncio.to_thread(host.call, looks())

    asyncio.run(scene())


@pytest.mark.parametrize("past", [False, True])
def test_checks_are_told_the_past_where_the_lab_asks_for_it(
    host: EngineHost, make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, past: bool
) -> None:
    monkeypatch.setattr("labs.kit.lab.Lab.keeps_history", past)
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(host.graders, "grade", lambda *asks: asked.append(asks) or {})
    run = make_run(state="requested")
    host.acquire(run.pk)
    host.call(host.runs[run.pk].grade())
    assert [asks[2] for asks in asked] == [past]


def test_many_who_come_at_once_find_one_cluster(host: EngineHost, dozing: Run) -> None:
    async def come() -> list[Any]:
        return await asyncio.gather(*(host.awake(dozing.pk) for _ in range(5)))

    found = host.call(come())
    assert all(one is host.runs[dozing.pk] for one in found)


def test_the_janitor_has_a_few_doze_at_a_time(
    host: EngineHost, quick: None, make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runs.host.upkeep.DOZES", 2)
    for role in ("owner", "other", "guest"):
        run = make_run(role, state="requested")
        host.acquire(run.pk)
        assert eventually(lambda run=run: host.call(_look(host, run)))  # type: ignore[misc]
    monkeypatch.setattr("runs.host.upkeep.JANITOR_SECONDS", 0)  # by now the host's own is waiting
    host.call(host.upkeep.janitor())
    assert (len(host.runs), len(host.dozing)) == (1, 2)
    host.call(host.upkeep.janitor())
    assert (len(host.runs), len(host.dozing)) == (0, 3)


KEEPS_AWAKE = [
    ("a request", lambda hosted: setattr(hosted, "in_use", 1)),
    ("what runs in a terminal", lambda hosted: _type(hosted, "sleep 1000 &")),
    ("a script", lambda hosted: setattr(hosted.terminal, "_script", object())),
    ("a file that is not kept yet", lambda hosted: hosted.terminal.session().save("a", b"b")),
    ("a keyframe under way", lambda hosted: setattr(hosted.framing, "_rests_until", float("inf"))),
]


@pytest.mark.parametrize("change", [row[1] for row in KEEPS_AWAKE], ids=[row[0] for row in KEEPS_AWAKE])
def test_what_a_keyframe_does_not_say_keeps_it_awake(
    host: EngineHost, quick: None, make_run: Callable[..., Run], change: Callable[[Any], Any]
) -> None:
    run = make_run(state="requested")
    host.acquire(run.pk)
    assert eventually(lambda: host.call(_look(host, run)))

    async def changed() -> bool:
        hosted = host.runs[run.pk]
        change(hosted)
        for _ in range(3):  # the terminal's machine has its turns
            await asyncio.sleep(0)
        return hosted.may_doze(asyncio.get_running_loop().time())

    assert not host.call(changed())


def _type(hosted: Any, line: str) -> None:
    hosted.terminal.session().open("1", 80, 24)
    hosted.terminal.session().feed("1", f"{line}\n")


def _shown(hosted: Any) -> str:
    return bytes(hosted.terminal._screen("1")._scrollback).decode()


def test_what_it_has_beside_its_cluster_stays(
    host: EngineHost, quick: None, make_run: Callable[..., Run]
) -> None:
    run = make_run(state="requested")
    host.acquire(run.pk)
    hosted, page = host.runs[run.pk], ("Pod", "a", "b")
    token = hosted.token

    async def live() -> None:
        _type(hosted, "place=quay; mkdir -p ships; cd ships; echo a-$place")
        hosted._jars.take(page, "/", "c=d")
        await hosted.clock.act({"action": "speed", "speed": 2})
        await hosted.clock.act({"action": "pause"})
        hosted.checker._note(5_000_000, [{"id": "one", "title": {"en": "One"}, "state": "passed"}])

    host.call(live())
    assert eventually(lambda: "a-quay" in _shown(hosted))
    before = host.call(_clock(hosted))
    doze(host, run)
    assert host.tokens == {}
    ask(host, run, MAPS)
    woken = host.runs[run.pk]
    assert woken is not hosted
    assert host.tokens == {token: woken}
    assert host.call(_clock(woken)) == before, "time has stood still"
    assert (before["speed"], before["resume"]) == (0.0, 2.0)
    assert woken._jars.header(page, "/") == "c=d"
    assert [verdict["state"] for verdict in woken.checker.results.verdicts] == ["passed"]

    async def go_on() -> None:
        _type(woken, 'echo "$place-${PWD##*/}"; time now')

    host.call(go_on())
    assert eventually(lambda: "quay-ships" in _shown(woken) and "time stands still" in _shown(woken))
    assert "a-quay" in _shown(woken), "its screen stands as it was"
    doze(host, run)
    host.call(host.passivate(host.dozing[run.pk]))
    assert woken.terminal.has_session is False


async def _clock(hosted: Any) -> dict[str, Any]:
    state: dict[str, Any] = hosted.clock.state()
    return state


def test_a_clock_that_stands_is_asked_whether_anybody_is_there(
    host: EngineHost, quick: None, make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(state="requested")
    host.acquire(run.pk)

    async def pause() -> None:
        await host.runs[run.pk].clock.act({"action": "pause"})

    host.call(pause())
    monkeypatch.setattr("runs.host.upkeep.JANITOR_SECONDS", 0)

    def dozes() -> bool:
        host.call(host.upkeep.janitor())
        return run.pk in host.dozing

    assert eventually(dozes)


def test_who_comes_while_it_is_packed_finds_it_awake(
    host: EngineHost, quick: None, make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(state="requested")
    host.acquire(run.pk)
    hosted = host.runs[run.pk]
    assert eventually(lambda: host.call(_look(host, run)))
    pack = host.pack

    async def slowly(fork: Any) -> bytes:
        data = await pack(fork)
        answer = await host.in_thread(ask, host, run, MAPS, "POST", CONFIG_MAP)
        assert answer.status_code == 201
        return data

    with monkeypatch.context() as patch:
        patch.setattr(host, "pack", slowly)
        host.call(host.doze(hosted))
    assert (host.runs, host.dozing) == ({run.pk: hosted}, {})
    assert ask(host, run, f"{MAPS}/note").status_code == 200


def test_it_goes_to_sleep_from_there(host: EngineHost, dozing: Run, settings: Any) -> None:
    settings.RUN_IDLE_SECONDS = 0
    kept = Keyframe.objects.filter(run=dozing).count(), JournalEntry.objects.filter(run=dozing).count()
    host.call(host.upkeep.janitor())
    assert not host.residents
    assert asyncio.run(registry.find(dozing.pk)) is None
    assert (
        Keyframe.objects.filter(run=dozing).count(),
        JournalEntry.objects.filter(run=dozing).count(),
    ) == kept, "all was kept already"
    settings.RUN_IDLE_SECONDS = 1_000
    host.acquire(dozing.pk)
    assert ask(host, dozing, f"{MAPS}/note").status_code == 200


def test_it_is_its_hosts_as_before(host: EngineHost, dozing: Run) -> None:
    registry.sync_redis().flushdb()
    host.call(host.upkeep.beat())
    found = asyncio.run(registry.find(dozing.pk))
    assert found is not None
    assert found.host == host.name
    host.acquire(dozing.pk)
    assert dozing.pk in host.dozing, "a run that is here stays as it is"
    services.stop(dozing)
    assert not host.residents


def test_one_that_another_host_took_is_let_go(host: EngineHost, dozing: Run) -> None:
    other = EngineHost()
    other.start()
    try:
        other.acquire(dozing.pk)
        assert ask(other, dozing, f"{MAPS}/note").status_code == 200
        late = ask(host, dozing, MAPS, "POST", {**CONFIG_MAP, "metadata": {"name": "late"}})
        # 504: the host lets the run go, as its claim says, in the moment of the write.
        assert late.status_code in (hosting.MISDIRECTED, 504), "what it would write is fenced"
        assert ask(other, dozing, f"{MAPS}/late").status_code == 404
    finally:
        other.stop()


def test_a_keyframe_that_cannot_be_read_costs_the_host_its_run(host: EngineHost, dozing: Run) -> None:
    host.dozing[dozing.pk].keyframe = b"DRYDOCK2"
    assert ask(host, dozing, f"{MAPS}/note").status_code == hosting.MISDIRECTED
    assert not host.residents
    host.acquire(dozing.pk)
    assert ask(host, dozing, f"{MAPS}/note").status_code == 200
