"""A Pod's object does not grow with its life, however many containers it has and whatever they say when they end."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_apiserver.budgets import OBJECT_LIMIT

CRY = "yes x | tr -d '\\n' | head -c 5000 > /dev/termination-log; exit 1"
WHOLE = 350_000
"""Bytes of a Pod of 100 containers that fail again and again, its managedFields with it."""


def crashing(count: int, **more: Any) -> JSON:
    command = ["sh", "-c", CRY]
    containers = [
        {"name": f"c{number}", "image": "busybox", "command": command, **more} for number in range(count)
    ]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers}}


def messages(pod: JSON) -> list[str]:
    return [
        state["terminated"]["message"]
        for status in pod["status"]["containerStatuses"]
        for state in (status["state"], status["lastState"])
        if "terminated" in state
    ]


@pytest.mark.parametrize(
    ("count", "share"), [(1, 4096), (3, 4096), (4, 3072), (100, 122)], ids=["one", "three", "four", "most"]
)
def test_last_words_share_twelve_kibibytes(count: int, share: int) -> None:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.apply(crashing(count))
    cluster.advance(240)
    pod = cluster.get("pods", "p")
    assert pod is not None
    assert {len(message) for message in messages(pod)} == {share}


def test_a_life_of_crashes_leaves_the_object_as_large_as_it_was() -> None:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.apply(crashing(100))
    sizes = []
    for seconds in (600, 600, 1200):
        cluster.advance(seconds)
        pod = cluster.get("pods", "p")
        assert pod is not None
        sizes.append(len(orjson.dumps(pod)))
        assert len(pod["metadata"]["managedFields"]) == 2
        assert len(pod["status"]["conditions"]) == 5
        assert len(pod["status"]["containerStatuses"]) == 100
    assert max(sizes) < WHOLE < OBJECT_LIMIT
    assert max(sizes) - min(sizes) < 0.05 * min(sizes)
