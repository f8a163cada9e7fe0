"""A run with open tabs dozes between the things that they are told, and nobody at a tab can tell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from runs.host import ahead, live, ticker
from runs.host.ahead import still_until
from runs.host.checker import Checker
from runs.host.live import Tabs
from test_live import Browser, config_map

from cluster_engine.cluster import Cluster
from cluster_engine.serving import ClusterApp
from cluster_engine.sim import SECOND

MINUTE = 60 * SECOND
WATCHED = {"namespaces": "", "configmaps": "", "nodes": "", "pods": ""}
FOLLOW = {"type": "follow", "on": True, "language": "en"}

AFTERWARDS: list[tuple[str, Callable[[Cluster], Any], list[tuple[str, str]]]] = [
    ("nothing", lambda cluster: None, []),
    ("one is made", lambda cluster: cluster.apply(config_map("new")), [("ADDED", "new")]),
    ("one changes", lambda cluster: cluster.apply(config_map("seen", "y")), [("MODIFIED", "seen")]),
    ("one goes", lambda cluster: cluster.delete("configmaps", "seen", "default"), [("DELETED", "seen")]),
]


def attach(tabs: Tabs, cluster: Cluster) -> None:
    nobody: Any = None  # no test here follows the checks
    clock: Any = SimpleNamespace(turns=0, state=lambda: {"now": cluster.now, "speed": 1.0, "resume": 1.0})
    tabs.go_on(ClusterApp(cluster), Checker(nobody), clock)


async def followed(cluster: Cluster, tabs: Tabs) -> Browser:
    """A tab that has been told all that there is."""
    attach(tabs, cluster)
    tab = Browser(tabs)
    tab.say(type="watch", resources=WATCHED)
    for channel in ("ticker", "traffic"):
        tab.say_raw("receive", json.dumps({"ch": channel, **FOLLOW}))
    ends = b"initial-events-end"
    await tab.until(lambda: all(ends in tab.bytes.get(f"map/{name}", b"") for name in WATCHED))
    await still(tabs)
    return tab


async def still(tabs: Tabs) -> None:
    async with asyncio.timeout(60):
        while not tabs.quiet:
            await asyncio.sleep(0.001)


def come_back(tabs: Tabs, cluster: Cluster) -> Cluster:
    """The cluster leaves memory and comes back."""
    woken = Cluster.resume(cluster.keyframe())

    async def back() -> None:
        attach(tabs, woken)

    tabs.rest(back)
    return woken


@pytest.fixture(scope="module")
def lived() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.clock.run_until(cluster.clock.now + 10 * MINUTE)
    cluster.apply(config_map("seen"))
    cluster.clock.run_until(cluster.clock.now + MINUTE)
    return cluster


@pytest.mark.parametrize(
    ("change", "told"), [row[1:] for row in AFTERWARDS], ids=[row[0] for row in AFTERWARDS]
)
@pytest.mark.parametrize("times", [1, 3])
def test_a_tab_is_told_no_thing_twice_and_misses_none(
    lived: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Cluster], Any],
    told: list[Any],
    times: int,
) -> None:
    monkeypatch.setattr(ticker, "LOOK_SECONDS", 0.001)

    async def scene() -> None:
        tabs, cluster = Tabs(), lived.fork()
        tab = await followed(cluster, tabs)
        seen, texts = {name: tab.bytes[f"map/{name}"] for name in WATCHED}, len(tab.text)
        known = len(tab.events("configmaps"))
        for _ in range(times):
            cluster = come_back(tabs, cluster)
            attach(tabs, cluster)
            await still(tabs)
        assert {name: tab.bytes[f"map/{name}"] for name in WATCHED} == seen
        assert (len(tab.text), len(tab.status)) == (texts, 1), (
            "neither what has happened nor the clock is told once more"
        )
        change(cluster)
        await tab.until(lambda: len(tab.events("configmaps")) - known == len(tab.text) - texts == len(told))
        assert tab.events("configmaps")[known:] == told
        cluster.clock.run_until(cluster.clock.now + 6 * MINUTE)
        await tab.until(lambda: [kind for kind, _ in tab.events("nodes")].count("MODIFIED") >= 2)
        assert [kind for kind, _ in tab.events("nodes")].count("ADDED") == 2

    asyncio.run(scene())


def test_what_a_tab_says_meanwhile_brings_the_cluster_back(lived: Cluster) -> None:
    async def scene() -> None:
        tabs = Tabs()
        tab = await followed(lived.fork(), tabs)
        tab.say(type="pause")
        await still(tabs)
        woken = come_back(tabs, lived)
        before = len(tab.bytes["map/namespaces"])
        tab.say(type="watch", resources={"namespaces": ""})
        await tab.until(lambda: len(tab.bytes["map/namespaces"]) == 2 * before)
        woken.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "survey"}})
        await tab.until(lambda: ("ADDED", "survey") in tab.events("namespaces"))

    asyncio.run(scene())


@pytest.mark.parametrize("comes", ["a message", "a tab"])
def test_where_it_is_not_back_the_browser_is_to_come_again(lived: Cluster, comes: str) -> None:
    async def scene() -> None:
        tabs = Tabs()
        tab = await followed(lived.fork(), tabs)

        async def back() -> None:
            """It cannot be brought back."""

        tabs.rest(back)
        if comes == "a message":
            tab.say(type="pause")
        else:
            tab = Browser(tabs)
        async with asyncio.timeout(60):
            await tab.task
        assert tab.closed == live.CLOSE_AGAIN

    asyncio.run(scene())


def test_a_tab_that_has_not_been_told_all_keeps_it_awake(lived: Cluster) -> None:
    async def scene() -> None:
        tabs, cluster = Tabs(), lived.fork()
        await followed(cluster, tabs)
        cluster.apply(config_map("untold"))
        assert not tabs.quiet
        await still(tabs)

    asyncio.run(scene())


def _pod(command: str) -> dict[str, Any]:
    container = {"name": "c", "image": "busybox", "command": ["sh", "-c", command]}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"},
        "spec": {"containers": [container]},
    }  # fmt: skip


_JOB = {
    "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c", "namespace": "default"},
    "spec": {
        "schedule": "*/5 * * * *",
        "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox", "command": ["true"]}],
        }}}},
    },
}  # fmt: skip

STILL = [
    ("nobody acts", None, 200, 600, 600),
    ("a schedule", _JOB, 200, 1, 300),
    ("a Pod that writes", _pod("while true; do date; sleep 5; done"), 200, 0, 5),
    ("a Pod that waits", _pod("sleep 100000"), 200, 600, 600),
    ("a Pod that ends later", _pod("sleep 240"), 200, 1, 240),
    ("more to do than is looked at", None, 3, 1, 599),
]


@pytest.mark.parametrize(
    ("manifest", "events", "least", "most"), [row[1:] for row in STILL], ids=[row[0] for row in STILL]
)
def test_how_long_a_cluster_is_still(
    lived: Cluster, monkeypatch: pytest.MonkeyPatch, manifest: Any, events: int, least: int, most: int
) -> None:
    monkeypatch.setattr(ahead, "EVENTS", events)
    cluster = lived.fork()
    if manifest is not None:
        cluster.apply(manifest)
        cluster.clock.run_until(cluster.clock.now + 30 * SECOND)
    now = cluster.clock.now
    due = asyncio.run(still_until(cluster.fork(), now + 10 * MINUTE))
    assert least * SECOND <= due - now <= most * SECOND, (due - now) / SECOND
    mark = cluster.clock.causes.mark
    cluster.clock.run_until(due - 1)
    assert not any(ahead._tells(cluster, link) for link in cluster.clock.causes.since(mark))


@pytest.mark.parametrize(
    ("after", "same"),
    [
        ({"lastHeartbeatTime": "b", "status": "True"}, True),
        ({"lastHeartbeatTime": "b", "status": "False"}, False),
    ],
    ids=["a sign of life", "news"],
)
def test_what_a_node_says(after: dict[str, str], same: bool) -> None:
    before = {"lastHeartbeatTime": "a", "status": "True"}
    said = [ahead._said({"status": {"conditions": [each]}}) for each in (before, after)]
    assert (said[0] == said[1]) is same
