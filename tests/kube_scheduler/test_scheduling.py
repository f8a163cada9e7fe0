"""The scheduling loop in a cluster: events, conditions, waking up, preemption."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=3, seed=3, freezing=True)


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def pod(name: str, cpu: str = "", **spec: Any) -> JSON:
    container: JSON = {"name": "c", "image": "registry.k8s.io/pause:3.10"}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1, **spec},
    }


def messages(cluster: Cluster, name: str, component: str = "default-scheduler") -> list[str]:
    return [
        f"{e['type']} {e['reason']}: {e['message']}"
        for e in cluster.list("events", "default")
        if e["involvedObject"]["name"] == name and e["source"]["component"] == component
    ]


def scheduled(cluster: Cluster, name: str) -> JSON:
    found = cluster.get("pods", name)
    assert found is not None
    return next(c for c in found["status"]["conditions"] if c["type"] == "PodScheduled")


def test_assigned(cluster: Cluster) -> None:
    cluster.apply(pod("web"))
    cluster.settle()
    found = cluster.get("pods", "web")
    assert found is not None
    node = found["spec"]["nodeName"]
    assert node in ("worker-1", "worker-2")
    assert messages(cluster, "web") == [f"Normal Scheduled: Successfully assigned default/web to {node}"]
    assert scheduled(cluster, "web")["status"] == "True"


REFUSALS = {
    "too big": (
        pod("p", "40"),
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
    ),
    "selector": (
        pod("p", nodeSelector={"disk": "ssd"}),
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node "
        "affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
    ),
    "no victims": (
        pod("p", "3990m"),
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: 0/3 nodes "
        "are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.",
    ),
}


@pytest.mark.parametrize(("wanted", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refused(cluster: Cluster, wanted: JSON, message: str) -> None:
    for number in (1, 2):
        cluster.apply(pod(f"filler-{number}", "2"))
    cluster.settle()
    cluster.apply(wanted)
    cluster.settle()
    assert messages(cluster, "p") == [f"Warning FailedScheduling: {message}"]
    condition = scheduled(cluster, "p")
    assert (condition["status"], condition["reason"], condition["message"]) == (
        "False",
        "Unschedulable",
        message,
    )


def test_a_label_on_a_node_wakes_a_waiting_pod(cluster: Cluster) -> None:
    cluster.apply(pod("p", nodeSelector={"disk": "ssd"}))
    cluster.settle()
    node = cluster.get("nodes", "worker-2")
    assert node is not None
    cluster.context.client("kubernetes-admin", "test", ("system:masters",)).patch(
        "nodes", "worker-2", None, {"metadata": {"labels": {"disk": "ssd"}}}
    )
    cluster.advance(3)
    found = cluster.get("pods", "p")
    assert found is not None
    assert found["spec"]["nodeName"] == "worker-2"


def test_a_gated_pod_waits(cluster: Cluster) -> None:
    cluster.apply(pod("p", schedulingGates=[{"name": "example.com/wait"}]))
    cluster.settle()
    found = cluster.get("pods", "p")
    assert found is not None
    assert "nodeName" not in found["spec"]
    assert messages(cluster, "p") == []


def test_another_scheduler_is_left_alone(cluster: Cluster) -> None:
    cluster.apply(pod("p", schedulerName="mine"))
    cluster.settle()
    assert messages(cluster, "p") == []


def test_preemption(cluster: Cluster) -> None:
    cluster.apply(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "high"},
            "value": 1000,
        }
    )
    for number in (1, 2):
        cluster.apply(pod(f"low-{number}", "3"))
    cluster.settle()
    cluster.apply(pod("vip", "3", priorityClassName="high"))
    cluster.settle()
    cluster.advance(15)
    found = cluster.get("pods", "vip")
    assert found is not None
    node = found["spec"].get("nodeName")
    assert node in ("worker-1", "worker-2")
    left = [p["metadata"]["name"] for p in cluster.list("pods", "default")]
    assert len(left) == 2
    gone = next(name for name in ("low-1", "low-2") if name not in left)
    uid = found["metadata"]["uid"]
    assert f"Normal Preempted: Preempted by pod {uid} on node {node}" in messages(cluster, gone)


def test_restored_scheduler_goes_on_the_same(cluster: Cluster) -> None:
    cluster.apply(pod("p", "40"))
    cluster.apply(pod("q", nodeSelector={"a": "b"}))
    cluster.settle()
    twin = Cluster.restore(cluster.snapshot())
    for one in (cluster, twin):
        for number in range(5):
            one.apply(pod(f"x{number}"))
        one.advance(400)
    assert twin.state_hash() == cluster.state_hash()
