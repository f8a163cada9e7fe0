"""A cluster that is taken apart is gone at once, and takes nothing with it that others use."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from cluster_engine import Cluster
from cluster_engine.release import release

POD = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "box"},
    "spec": {"containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", "while :; do sleep 1; done"]}]},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def lived() -> Cluster:
    cluster = Cluster(nodes=3, seed=1)
    cluster.apply(POD)
    cluster.advance(30)
    return cluster


def test_nothing_is_left_for_the_collector() -> None:
    cluster = lived()
    parts = [cluster.store, cluster.server, cluster.informers, cluster.network, *cluster.components.values()]
    gone = [weakref.ref(part) for part in (cluster, *parts) if type(part).__weakrefoffset__]
    assert len(gone) > 15
    release(cluster)
    del cluster, parts
    left = [type(ref()).__name__ for ref in gone if ref() is not None]
    assert left == []


def test_forks_and_clusters_of_the_same_installation_go_on() -> None:
    cluster, other = lived(), lived()
    fork = cluster.fork()
    expected = other.state_hash()
    assert fork.state_hash() == expected
    release(cluster)
    assert fork.state_hash() == expected
    for one in (fork, other):
        one.advance(60)
        one.delete("pods", "box")
        one.settle()
    assert fork.state_hash() == other.state_hash()
    assert Cluster(nodes=3, seed=2).list("pods", "kube-system")
