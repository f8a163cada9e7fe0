"""A critical Pod that its node has no room for: who goes, and what becomes of both."""

from __future__ import annotations

import pytest
from test_kubelet_service import same

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kubelet.preemption import Candidate, NobodyGoes, preemptable, victims

NODE = "worker-1"


def one(uid: str, qos: str = "Burstable", cpu: int = 0, memory: int = 0) -> Candidate:
    return Candidate(uid, qos, {"cpu": cpu, "memory": memory})


BEST, FULL = "BestEffort", "Guaranteed"
CHOICES: dict[str, tuple[dict[str, int], list[Candidate], list[str]]] = {
    "nothing is missing": ({}, [one("a", cpu=500)], []),
    "the one that is enough": ({"cpu": 400}, [one("a", cpu=100), one("b", cpu=500)], ["b"]),
    "the smaller one of two": ({"cpu": 400}, [one("a", cpu=900), one("b", cpu=500)], ["b"]),
    "by memory first": ({"cpu": 400}, [one("a", cpu=400, memory=2), one("b", cpu=900, memory=1)], ["b"]),
    "the nearest, then more": (
        {"cpu": 700},
        [one("a", cpu=300), one("b", cpu=500), one("c", cpu=200)],
        ["b", "c"],
    ),
    "best effort before all": ({"pods": 1}, [one("a", FULL), one("b"), one("c", BEST)], ["c"]),
    "burstable before guaranteed": ({"cpu": 100}, [one("a", FULL, 100), one("b", cpu=100)], ["b"]),
    "guaranteed where that is not enough": (
        {"cpu": 500},
        [one("a", FULL, 400), one("b", cpu=100), one("c", BEST)],
        ["b", "a"],
    ),
    "each resource counts alike": (
        {"cpu": 100, "memory": 1000},
        [one("a", cpu=100), one("b", memory=1000), one("c", cpu=100, memory=1000)],
        ["c"],
    ),
}


@pytest.mark.parametrize(("needs", "there", "gone"), CHOICES.values(), ids=CHOICES)
def test_who_goes(needs: dict[str, int], there: list[Candidate], gone: list[str]) -> None:
    assert victims(needs, there) == gone


def test_nobody_can_make_room() -> None:
    with pytest.raises(NobodyGoes, match=r"to reclaim resources: \[\(res: cpu, q: 300\), \]"):
        victims({"cpu": 400}, [one("a", cpu=100)])


@pytest.mark.parametrize(
    ("preemptor", "other", "may"),
    [(2_000_000_000, 1000, True), (10, 5, True), (5, 5, False), (5, 2_000_000_000, False)],
    ids=["critical", "of a higher priority", "of the same", "a critical one stays"],
)
def test_who_may_push_whom(preemptor: int, other: int, may: bool) -> None:
    pods = ({"spec": {"priority": priority}} for priority in (preemptor, other))
    assert preemptable(next(pods), False, next(pods), False) is may


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=2, freezing=True)


def pod(name: str, cpu: str, **spec: object) -> JSON:
    container = {
        "name": "c",
        "image": "busybox:1.36",
        "command": ["sh", "-c", "trap '' TERM; sleep 1d"],
        "resources": {"requests": {"cpu": cpu}},
    }
    inner = {"nodeName": NODE, "containers": [container], "terminationGracePeriodSeconds": 5, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": inner}


CRITICAL = {"priorityClassName": "system-node-critical"}


def status(cluster: Cluster, name: str) -> JSON:
    found = cluster.get("pods", name)
    assert found is not None
    told: JSON = found["status"]
    return told


def test_a_critical_pod_pushes_another_out(base: Cluster) -> None:
    """It begins when the other has had its time and is gone; a Pod that is not critical is refused."""
    cluster = base.fork()
    cluster.apply(pod("small", "1"))
    cluster.apply(pod("big", "2500m"))
    assert cluster.settle()
    cluster.apply(pod("late", "1"))
    assert cluster.settle()
    assert status(cluster, "late")["reason"] == "OutOfcpu"
    began = cluster.clock.now
    cluster.apply(pod("critical", "1600m", **CRITICAL))
    assert cluster.wait(lambda c: status(c, "critical")["phase"] == "Running")
    assert 5 <= (cluster.clock.now - began) // 1_000_000 <= 9
    told = status(cluster, "small")
    assert status(cluster, "big")["phase"] == "Failed"
    assert told["phase"] == "Running"
    gone = status(cluster, "big")
    assert (gone["reason"], gone["message"]) == ("Preempting", "Preempted in order to admit critical pod")
    mark = next(c for c in gone["conditions"] if c["type"] == "DisruptionTarget")
    assert mark["reason"] == "TerminationByKubelet"
    assert mark["message"] == "Pod was preempted by Kubelet to accommodate a critical pod."
    events = [(e["type"], e["reason"]) for e in cluster.list("events", "default")]
    assert ("Warning", "Preempting") in events
    same(cluster)


def test_one_that_nobody_can_make_room_for(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(pod("small", "1"))
    assert cluster.settle()
    cluster.apply(pod("critical", "9", **CRITICAL))
    assert cluster.settle()
    told = status(cluster, "critical")
    assert (told["phase"], told["reason"]) == ("Failed", "UnexpectedAdmissionError")
    assert told["message"].startswith(
        "Pod was rejected: Unexpected error while attempting to recover from admission failure: preemption: "
        "error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: "
    )
    assert status(cluster, "small")["phase"] == "Running"
    same(cluster)


def test_room_is_no_help_against_other_reasons(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(pod("big", "3500m"))
    assert cluster.settle()
    cluster.apply(pod("critical", "1", nodeSelector={"disk": "ssd"}, **CRITICAL))
    assert cluster.settle()
    assert status(cluster, "critical")["reason"] == "OutOfcpu"
    assert status(cluster, "big")["phase"] == "Running"
