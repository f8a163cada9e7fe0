"""What the map hears of who calls whom."""

from __future__ import annotations

import asyncio
import json

import pytest
from runs.host import traffic
from runs.host.traffic import TrafficChannel, called

from cluster_engine.cluster import Cluster
from cluster_engine.network import traffic as calls

SERVED = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: asker}
spec: {containers: [{name: c, image: "busybox:1.36", command: [sleep, "100000"]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
"""


@pytest.fixture
def cluster() -> Cluster:
    """With a Service that answers, one without endpoints, and somebody who asks."""
    cluster = Cluster(nodes=2, freezing=True)
    cluster.apply(SERVED)
    cluster.advance(60)
    return cluster


def ask(cluster: Cluster, host: str) -> None:
    cluster.execute("asker", ["wget", "-qO-", "-T1", host])


def test_who_was_called_lately(cluster: Cluster) -> None:
    before = cluster.fork()
    for host in ("web", "web", "nobody"):
        ask(cluster, host)
        ask(before, host)
    found = called(cluster)
    assert found["services"] == {"default/web": [2, 0], "default/nobody": [0, 1]}
    web = cluster.get("pods", "web", "default")
    assert web is not None
    address = web["status"]["podIP"]
    assert found["pods"][address] == [2, 0]
    ask(cluster, f"{address}:81")
    assert called(cluster)["pods"][address] == [2, 1], "nobody listens there"
    assert called(cluster)["services"] == found["services"], "that went to no Service"
    assert called(cluster.fork()) == {"services": {}, "pods": {}}
    cluster.advance(traffic.WINDOW_SECONDS + 1)
    assert called(cluster)["services"] == {}


def test_few_calls_are_remembered(cluster: Cluster) -> None:
    for number in range(calls.CALLS_KEPT + 5):
        cluster.network.traffic.note(number, [], "10.0.0.1", answered=True)
    assert len(list(cluster.network.traffic.since(0))) == calls.CALLS_KEPT


def test_a_tab_is_told_what_changed_while_it_follows(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "LOOK_SECONDS", 0.01)

    async def scene() -> None:
        woken = asyncio.Event()
        channel = TrafficChannel(cluster, woken.set)
        ask(cluster, "web")
        assert channel.take() is None
        await channel.receive({"type": "follow", "on": True})
        for services in ({"default/web": [1, 0]}, {}):
            async with asyncio.timeout(60):
                await woken.wait()
            told = json.loads(str(channel.take()))
            assert (told["ch"], told["type"], told["seconds"]) == ("traffic", "called", 10)
            assert told["services"] == services
            assert channel.take() is None
            woken.clear()
            cluster.advance(60)
        channel.close()
        ask(cluster, "web")
        assert channel.take() is None

    asyncio.run(scene())
