"""The lives of a cluster's Pods, as the timeline draws them."""

from __future__ import annotations

from typing import Any

import pytest
from runs.host import timeline as module
from runs.host.timeline import look_of, timeline

from cluster_engine.cluster import Cluster

WAITING = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}
READY = [{"type": "Ready", "status": "True"}]
LOOKS: list[tuple[str, dict[str, Any], str]] = [
    ("new", {}, "pending"),
    ("ready", {"phase": "Running", "conditions": READY}, "running"),
    ("not ready", {"phase": "Running", "conditions": []}, "unready"),
    ("crashing", {"phase": "Running", "conditions": READY, "containerStatuses": [WAITING]}, "failed"),
    ("failed", {"phase": "Failed"}, "failed"),
    ("done", {"phase": "Succeeded"}, "done"),
]


@pytest.mark.parametrize(("status", "look"), [row[1:] for row in LOOKS], ids=[row[0] for row in LOOKS])
def test_looks(status: dict[str, Any], look: str) -> None:
    assert look_of({"metadata": {}, "status": status}) == look
    assert look_of({"metadata": {"deletionTimestamp": "x"}, "status": status}) == "leaving"


def pod(name: str) -> dict[str, Any]:
    containers = [{"name": "c", "image": "nginx:1.27"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}}


def test_a_life_from_its_beginning_to_its_end() -> None:
    cluster = Cluster(nodes=2, seed=3)
    cluster.apply(pod("short"))
    cluster.advance(60)
    cluster.delete("pods", "short")
    cluster.advance(60)
    found = timeline(cluster)
    (life,) = found["pods"]
    assert (life["name"], life["namespace"]) == ("short", "default")
    assert [stage["look"] for stage in life["stages"]] == ["pending", "running", "leaving", "gone"]
    times = [stage["at"] for stage in life["stages"]]
    assert times == sorted(times)
    reasons = [event["reason"] for event in found["events"]]
    assert {"Scheduled", "Pulled", "Started", "Killing"} <= set(reasons)
    assert {event["at"] for event in found["events"] if event["about"] == "Pod short"}


def test_of_many_the_last_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, value in (("PODS_TOLD", 2), ("STAGES_TOLD", 1), ("EVENTS_TOLD", 3)):
        monkeypatch.setattr(module, limit, value)
    cluster = Cluster(nodes=2, seed=3)
    for name in ("a", "b", "c"):
        cluster.apply(pod(name))
        cluster.advance(60)
    found = timeline(cluster)
    assert [life["name"] for life in found["pods"]] == ["b", "c"]
    assert found["more"] == 1
    assert [stage["look"] for stage in found["pods"][0]["stages"]] == ["running"]
    assert len(found["events"]) == 3
