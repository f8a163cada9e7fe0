"""The scheduling loop in a cluster: events, conditions, waking up, preemption."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler import Scheduler
from cluster_engine.kube_scheduler.framework.attempts import (
    KEPT,
    KEPT_PER_POD,
    KEPT_VERDICTS,
    Attempt,
    Attempts,
    Tally,
)
from cluster_engine.kube_scheduler.framework.shape import Shapes
from cluster_engine.kube_scheduler.framework.types import PodInfo
from cluster_engine.kube_scheduler.plugins.default_preemption import by_budget
from cluster_engine.kube_scheduler.scheduler import SLICE


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
    told = f"preemption: found a potential placement for pod on node {node}, preempting 1 victims"
    assert messages(cluster, "vip")[0].endswith(told)


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


# ---- preemption ------------------------------------------------------------------------------------------


def priority_class(name: str, value: int, **more: Any) -> JSON:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        **more,
    }


@pytest.fixture
def full(cluster: Cluster) -> Cluster:
    """Two workers of 4 CPUs, each with a Pod of no priority that takes 3 and takes 20 s to go."""
    cluster.apply(priority_class("middle", 500))
    cluster.apply(priority_class("high", 1000))
    cluster.apply(priority_class("polite", 1000, preemptionPolicy="Never"))
    for number in (1, 2):
        cluster.apply(pod(f"low-{number}", "3", terminationGracePeriodSeconds=20, **STUBBORN))
    cluster.settle()
    return cluster


STUBBORN: dict[str, Any] = {
    "containers": [
        {
            "name": "c",
            "image": "busybox:1.36",
            "command": ["sh", "-c", "trap '' TERM; sleep 100000"],
            "resources": {"requests": {"cpu": "3"}},
        }
    ]
}
START = "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: "
PREEMPTION = {
    "never": ("polite", "3", "not eligible due to preemptionPolicy=Never."),
    "nobody less important": (
        "",
        "3",
        "0/3 nodes are available: 1 Preemption is not helpful for scheduling, "
        "2 No preemption victims found for incoming pod.",
    ),
    "not even an empty node": (
        "high",
        "40",
        "0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
    ),
}


@pytest.mark.parametrize(("priority", "cpu", "told"), PREEMPTION.values(), ids=PREEMPTION.keys())
def test_why_preemption_does_not_help(full: Cluster, priority: str, cpu: str, told: str) -> None:
    full.apply(pod("vip", cpu, **({"priorityClassName": priority} if priority else {})))
    full.advance(1)
    assert messages(full, "vip") == [f"Warning FailedScheduling: {START}{told}"]


def test_preemption_does_not_help_though_all_victims_go(full: Cluster) -> None:
    for name in ("worker-1", "worker-2"):
        there = {"nodeSelector": {"kubernetes.io/hostname": name}, "priorityClassName": "high"}
        full.apply(pod(f"high-{name}", "500m", **there))
    full.settle()
    full.apply(pod("vip", "3900m", priorityClassName="middle"))
    full.advance(1)
    told = "0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 Insufficient cpu."
    assert messages(full, "vip") == [f"Warning FailedScheduling: {START}{told}"]


def nominated(cluster: Cluster, name: str) -> str:
    found = cluster.get("pods", name)
    assert found is not None
    return str(found["status"].get("nominatedNodeName", ""))


def placed(cluster: Cluster, name: str) -> str:
    found = cluster.get("pods", name)
    assert found is not None
    return str(found["spec"].get("nodeName", ""))


def test_a_nominated_pod_holds_its_room(full: Cluster) -> None:
    full.apply(pod("vip", "3", priorityClassName="high"))
    full.advance(1)
    node = nominated(full, "vip")
    assert node in ("worker-1", "worker-2")
    # There is room beside the victim, but none beside the Pod that the room is for.
    other = next(n for n in ("worker-1", "worker-2") if n != node)
    full.apply(pod("late", "900m", nodeSelector={"kubernetes.io/hostname": node}))
    full.apply(pod("elsewhere", "900m"))
    full.advance(1)
    assert placed(full, "late") == ""
    assert "1 Insufficient cpu" in messages(full, "late")[0]
    assert placed(full, "elsewhere") == other
    full.advance(30)
    assert placed(full, "vip") == node
    assert nominated(full, "vip") == "", "the API server clears it with the binding"
    full.advance(1)
    assert placed(full, "late") == node, "now there is room beside it"


def test_a_more_important_pod_takes_the_nominated_room(full: Cluster) -> None:
    for name, priority in (("first", "middle"), ("second", "middle")):
        full.apply(pod(name, "3", priorityClassName=priority))
    full.advance(1)
    assert {nominated(full, "first"), nominated(full, "second")} == {"worker-1", "worker-2"}
    full.apply(pod("vip", "3", priorityClassName="high"))
    full.advance(1)
    node = nominated(full, "vip")
    other = next(n for n in ("worker-1", "worker-2") if n != node)
    assert sorted((nominated(full, "first"), nominated(full, "second"))) == ["", other], (
        "one must look elsewhere"
    )
    full.advance(40)
    assert placed(full, "vip") == node
    assert sorted((placed(full, "first"), placed(full, "second"))) == ["", other]


def test_a_pod_waits_for_its_victims_and_takes_no_others(full: Cluster) -> None:
    full.apply(pod("vip", "3", priorityClassName="high"))
    full.advance(1)
    full.apply(pod("noise"))  # an event, though it helps nobody
    full.advance(5)
    left = [
        p["metadata"]["name"]
        for p in full.list("pods", "default")
        if "deletionTimestamp" not in p["metadata"]
    ]
    assert sorted(left)[1:] == ["noise", "vip"], "one victim is enough"


def test_room_that_came_otherwise_clears_nothing(full: Cluster) -> None:
    """A nomination ends when preemption helps no more."""
    full.apply(pod("vip", "3", priorityClassName="high"))
    full.advance(1)
    node = nominated(full, "vip")
    client = full.context.client("kubernetes-admin", "test", ("system:masters",))
    for name in ("worker-1", "worker-2"):
        client.patch("nodes", name, None, {"spec": {"unschedulable": True}})
    full.advance(40)
    assert node
    assert (placed(full, "vip"), nominated(full, "vip")) == ("", "")


# ---- back-off, slices, attempts ----------------------------------------------------------------------------


def test_an_earlier_retry_does_not_wait_for_a_later_one(cluster: Cluster) -> None:
    """One Pod has failed often and backs off for 10 s; another fails once, is helped, and need not wait for it."""
    client = cluster.context.client("kubernetes-admin", "test", ("system:masters",))

    def label(name: str, value: str) -> None:
        client.patch("nodes", "worker-1", None, {"metadata": {"labels": {name: value}}})

    cluster.apply(pod("often", "40"))
    cluster.apply(pod("once", nodeSelector={"disk": "ssd"}))
    cluster.settle()
    for number in range(6):
        cluster.apply(pod(f"x{number}"))
        cluster.settle()
        cluster.delete("pods", f"x{number}")
        cluster.advance(3)
    label("disk", "ssd")
    cluster.advance(1.1)
    assert placed(cluster, "once") == "worker-1"


def test_a_long_run_is_sliced(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(nodes=4, seed=3, addons=False)
    scheduler = cluster.components["kube-scheduler"]
    assert isinstance(scheduler, Scheduler)
    runs: list[tuple[int, int]] = []
    run, attempt = scheduler._run, scheduler._attempt
    made = [0]

    def counted(waiting: Any) -> None:
        made[0] += 1
        attempt(waiting)

    def sliced() -> None:
        made[0] = 0
        run()
        runs.append((cluster.clock.now, made[0]))

    monkeypatch.setattr(scheduler, "_attempt", counted)
    monkeypatch.setitem(cluster.clock._handlers, "kube-scheduler/run", sliced)
    for number in range(2 * SLICE + 5):
        cluster.apply(pod(f"p{number}"))
    cluster.settle()
    times, sizes = zip(*runs, strict=True)
    assert list(sizes[:3]) == [SLICE, SLICE, 5]
    assert len(set(times[:3])) == 1, "the same virtual time"


def test_attempts_are_data(cluster: Cluster) -> None:
    scheduler = cluster.components["kube-scheduler"]
    assert isinstance(scheduler, Scheduler)
    cluster.apply(pod("p", "2", nodeSelector={"disk": "ssd"}))
    cluster.advance(1)
    client = cluster.context.client("kubernetes-admin", "test", ("system:masters",))
    for name in ("worker-1", "worker-2"):
        client.patch("nodes", name, None, {"metadata": {"labels": {"disk": "ssd"}}})
    cluster.advance(2)
    first, last = scheduler.attempts("default", "p")
    assert (first["attempt"], first["result"], first["node"]) == (1, "Unschedulable", "")
    assert first["message"].startswith(
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't"
    )
    control, worker = first["nodes"][:2]
    assert control == {
        "name": "control-plane",
        "feasible": False,
        "resolvable": False,
        "filters": {"NodeUnschedulable": "Success", "TaintToleration": "node(s) had untolerated taint(s)"},
    }
    assert worker["filters"]["NodeAffinity"] == "node(s) didn't match Pod's node affinity/selector"
    assert (last["result"], last["node"]) == ("Scheduled", placed(cluster, "p"))
    scored = next(node for node in last["nodes"] if node["name"] == last["node"])
    assert scored["feasible"]
    assert set(scored["filters"].values()) == {"Success"}
    assert scored["scores"]["TaintToleration"] == {"raw": 0, "normalized": 100, "weighted": 300}
    assert scored["total"] == sum(one["weighted"] for one in scored["scores"].values())
    assert scored["total"] == max(node.get("total", 0) for node in last["nodes"])
    assert scheduler.attempts("default", "unknown") == []


def test_attempts_are_bounded() -> None:
    kept = Attempts()

    def add(number: int, pod: str, nodes: int) -> None:
        names = tuple(f"n{i}" for i in range(nodes))
        kept.add(Attempt(number, pod, "u", number, "Unschedulable", "", "", Tally(names)))

    for number in range(KEPT_PER_POD + 3):
        add(number, "d/one", 2)
    assert [one["attempt"] for one in kept.of("d/one")] == list(range(3, KEPT_PER_POD + 3))
    for number in range(KEPT):
        add(number, f"d/p{number}", 2)
    assert kept.of("d/one") == []
    assert len(kept.of("d/p0")) == 1
    add(0, "d/huge", KEPT_VERDICTS)
    assert len(kept.of("d/huge")) == 1
    assert kept.of(f"d/p{KEPT - 1}") == []


def test_a_preference_that_cannot_be_read_is_an_error(cluster: Cluster) -> None:
    preference = {"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["x"]}]}
    affinity = {
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": preference}]
        }
    }
    cluster.apply(pod("p", affinity=affinity))
    cluster.advance(0.5)
    assert scheduled(cluster, "p")["reason"] == "SchedulerError"
    assert messages(cluster, "p") == [
        'Warning FailedScheduling: running PreScore plugin "NodeAffinity": [0].matchExpressions[0].values[0]: '
        "Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"
    ]


BUDGETED = {
    "no budget": ([], [], ["a", "b"]),
    "one may go": ([(1, {"app": "x"})], ["b"], ["a"]),
    "none may go": ([(0, {"app": "x"})], ["a", "b"], []),
    "another app": ([(0, {"app": "y"})], [], ["a", "b"]),
    "an empty selector selects nothing here": ([(0, {})], [], ["a", "b"]),
}


@pytest.mark.parametrize(("budgets", "violating", "others"), BUDGETED.values(), ids=BUDGETED.keys())
def test_disruption_budgets(
    budgets: list[tuple[int, dict[str, str]]], violating: list[str], others: list[str]
) -> None:
    shapes = Shapes()
    pods = [
        PodInfo({**pod(name), "metadata": {"name": name, "namespace": "d", "labels": {"app": "x"}}}, shapes)
        for name in ("a", "b")
    ]
    served = [
        {
            "metadata": {"name": "b", "namespace": "d"},
            "spec": {"selector": {"matchLabels": selector}},
            "status": {"disruptionsAllowed": allowed},
        }
        for allowed, selector in budgets
    ]
    found = by_budget(pods, served)
    names = [[info.pod["metadata"]["name"] for info in group] for group in found]
    assert names == [violating, others]


def test_a_fork_goes_on_the_same_and_keeps_the_record(full: Cluster) -> None:
    """Queue, promised rooms and attempts go with a fork; what one does then, the other does not see."""
    full.apply(pod("vip", "3", priorityClassName="high"))
    full.advance(1)
    twin, other = full.fork(), full.fork()
    other.apply(pod("late", "900m"))
    other.advance(30)
    for one in (full, twin):
        one.advance(30)
    assert twin.state_hash() == full.state_hash()
    records = [c.components["kube-scheduler"].attempts("default", "vip") for c in (full, twin)]  # type: ignore[attr-defined]
    assert records[0] == records[1]
    assert [record["result"] for record in records[0]] == ["Unschedulable", "Scheduled"]
