"""Latency and partitions between the nodes of a cluster: what containers and probes see of them."""

from __future__ import annotations

import pytest

from cluster_engine import Cluster
from cluster_engine.sim import SECOND

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeName: worker-1
  containers: [{name: c, image: "nginx:1.27", readinessProbe: {httpGet: {path: /, port: 80}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  nodeName: worker-2
  containers: [{name: c, image: busybox, command: [sleep, 1d]}]
"""
TIMED = "a=$(date +%s%N); wget -q -T 5 -O /dev/null http://$0/; echo $? $((($(date +%s%N) - a) / 1000000))"


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, seed=5, freezing=True)
    cluster.apply(PODS)
    cluster.settle()
    cluster.advance(5)
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def fetch(cluster: Cluster) -> tuple[int, int]:
    """(exit status, milliseconds) of a wget from worker-2 to worker-1."""
    ip = (cluster.get("pods", "web") or {})["status"]["podIP"]
    status, took = cluster.execute("client", ["sh", "-c", TIMED, ip]).stdout.split()
    return int(status), int(took)


def test_latency_is_seen(cluster: Cluster) -> None:
    assert fetch(cluster) == (0, 0)
    cluster.wire("worker-2", "worker-1", latency=0.05)
    cluster.wire("worker-1", "worker-2", latency=0.02)
    # The handshake, then the request and the page.
    assert fetch(cluster) == (0, 140)
    cluster.wire("worker-2", "worker-1")
    cluster.wire("worker-1", "worker-2")
    assert fetch(cluster) == (0, 0)


def test_a_partition_times_out_and_the_node_goes_on(cluster: Cluster) -> None:
    for pair in (("worker-1", "worker-2"), ("worker-2", "worker-1")):
        cluster.wire(*pair, partition=True)
    assert fetch(cluster) == (1, 5_000)
    cluster.advance(60)
    conditions = (cluster.get("pods", "web") or {})["status"]["conditions"]
    assert {c["type"]: c["status"] for c in conditions}["Ready"] == "True"
    for pair in (("worker-1", "worker-2"), ("worker-2", "worker-1")):
        cluster.wire(*pair)
    assert fetch(cluster)[0] == 0


def test_wires_are_in_the_journal(cluster: Cluster) -> None:
    cluster.wire("worker-2", "worker-1", latency=0.05, loss=0.2)
    for _ in range(5):
        fetch(cluster)
    cluster.advance(1)
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()
    restored = Cluster.restore(cluster.snapshot())
    assert fetch(restored) == fetch(cluster)
    assert restored.clock.now // SECOND == cluster.clock.now // SECOND


def test_a_wire_that_is_none(cluster: Cluster) -> None:
    before = len(cluster.journal)
    with pytest.raises(ValueError, match="a wire lies between two nodes"):
        cluster.wire("worker-1", "worker-1", latency=1)
    with pytest.raises(ValueError, match="loss must be 0 to 1000 of a thousand, found 2000"):
        cluster.wire("worker-1", "worker-2", loss=2)
    assert len(cluster.journal) == before
