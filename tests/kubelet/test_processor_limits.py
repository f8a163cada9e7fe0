"""``resources.limits.cpu``: a share of virtual processor time, which is metered."""

from __future__ import annotations

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON

COUNT = "i=0; while :; do i=$((i+1)); echo $i > /tmp/n; done"


def _pod(name: str, cpu: str) -> JSON:
    container = {
        "name": "c",
        "image": "busybox:1.36",
        "command": ["sh", "-c", COUNT],
        "resources": {"limits": {"cpu": cpu}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container]},
    }


def counted(cluster: Cluster, name: str) -> int:
    return int(cluster.execute(name, ["cat", "/tmp/n"], limit=30).stdout)


def test_two_pods_count_by_their_limits() -> None:
    cluster = Cluster(nodes=2, seed=3, freezing=True)
    cluster.apply([_pod("small", "20m"), _pod("large", "40m")])
    cluster.settle()
    cluster.advance(30)
    twin = cluster.fork()
    assert counted(twin, "large") / counted(twin, "small") == pytest.approx(2, rel=0.1)
    for each in (cluster, twin):
        each.advance(60)
    assert counted(cluster, "large") / counted(cluster, "small") == pytest.approx(2, rel=0.1)
    assert cluster.state_hash() == Cluster.replay(cluster.journal).state_hash()
    assert twin.state_hash() == Cluster.restore(twin.snapshot()).state_hash()
