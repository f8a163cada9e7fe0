"""A node whose machine goes down with notice: who ends when, as what, and what comes after."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON

NODE = "worker-1"
STUBBORN = "trap '' TERM; while true; do sleep 1; done"
POLITE = "trap 'exit 0' TERM; while true; do sleep 1; done"
TERMINATED = ("Failed", "Terminated", "Pod was terminated in response to imminent node shutdown.")


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=3, freezing=True)


def pod(name: str, command: str, grace: int = 300, **spec: Any) -> JSON:
    box = {"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", command]}
    inner = {"containers": [box], "nodeName": NODE, "terminationGracePeriodSeconds": grace, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": inner}


def ended(cluster: Cluster, name: str) -> tuple[str, str, str]:
    found = cluster.get("pods", name)
    assert found is not None
    status = found["status"]
    return status["phase"], status.get("reason", ""), status.get("message", "")


def ready(cluster: Cluster) -> tuple[str, str, str]:
    node = cluster.get("nodes", NODE)
    assert node is not None
    return next(
        (c["status"], c["reason"], c["message"]) for c in node["status"]["conditions"] if c["type"] == "Ready"
    )


def test_the_course_of_a_shutdown(base: Cluster) -> None:
    """Regular Pods first, within their share; critical ones then; late comers are refused; at last the power goes."""
    cluster = base.fork()
    cluster.apply(pod("regular", STUBBORN))
    cluster.apply(pod("critical", STUBBORN, priorityClassName="system-node-critical"))
    cluster.settle()
    cluster.fault("node/shutdown", node=NODE, grace=60, critical=20)
    cluster.advance(5)
    assert ready(cluster) == ("False", "KubeletNotReady", "node is shutting down")
    cluster.apply(pod("late", POLITE))
    cluster.advance(5)
    rejected = ("Failed", "NodeShutdown", "Pod was rejected: Pod was rejected as the node is shutting down.")
    assert ended(cluster, "late") == rejected
    assert ended(cluster, "critical")[0] == "Running"
    cluster.advance(35)
    assert ended(cluster, "regular") == TERMINATED
    assert ended(cluster, "critical")[0] == "Running"
    found = cluster.get("pods", "regular")
    assert found is not None
    why = next(c for c in found["status"]["conditions"] if c["type"] == "DisruptionTarget")
    assert (why["status"], why["reason"]) == ("True", "TerminationByKubelet")
    copies = [cluster.fork(), Cluster.restore(cluster.snapshot()), Cluster.resume(cluster.keyframe())]
    for each in (cluster, *copies):
        each.advance(40)
        assert ended(each, "critical") == TERMINATED
        assert each.components["kubelet"].core.nodes[NODE].power == "off"  # type: ignore[attr-defined]
        assert each.state_hash() == cluster.state_hash()
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()
    cluster.fault("node/power", node=NODE, up=True)
    cluster.advance(60)
    assert ready(cluster)[0] == "True"
    assert ended(cluster, "regular") == TERMINATED


def test_who_is_done_early_keeps_nobody_waiting(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(pod("regular", POLITE))
    cluster.settle()
    cluster.fault("node/shutdown", node=NODE, grace=600, critical=60)
    cluster.advance(90)
    assert ended(cluster, "regular") == TERMINATED
    assert cluster.components["kubelet"].core.nodes[NODE].power == "off"  # type: ignore[attr-defined]


def test_a_pods_own_grace_period_may_be_shorter(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(pod("regular", STUBBORN, grace=5))
    cluster.settle()
    cluster.fault("node/shutdown", node=NODE, grace=300, critical=0)
    cluster.advance(12)
    assert ended(cluster, "regular") == TERMINATED


@pytest.mark.parametrize(
    ("grace", "critical"),
    [
        pytest.param(10, 20, id="more for the critical than there is"),
        pytest.param(3_601, 0, id="more than an hour"),
    ],
)
def test_times_that_cannot_be(base: Cluster, grace: int, critical: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= critical <= grace <= 3600 seconds"):
        base.fork().fault("node/shutdown", node=NODE, grace=grace, critical=critical)


def test_a_machine_that_is_off_does_not_go_down(base: Cluster) -> None:
    cluster = base.fork()
    cluster.fault("node/power", node=NODE, up=False)
    with pytest.raises(ValueError, match="worker-1 is not on"):
        cluster.fault("node/shutdown", node=NODE)
