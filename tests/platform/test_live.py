"""A tab's socket on the host: what its channels carry, in which order, and what ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from runs.host import live, map_channel, status_channel, ticker
from runs.host.checker import Checker
from runs.host.live import Tabs
from runs.host.status_channel import StatusChannel

from cluster_engine.cluster import Cluster
from cluster_engine.serving import ClusterApp


class Browser:
    """One tab: what it is sent, by watch, and what it sends."""

    def __init__(self, tabs: Tabs) -> None:
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.news = asyncio.Event()
        self.text: list[dict[str, Any]] = []
        self.status: list[dict[str, Any]] = []
        self.bytes: dict[str, bytes] = {}
        self.sizes: list[int] = []
        self.order: list[str] = []
        self.closed: int | None = None
        self.say_raw("connect", None)
        self.task = asyncio.ensure_future(tabs.serve(self.inbox.get, self.send))

    def say_raw(self, kind: str, text: str | None) -> None:
        self.inbox.put_nowait({"type": f"websocket.{kind}", "text": text})

    def say(self, **message: Any) -> None:
        self.say_raw("receive", json.dumps({"ch": "map", **message}))

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.close":
            self.closed = message["code"]
        elif message.get("text"):
            frame = json.loads(message["text"])
            (self.status if frame["ch"] == "status" else self.text).append(frame)
        elif data := message.get("bytes"):
            address, body = data[1 : 1 + data[0]].decode(), data[1 + data[0] :]
            self.bytes[address] = self.bytes.get(address, b"") + body
            self.sizes.append(len(body))
            self.order.append(address)
        self.news.set()
        await asyncio.sleep(0)

    def events(self, name: str) -> list[tuple[str, str]]:
        """(type, name of the object); bookmarks aside."""
        whole = self.bytes.get(f"map/{name}", b"").split(b"\n")[:-1]
        found = [json.loads(line) for line in whole]
        return [(e["type"], e["object"]["metadata"]["name"]) for e in found if e["type"] != "BOOKMARK"]

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(60):
            while not holds():
                self.news.clear()
                await self.news.wait()


def config_map(name: str, text: str = "x") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": text}}


def play(scene: Callable[[Cluster, Tabs], Awaitable[None]]) -> None:
    async def run() -> None:
        cluster = Cluster(nodes=1, freezing=True)
        nobody: Any = None  # no test here follows the checks
        clock: Any = SimpleNamespace(turns=0, state=lambda: {"now": cluster.now, "speed": 1.0, "resume": 1.0})
        tabs = Tabs()
        tabs.go_on(ClusterApp(cluster), Checker(nobody), clock)
        await scene(cluster, tabs)

    asyncio.run(run())


def test_what_is_there_comes_first_then_what_changes() -> None:
    async def scene(cluster: Cluster, tabs: Tabs) -> None:
        tab = Browser(tabs)
        tab.say(type="watch", resources={"namespaces": "", "nodes": ""})
        await tab.until(lambda: ("ADDED", "default") in tab.events("namespaces") and tab.events("nodes"))
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "survey"}})
        await tab.until(lambda: ("ADDED", "survey") in tab.events("namespaces"))
        tab.say(type="pause")
        await asyncio.sleep(0.05)
        cluster.delete("namespaces", "survey")
        await asyncio.sleep(0.05)
        assert ("DELETED", "survey") not in tab.events("namespaces")

    play(scene)


def test_a_tab_that_comes_again_gets_what_it_missed_and_no_more() -> None:
    async def scene(cluster: Cluster, tabs: Tabs) -> None:
        cluster.apply(config_map("before"))
        seen = cluster.get("configmaps", "before", "default")
        assert seen is not None
        cluster.apply(config_map("missed"))
        tab = Browser(tabs)
        tab.say(type="watch", resources={"configmaps": seen["metadata"]["resourceVersion"]})
        await tab.until(lambda: tab.events("configmaps"))
        assert tab.events("configmaps") == [("ADDED", "missed")]
        assert b'"data"' not in tab.bytes["map/configmaps"], "the map wants their names alone"

    play(scene)


def test_a_version_that_is_too_old_ends_the_watch() -> None:
    async def scene(cluster: Cluster, tabs: Tabs) -> None:
        for turn in range(2_100):
            cluster.apply(config_map("busy", str(turn)))
        tab = Browser(tabs)
        tab.say(type="watch", resources={"configmaps": "1"})
        await tab.until(lambda: tab.text)
        assert tab.text == [{"ch": "map", "type": "ended", "resource": "configmaps"}]
        assert b'"code":410' in tab.bytes["map/configmaps"]

    play(scene)


@pytest.mark.parametrize("component", ["kube-apiserver", "etcd"])
def test_what_does_not_run_is_told_of_and_watches_go_on_after_it(component: str) -> None:
    async def scene(cluster: Cluster, tabs: Tabs) -> None:
        tab = Browser(tabs)
        tab.say(type="watch", resources={"configmaps": ""})
        await tab.until(lambda: tab.bytes)
        for stopped in (True, False):
            cluster.fault("component/stop", component=component, stopped=stopped)
            cluster.advance(60)
            await tab.until(lambda: tab.text)
            assert tab.text == [{"ch": "map", "type": "server", "stopped": [component] if stopped else []}]
            tab.text.clear()
        cluster.apply(config_map("afterwards"))
        await tab.until(lambda: ("ADDED", "afterwards") in tab.events("configmaps"))

    play(scene)


def test_a_large_watch_is_cut_and_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_channel, "FRAME", 512)

    async def scene(cluster: Cluster, tabs: Tabs) -> None:
        tab = Browser(tabs)
        tab.say(type="watch", resources={"namespaces": "", "nodes": "", "services": ""})
        await tab.until(lambda: b"BOOKMARK" in tab.bytes.get("map/nodes", b""))
        assert max(tab.sizes) == 512
        assert len(set(tab.order[:3])) == 3, tab.order

    play(scene)


BAD = [
    pytest.param("not json", id="no JSON"),
    pytest.param("[]", id="no object"),
    pytest.param('{"ch": "cellar", "type": "watch"}', id="no such channel"),
    pytest.param('{"ch": "map", "type": "dig"}', id="no such message"),
    pytest.param('{"ch": "map", "type": "watch", "resources": {"leases": ""}}', id="no such resource"),
    pytest.param('{"ch": "map", "type": "watch", "resources": {"pods": 7}}', id="a version that is no text"),
    pytest.param('{"ch": "map", "type": "watch", "resources": ["pods"]}', id="a list"),
    pytest.param('{"ch": "ticker", "type": "stop"}', id="no message of the ticker's"),
    pytest.param('{"ch": "ticker", "type": "follow", "on": true, "language": "xx"}', id="no language"),
    pytest.param('{"ch": "traffic", "type": "follow"}', id="traffic, and no word whether"),
]


@pytest.mark.parametrize("text", BAD)
def test_a_frame_that_fits_no_channel_ends_the_socket(text: str) -> None:
    async def scene(cluster: Cluster, tabs: Tabs) -> None:
        tab = Browser(tabs)
        tab.say_raw("receive", text)
        async with asyncio.timeout(60):
            await tab.task
        assert tab.closed == live.CLOSE_BAD

    play(scene)


def test_one_tab_too_many_sends_the_oldest_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_TABS", 2)

    async def scene(cluster: Cluster, tabs: Tabs) -> None:
        first, second = Browser(tabs), Browser(tabs)
        await asyncio.sleep(0)
        third = Browser(tabs)
        await first.task
        assert first.closed == live.CLOSE_AGAIN
        tabs.close()
        await asyncio.gather(second.task, third.task)
        assert (second.closed, third.closed) == (live.CLOSE_AGAIN,) * 2

    play(scene)


def test_a_slow_cluster_is_told_and_a_usual_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_channel, "LOOK_SECONDS", 0.0)

    async def scene(cluster: Cluster, tabs: Tabs) -> None:
        driver = SimpleNamespace(pace=1.0)
        wakes = asyncio.Event()
        clock = SimpleNamespace(turns=0, state=lambda: {"now": "t", "speed": 1.0, "resume": 1.0})
        channel = StatusChannel(driver, clock, wakes.set)  # type: ignore[arg-type]
        first = {"ch": "status", "type": "clock", "now": "t", "speed": 1.0, "resume": 1.0}
        assert json.loads(str(channel.take())) == first
        assert channel.take() is None
        for pace, told in ((0.42, 0.4), (0.02, 0.1), (0.95, 1.0)):
            driver.pace = pace
            await wakes.wait()
            wakes.clear()
            assert json.loads(str(channel.take())) == {"ch": "status", "type": "pace", "pace": told}
            assert channel.take() is None
        channel.close()
        with pytest.raises(ValueError, match="told"):
            await channel.receive({"type": "faster"})

    play(scene)


@pytest.mark.parametrize(
    ("language", "said"), [("en", "created the ConfigMap news"), ("zh-hans", "创建了 ConfigMap news")]
)
def test_the_ticker_tells_what_happens_from_now_on(
    monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    monkeypatch.setattr(ticker, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(ticker, "TOLD", 2)

    async def scene(cluster: Cluster, tabs: Tabs) -> None:
        cluster.apply(config_map("before"))
        tab = Browser(tabs)
        follow = {"ch": "ticker", "type": "follow", "on": True, "language": language}
        tab.say_raw("receive", json.dumps(follow))
        for turn in range(1_000):
            await asyncio.sleep(0.03)
            if tab.text:
                break
            for name in ("old", "older", "news"):
                cluster.apply(config_map(name, str(turn)))
        told = tab.text[0]
        assert (told["type"], told["more"], len(told["items"])) == ("happened", 1, 2)
        assert said in told["items"][-1]["text"], told
        assert told["items"][-1]["component"]
        tab.say_raw("receive", json.dumps({**follow, "on": False}))
        await asyncio.sleep(0.05)
        told_so_far = len(tab.text)
        cluster.apply(config_map("unheard"))
        await asyncio.sleep(0.05)
        assert len(tab.text) == told_so_far

    play(scene)
