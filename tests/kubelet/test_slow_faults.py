"""Nodes whose way to others is long, and containers that get little of a processor."""

from __future__ import annotations

from typing import Any

import pytest
from test_kubelet_service import same

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.sim import SECOND

COUNT = "i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done"


def pod(name: str, node: str, image: str, *command: str, **more: Any) -> JSON:
    container: JSON = {"name": "c", "image": image, **more}
    if command:
        container["command"] = list(command)
    spec = {"nodeName": node, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, freezing=True)
    cluster.apply(pod("web", "worker-1", "nginx:1.27"))
    cluster.apply(pod("box", "worker-2", "busybox:1.36", "sleep", "1d"))
    assert cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def seconds(cluster: Cluster, *words: str) -> float:
    """How long a command in the Pod box takes."""
    began = cluster.clock.now
    assert cluster.execute("box", words).exit_code == 0
    return (cluster.clock.now - began) / SECOND


def asks(cluster: Cluster) -> float:
    found = cluster.get("pods", "web")
    assert found is not None
    return seconds(cluster, "wget", "-qO-", found["status"]["podIP"])


def test_a_slow_node(cluster: Cluster) -> None:
    """200 ms each way: a connection and an answer take two round trips; a cut that heals does not end it."""
    quick = asks(cluster)
    cluster.fault("node/slow", node="worker-1", milliseconds=200)
    slow = asks(cluster)
    assert slow - quick >= 0.8
    same(cluster)
    for cut in (True, False):
        cluster.fault("node/partition", node="worker-1", cut=cut)
        cluster.advance(2)
    assert asks(cluster) - quick >= 0.8
    cluster.fault("node/slow", node="worker-1", milliseconds=0)
    assert asks(cluster) - quick < 0.1
    assert not cluster.network.wires.any


def test_a_slow_node_that_is_cut_stays_cut(cluster: Cluster) -> None:
    cluster.fault("node/partition", node="worker-1", cut=True)
    for milliseconds in (200, 0):
        cluster.fault("node/slow", node="worker-1", milliseconds=milliseconds)
    assert cluster.network.wires.between("worker-1", "control-plane").partition


def test_a_slow_container(cluster: Cluster) -> None:
    quick = seconds(cluster, "sh", "-c", COUNT)
    cluster.fault("container/throttle", pod="box", millis=5)
    slow = seconds(cluster, "sh", "-c", COUNT)
    assert slow > quick + 0.2
    same(cluster)
    told = cluster.get("pods", "box")
    assert told is not None
    assert not any(c["type"].startswith("PodResize") for c in told["status"]["conditions"])
    cluster.fault("container/throttle", pod="box", millis=0)
    assert seconds(cluster, "sh", "-c", COUNT) < quick + 0.1


def test_another_container_is_as_quick_as_ever(cluster: Cluster) -> None:
    cluster.fault("container/throttle", pod="box", millis=5)
    cluster.fault("container/kill", pod="box")
    assert cluster.settle()
    assert seconds(cluster, "sh", "-c", COUNT) < 0.5


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no node": ("node/slow", {"node": "mars", "milliseconds": 1}, "expected one of the nodes"),
    "too slow": ("node/slow", {"node": "worker-1", "milliseconds": 60_001}, "latency must be"),
    "less than no time": ("node/slow", {"node": "worker-1", "milliseconds": -1}, "latency must be"),
    "no such Pod": ("container/throttle", {"pod": "nobody", "millis": 1}, "expected a Pod on a node"),
    "too much": ("container/throttle", {"pod": "box", "millis": 4_001}, "expected 0 to 4000 thousandths"),
}


@pytest.mark.parametrize(("kind", "what", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be(base: Cluster, kind: str, what: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        base.fork().fault(kind, **what)
