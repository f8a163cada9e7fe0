"""A plugin at each extension point: when it is called, what its answers do, and what its faults cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import conflict
from cluster_engine.kube_apiserver.authorization import Rule
from cluster_engine.kube_apiserver.authorization.bootstrap_policy import roles
from cluster_engine.kube_apiserver.standing import standing
from cluster_engine.kube_scheduler import Scheduler, scheduler
from cluster_engine.kube_scheduler.framework import (
    SKIP,
    CycleState,
    Event,
    Interest,
    NodeInfo,
    NodeNames,
    Plugin,
    PodInfo,
    Refusal,
    SchedulingError,
    Wait,
    resolvable,
)
from cluster_engine.kube_scheduler.plugins import PLUGINS


def pod(name: str, cpu: str = "", **spec: Any) -> JSON:
    container: JSON = {"name": "c", "image": "registry.k8s.io/pause:3.10"}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "annotations": spec.pop("annotations", {})},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1, **spec},
    }


@pytest.fixture
def booted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Cluster]]:
    """A small cluster whose scheduler has these plugins too, behind all others but the binder."""

    def boot(*plugins: type[Plugin], **options: Any) -> Cluster:
        monkeypatch.setattr(scheduler, "PLUGINS", (*PLUGINS[:-1], *plugins, PLUGINS[-1]))
        rules = (
            *roles.CLUSTER_ROLES["system:kube-scheduler"],
            Rule(("list", "watch"), ("",), ("configmaps",)),
        )
        monkeypatch.setitem(roles.CLUSTER_ROLES, "system:kube-scheduler", rules)
        standing.cache_clear()
        return Cluster(**{"nodes": 3, "seed": 5, "addons": False, "freezing": True, **options})

    yield boot
    standing.cache_clear()


def messages(cluster: Cluster, name: str) -> list[str]:
    return [
        f"{e['reason']}: {e['message']}"
        for e in cluster.list("events", "default")
        if e["involvedObject"]["name"] == name and e["source"]["component"] == "default-scheduler"
    ]


def condition(cluster: Cluster, name: str) -> tuple[str, str]:
    found = cluster.get("pods", name)
    assert found is not None
    scheduled = next(c for c in found["status"]["conditions"] if c["type"] == "PodScheduled")
    return scheduled["status"], scheduled.get("reason", "")


def node_of(cluster: Cluster, name: str) -> str:
    found = cluster.get("pods", name)
    assert found is not None
    return str(found["spec"].get("nodeName", ""))


def scheduler_of(cluster: Cluster) -> Scheduler:
    found = cluster.components["kube-scheduler"]
    assert isinstance(found, Scheduler)
    return found


# ---- the order -------------------------------------------------------------------------------------------


def spy(calls: list[str]) -> type[Plugin]:
    class Spy(Plugin):
        name = "Spy"

        def pre_enqueue(self, pod: PodInfo) -> None:
            calls.append("pre_enqueue")

        def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Any) -> None:
            state.slots["Spy"] = []
            calls.append("pre_filter")

        def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
            calls.append(f"filter {node.name}")
            return resolvable("no") if pod.pod["metadata"]["name"] == "unwanted" else None

        def post_filter(self, state: CycleState, pod: PodInfo, diagnosis: Any) -> None:
            calls.append(f"post_filter {diagnosis.plugins}")

        def pre_score(self, state: CycleState, pod: PodInfo, snapshot: Any, nodes: list[NodeInfo]) -> None:
            calls.append(f"pre_score {len(nodes)}")

        def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
            calls.append(f"score {node.name}")
            return 1_000 if node.name == "worker-2" else 0

        def normalize(self, state: CycleState, nodes: list[NodeInfo], scores: list[int]) -> list[int]:
            calls.append(f"normalize {scores}")
            return [score // 10 for score in scores]

        def reserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
            calls.append(f"reserve {node}")

        def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
            calls.append(f"unreserve {node}")

        def permit(self, state: CycleState, pod: PodInfo, node: str) -> None:
            calls.append(f"permit {node}")

        def pre_bind(self, state: CycleState, pod: PodInfo, node: str) -> None:
            assert state.slots["Spy"] == []
            calls.append(f"pre_bind {node}")

        def bind(self, state: CycleState, pod: PodInfo, node: str) -> bool:
            calls.append(f"bind {node}")
            return False

        def post_bind(self, state: CycleState, pod: PodInfo, node: str) -> None:
            calls.append(f"post_bind {node}")

    return Spy


ORDER = {
    "wanted": [
        "pre_enqueue",
        "pre_filter",
        "filter worker-1",
        "filter worker-2",
        "pre_score 2",
        "score worker-1",
        "score worker-2",
        "normalize [0, 1000]",
        "reserve worker-2",
        "permit worker-2",
        "pre_bind worker-2",
        "bind worker-2",
        "post_bind worker-2",
    ],
    "unwanted": [
        "pre_enqueue",
        "pre_filter",
        "filter worker-1",
        "filter worker-2",
        "post_filter ('Spy', 'TaintToleration')",
    ],
}


@pytest.mark.parametrize(("name", "expected"), ORDER.items(), ids=ORDER.keys())
def test_order(booted: Any, name: str, expected: list[str]) -> None:
    calls: list[str] = []
    cluster = booted(spy(calls))
    calls.clear()
    cluster.apply(pod(name))
    cluster.advance(1)
    assert calls == expected


# ---- what an answer does ---------------------------------------------------------------------------------


def answering(point: str, answer: Any, undone: list[str]) -> type[Plugin]:
    """A plugin that answers so at that point, to the Pod named p."""

    def act(self: Plugin, *args: Any) -> Any:
        info = next(arg for arg in args if isinstance(arg, PodInfo))
        if info.pod["metadata"]["name"] != "p":
            return 0 if point == "score" else None
        if isinstance(answer, Exception):
            raise answer.with_traceback(None)
        return answer

    def unreserve(self: Plugin, state: CycleState, pod: PodInfo, node: str) -> None:
        undone.append(pod.pod["metadata"]["name"])

    body = {"name": "Custom", point: act, "unreserve": unreserve}
    return type("Custom", (Plugin,), body)


REFUSED = "FailedScheduling: 0/1 nodes are available: 1 not today."
ANSWERS: dict[str, tuple[str, Any, tuple[str, str], list[str], int]] = {
    "pre_filter": (
        "pre_filter",
        resolvable("not today"),
        ("False", "Unschedulable"),
        [
            "FailedScheduling: 0/3 nodes are available: not today. preemption: 0/3 nodes are available: "
            "3 Preemption is not helpful for scheduling."
        ],
        0,
    ),
    "filter": (
        "filter",
        resolvable("not today"),
        ("False", "Unschedulable"),
        [
            "FailedScheduling: 0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 not today. preemption: "
            "0/3 nodes are available: 1 Preemption is not helpful for scheduling, "
            "2 No preemption victims found for incoming pod."
        ],
        0,
    ),
    "reserve": ("reserve", resolvable("not today"), ("False", "Unschedulable"), [REFUSED], 1),
    "permit": ("permit", resolvable("not today"), ("False", "Unschedulable"), [REFUSED], 1),
    "pre_bind": ("pre_bind", resolvable("not today"), ("False", "Unschedulable"), [REFUSED], 1),
    "an error in a filter": (
        "filter",
        SchedulingError('running "Custom" filter plugin: broken'),
        ("False", "SchedulerError"),
        ['FailedScheduling: running "Custom" filter plugin: broken'],
        0,
    ),
    "an error of the API in bind": (
        "bind",
        conflict("pods/binding", "p", "too late"),
        ("False", "SchedulerError"),
        [
            'FailedScheduling: running Bind plugin "Custom": '
            'Operation cannot be fulfilled on pods/binding "p": too late'
        ],
        1,
    ),
}


@pytest.mark.parametrize(
    ("point", "answer", "expected", "told", "undone"), ANSWERS.values(), ids=ANSWERS.keys()
)
def test_answer(
    booted: Any, point: str, answer: Any, expected: tuple[str, str], told: list[str], undone: int
) -> None:
    given_back: list[str] = []
    cluster = booted(answering(point, answer, given_back))
    given_back.clear()
    cluster.apply(pod("p"))
    cluster.apply(pod("other"))
    cluster.advance(0.9)
    assert condition(cluster, "p") == expected
    assert messages(cluster, "p") == told
    assert given_back == ["p"] * undone
    assert node_of(cluster, "other"), "the others are not concerned"


def test_a_bind_plugin_that_takes_the_pod_is_the_last_one(booted: Any) -> None:
    class MyBinder(Plugin):
        name = "MyBinder"

        def bind(self, state: CycleState, pod: PodInfo, node: str) -> bool:
            self.handle.client.bind(pod.pod, "worker-1")
            return True

    cluster = booted(MyBinder)
    for number in range(3):
        cluster.apply(pod(f"p{number}"))
    cluster.settle()
    assert {node_of(cluster, f"p{number}") for number in range(3)} == {"worker-1"}


def test_skip_in_pre_filter_and_pre_score(booted: Any) -> None:
    asked: list[str] = []

    class Skipping(Plugin):
        name = "Skipping"

        def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Any) -> Any:
            return SKIP

        def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> None:
            asked.append("filter")

        def pre_score(self, state: CycleState, pod: PodInfo, snapshot: Any, nodes: list[NodeInfo]) -> Any:
            return SKIP

        def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
            asked.append("score")
            return 0

    cluster = booted(Skipping)
    cluster.apply(pod("p"))
    cluster.settle()
    assert node_of(cluster, "p")
    assert asked == []


def test_a_pod_is_kept_out_of_the_queue(booted: Any) -> None:
    class Team(Plugin):
        """A Pod waits until the ConfigMap that its annotation names is there."""

        name = "Team"

        def events(self) -> tuple[Interest, ...]:
            return (Interest("configmaps", ("Add",), self._there),)

        def pre_enqueue(self, pod: PodInfo) -> Refusal | None:
            wanted = (pod.pod["metadata"].get("annotations") or {}).get("team")
            missing = wanted and self.handle.informers.of("configmaps").get(f"default/{wanted}") is None
            return resolvable("no team") if missing else None

        def _there(self, pod: PodInfo, event: Event) -> bool:
            assert event.new is not None
            return event.new["metadata"]["name"] == pod.pod["metadata"]["annotations"]["team"]

    cluster = booted(Team)
    cluster.apply(pod("p", annotations={"team": "red"}))
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "blue"}})
    cluster.settle()
    waiting = scheduler_of(cluster).queue.get("default/p")
    assert waiting is not None
    assert waiting.place == "gated"
    assert messages(cluster, "p") == []
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "red"}})
    cluster.settle()
    assert node_of(cluster, "p")


def test_the_gates_of_a_pod(booted: Any) -> None:
    cluster = booted()
    cluster.apply(pod("p", schedulingGates=[{"name": "example.com/a"}, {"name": "example.com/b"}]))
    cluster.settle()
    client = cluster.context.client("kubernetes-admin", "test", ("system:masters",))
    gates: list[list[JSON]] = [[{"name": "example.com/b"}], []]
    for left in gates:
        assert node_of(cluster, "p") == ""
        found = cluster.get("pods", "p")
        client.update("pods", {**found, "spec": {**found["spec"], "schedulingGates": left}})
        cluster.settle()
    assert node_of(cluster, "p")
    assert messages(cluster, "p") == [
        f"Scheduled: Successfully assigned default/p to {node_of(cluster, 'p')}"
    ]


# ---- permits ---------------------------------------------------------------------------------------------


class Gang(Plugin):
    """Pods with the annotation ``gang`` wait for one another, two at a time; ``lonely`` ones in vain."""

    name = "Gang"

    def permit(self, state: CycleState, pod: PodInfo, node: str) -> Wait | None:
        kind = (pod.pod["metadata"].get("annotations") or {}).get("gang")
        if kind == "pair":
            for other in self.handle.informers.of("pods").list("default"):
                same = (other["metadata"].get("annotations") or {}).get("gang") == kind
                if same and other["metadata"]["uid"] != pod.uid:
                    self.handle.allow(f"default/{other['metadata']['name']}", self.name)
                    return None
        return Wait(30) if kind else None


def test_pods_wait_for_one_another(booted: Any) -> None:
    cluster = booted(Gang)
    cluster.apply(pod("a", "3", annotations={"gang": "pair"}))
    cluster.advance(5)
    assert node_of(cluster, "a") == ""
    held = cluster.get("pods", "a")["status"]["nominatedNodeName"]
    cluster.apply(pod("big", "3"))
    cluster.apply(pod("bigger", "3"))
    cluster.advance(2)
    placed = [node_of(cluster, name) for name in ("big", "bigger")]
    assert sorted(placed) == ["", next(n for n in ("worker-1", "worker-2") if n != held)], "its room is held"
    cluster.apply(pod("b", annotations={"gang": "pair"}))
    cluster.advance(2)
    assert node_of(cluster, "a") == held
    assert node_of(cluster, "b")
    assert "nominatedNodeName" not in cluster.get("pods", "a")["status"]


def test_a_permit_runs_out(booted: Any) -> None:
    cluster = booted(Gang)
    cluster.apply(pod("p", annotations={"gang": "lonely"}))
    cluster.advance(29)
    assert messages(cluster, "p") == []
    cluster.advance(2)
    assert messages(cluster, "p") == [
        "FailedScheduling: 0/1 nodes are available: 1 rejected due to timeout after waiting 30s at plugin Gang."
    ]
    assert condition(cluster, "p") == ("False", "Unschedulable")


def test_deleted_while_it_waits(booted: Any) -> None:
    cluster = booted(Gang)
    cluster.apply(pod("p", "3", annotations={"gang": "lonely"}))
    cluster.advance(1)
    cluster.delete("pods", "p")
    cluster.apply(pod("q", "3"))
    cluster.apply(pod("r", "3"))
    cluster.settle()
    assert node_of(cluster, "q")
    assert node_of(cluster, "r")
    assert scheduler_of(cluster).cycle.permits == {}


def test_restored_while_it_waits(booted: Any) -> None:
    cluster = booted(Gang)
    cluster.apply(pod("p", "3", annotations={"gang": "pair"}))
    cluster.advance(1)
    twin = Cluster.restore(cluster.snapshot())
    for one in (cluster, twin):
        one.apply(pod("x", "3"))
        one.apply(pod("y", "3"))
        one.advance(5)
        one.apply(pod("q", annotations={"gang": "pair"}))
        one.advance(60)
    assert node_of(twin, "p")
    assert twin.state_hash() == cluster.state_hash()


# ---- faults ----------------------------------------------------------------------------------------------

POINTS = (
    "pre_filter",
    "filter",
    "pre_score",
    "score",
    "reserve",
    "permit",
    "pre_bind",
    "bind",
    "post_bind",
)


@pytest.mark.parametrize("point", POINTS)
def test_a_fault_costs_one_pod(booted: Any, point: str) -> None:
    cluster = booted(answering(point, ZeroDivisionError("bug"), []), strict=False)
    cluster.apply(pod("p"))
    cluster.apply(pod("other"))
    assert cluster.settle()
    assert node_of(cluster, "other")
    assert {(f.component, f.key, f.error) for f in cluster.failures} == {
        ("kube-scheduler", "default/p", "ZeroDivisionError")
    }
    again = Cluster.replay(cluster.journal)
    assert again.state_hash() == cluster.state_hash()


def test_a_hint_that_cannot_tell_does_not_keep_the_pod_waiting(booted: Any) -> None:
    class Unsure(Plugin):
        name = "Unsure"
        refuses = True

        def events(self) -> tuple[Interest, ...]:
            return (Interest("configmaps", ("Add",), lambda pod, event: 1 // 0 > 0),)

        def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
            there = self.handle.informers.of("configmaps").get("default/go")
            return resolvable("not yet") if there is None else None

    cluster = booted(Unsure, strict=False)
    cluster.apply(pod("p"))
    cluster.settle()
    assert node_of(cluster, "p") == ""
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "go"}})
    cluster.settle()
    assert node_of(cluster, "p")
    assert {f.key for f in cluster.failures} == {"default/p"}


# ---- the guide -------------------------------------------------------------------------------------------


def test_what_comes_during_the_attempt_counts(booted: Any) -> None:
    """The event is over before the Pod is put aside: it is looked at then (in-flight events)."""

    class SelfHelp(Plugin):
        name = "SelfHelp"

        def events(self) -> tuple[Interest, ...]:
            return (Interest("configmaps", ("Add",)),)

        def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
            there = self.handle.informers.of("configmaps").get("default/go")
            return resolvable("not yet") if there is None else None

        def post_filter(self, state: CycleState, pod: PodInfo, diagnosis: Any) -> None:
            go = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "go", "namespace": "default"}}
            cluster.apply(go)

    cluster = booted(SelfHelp)
    cluster.apply(pod("p"))
    cluster.advance(0.1)
    assert node_of(cluster, "p")


def test_the_earliest_back_off_after_an_error_is_the_next_retry(booted: Any) -> None:
    """One Pod backs off for 10 s; another fails for the first time and is tried again in 1 s, not after it."""

    class Flaky(Plugin):
        name = "Flaky"
        failed = 0

        def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> None:
            name = pod.pod["metadata"]["name"]
            if name == "often" or (name == "once" and not self.failed):
                self.failed += name == "once"
                raise SchedulingError("not now")

    cluster = booted(Flaky)
    cluster.apply(pod("often"))
    cluster.advance(26)  # tried at 0, 1, 3, 7, 15, 25 s
    tries = [attempt["attempt"] for attempt in scheduler_of(cluster).attempts("default", "often")]
    assert tries == [1, 2, 3, 4, 5, 6]
    cluster.apply(pod("once"))
    cluster.advance(0.9)
    assert node_of(cluster, "once") == ""
    cluster.advance(0.2)
    assert node_of(cluster, "once")
    assert len(scheduler_of(cluster).attempts("default", "often")) == 6
    cluster.advance(8)
    assert len(scheduler_of(cluster).attempts("default", "often")) == 7


def only(plugin: str, *names: str) -> type[Plugin]:
    """A plugin that knows which nodes can do, and must not be asked about others."""

    class Only(Plugin):
        name = plugin

        def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Any) -> NodeNames:
            return NodeNames(frozenset(names))

        def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> None:
            assert node.name in names

    return Only


NAMED = [
    pytest.param((("A", "worker-1"),), "worker-1", "", id="one node"),
    pytest.param(
        (("A", "worker-1", "worker-2"), ("B", "worker-2", "x")), "worker-2", "", id="what both name"
    ),
    pytest.param(
        (("A", "gone"),), "", "3 node(s) didn't satisfy plugin(s) [A]", id="a node that is not there"
    ),
    pytest.param((("A",),), "", "node(s) didn't satisfy plugin A", id="none"),
    pytest.param(
        (("B", "worker-1"), ("A", "worker-2")),
        "",
        "node(s) didn't satisfy plugin(s) [A B] simultaneously",
        id="none that both name",
    ),
]


@pytest.mark.parametrize(("plugins", "node", "message"), NAMED)
def test_a_plugin_that_names_the_nodes(
    booted: Callable[..., Cluster], plugins: tuple[tuple[str, ...], ...], node: str, message: str
) -> None:
    cluster = booted(*(only(name, *nodes) for name, *nodes in plugins))
    cluster.apply(pod("p"))
    cluster.advance(2)
    assert node_of(cluster, "p") == node
    if message:
        assert f"0/3 nodes are available: {message}." in messages(cluster, "p")[0]
