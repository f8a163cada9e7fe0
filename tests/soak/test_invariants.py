"""Random clusters and faults: what holds after every event of the clock, and what once all is well again.

After every event: no node is over-committed, no ordinal of a StatefulSet lives twice, the room of who was nominated is
kept; after every eviction: its budget holds. When what was broken is mended: sets have what they want, nothing belongs
to somebody who is gone, whatever events the controllers have missed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON, get
from cluster_engine.component_helpers.requests import amounts, pod_requests
from cluster_engine.container_runtime.container import RUNNING
from cluster_engine.etcd import WatchEvent
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.kubelet import Kubelets
from cluster_engine.kubelet.core import ON, UNATTENDED
from cluster_engine.sim import SECOND

from .size import size

pytestmark = pytest.mark.soak

EXAMPLES = size(10, 500)
WORKERS = ("worker-1", "worker-2", "worker-3")
LEADERS = ("kube-scheduler", "kube-controller-manager")
OWNERS = (
    "replicasets",
    "deployments",
    "statefulsets",
    "jobs",
    "daemonsets",
    "nodes",
    "replicationcontrollers",
)
START = """
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 1000
"""


class Watched:
    """A cluster that is looked at after each event."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.looks = 0
        self.broken: dict[str, list[str]] = {
            "power": [], "kubelet": [], "fill": [], "cut": [], "cordon": [], "stop": [], "deaf": [],
        }  # fmt: skip
        self._room = {
            node["metadata"]["name"]: amounts(node["status"]["allocatable"]) for node in cluster.list("nodes")
        }
        self._changed = True
        cluster.store.subscribe("pods", self._saw)
        kubelets = cluster.components[Kubelets.name]
        assert isinstance(kubelets, Kubelets)
        self._records = kubelets.core.records

    def _saw(self, event: WatchEvent) -> None:
        self._changed = True

    def run(self, seconds: float) -> None:
        clock = self.cluster.clock
        goal = clock.now + round(seconds * SECOND)
        while (due := clock.next_due()) is not None and due <= goal:
            clock.step()
            self.look()
        self.cluster.advance_to(goal)

    def look(self) -> None:
        """What holds at any moment; of the API's objects, when a Pod has changed."""
        self.looks += 1
        self._look_at_nodes()
        if self._changed:
            self._changed = False
            self._look_at_pods()

    def _look_at_pods(self) -> None:
        bound: dict[str, list[JSON]] = {name: [] for name in self._room}
        nominated: dict[str, list[JSON]] = {name: [] for name in self._room}
        for pod in self.cluster.list("pods"):
            if get(pod, "status", "phase") in ("Succeeded", "Failed"):
                continue
            if node := pod["spec"].get("nodeName"):
                bound[node].append(pod)
            elif node := get(pod, "status", "nominatedNodeName"):
                nominated[node].append(pod)
        for node, pods in bound.items():
            staying = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
            for what, these in (("", pods), (" with who is nominated", [*staying, *nominated[node]])):
                used = _sum(these)
                over = {name: n for name, n in used.items() if n > self._room[node].get(name, 0)}
                assert not over, f"{node} is over-committed{what}: {over} of {[_name(pod) for pod in these]}"

    def _look_at_nodes(self) -> None:
        alive: dict[str, set[str]] = {}
        for record in self._records.all():
            if any(container.state == RUNNING for container in record.containers.values()):
                alive.setdefault(record.key, set()).add(f"{record.uid} on {record.node}")
        twice = {key: sorted(uids) for key, uids in alive.items() if len(uids) > 1}
        assert not twice, f"more than one of an ordinal lives: {twice}"

    # ---- what may happen -------------------------------------------------------------------------------

    def deployment(self, which: int) -> None:
        name, number = "ab"[which % 2], which // 2 % 5
        template = _template({"app": name}, ["400m", "1300m"][which // 10 % 2], version=str(which // 20))
        if which % 3:
            probe = {"exec": {"command": ["true"]}, "initialDelaySeconds": 3}
            template["spec"]["containers"][0]["readinessProbe"] = probe
        self._set("Deployment", name, number, template)

    def stateful(self, which: int) -> None:
        self._set("StatefulSet", "s", which % 4, _template({"app": "s"}, "500m", version=str(which // 32)))

    def _set(self, kind: str, name: str, replicas: int, template: JSON) -> None:
        selector = {"matchLabels": template["metadata"]["labels"]}
        spec: JSON = {"replicas": replicas, "selector": selector, "template": template}
        if kind == "StatefulSet":
            spec["serviceName"] = name
        self.cluster.apply({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})

    def job(self, which: int) -> None:
        if self.cluster.get("jobs", "j") is None:
            template = _template({"job": "j"}, "250m", command=["sleep", "20"])
            template["spec"]["restartPolicy"] = "Never"
            spec = {"parallelism": 2, "completions": 3, "backoffLimit": 50, "template": template}
            self.cluster.apply(
                {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec}
            )

    def high(self, which: int) -> None:
        name = f"high-{which % 3}"
        if self.cluster.get("pods", name) is None:
            pod = _template({"app": "high"}, "3500m")
            spec = {**pod["spec"], "priorityClassName": "high"}
            self.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})

    def budget(self, which: int) -> None:
        spec = {"minAvailable": which % 3, "selector": {"matchLabels": {"app": "ab"[which // 3 % 2]}}}
        meta = {"name": "ab"[which // 3 % 2]}
        self.cluster.apply(
            {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": spec}
        )

    def delete(self, which: int) -> None:
        if pods := self.cluster.list("pods", "default"):
            self.cluster.delete("pods", pods[which % len(pods)]["metadata"]["name"])

    def remove(self, which: int) -> None:
        kind, name = [("deployments", "a"), ("deployments", "b"), ("statefulsets", "s"), ("jobs", "j")][
            which % 4
        ]
        if self.cluster.get(kind, name) is not None:
            self.cluster.delete(kind, name)

    def evict(self, which: int) -> None:
        pods = self.cluster.list("pods", "default")
        if not pods:
            return
        name = pods[which % len(pods)]["metadata"]["name"]
        labels = pods[which % len(pods)]["metadata"].get("labels") or {}
        budgets = [
            budget
            for budget in self.cluster.list("poddisruptionbudgets", "default")
            if labels.items() >= budget["spec"]["selector"]["matchLabels"].items()
        ]
        before = [self._healthy(budget) for budget in budgets]
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        path = f"/api/v1/namespaces/default/pods/{name}/eviction"
        headers = {"content-type": "application/json"}
        answer = self.cluster.request(Request("POST", path, [], headers, orjson.dumps(body), ADMIN))
        stale = self.broken["stop"] or self.broken["deaf"]  # nobody keeps the budgets' status
        if answer.status == 201 and not stale:
            for budget, were in zip(budgets, before, strict=True):
                least = budget["spec"]["minAvailable"]
                assert self._healthy(budget) >= min(least, were), f"an eviction has broken {budget['spec']}"

    def _healthy(self, budget: JSON) -> int:
        found = self.cluster.list(
            "pods", "default", label_selector=_text(budget["spec"]["selector"]["matchLabels"])
        )
        return sum(_ready(pod) and not pod["metadata"].get("deletionTimestamp") for pod in found)

    def kill(self, which: int) -> None:
        running = [pod for pod in self.cluster.list("pods", "default") if _runs(pod)]
        if running:
            name = running[which % len(running)]["metadata"]["name"]
            try:
                self.cluster.fault("container/kill", pod=name)
            except ValueError:
                return  # it has ended, and nobody has said so yet

    def power(self, which: int) -> None:
        node = WORKERS[which % 3]
        if len(self.broken["power"]) < 2 or node in self.broken["power"]:
            self.cluster.fault("node/power", node=node, up=self._turn("power", node))

    def shutdown(self, which: int) -> None:
        """With notice: its Pods are told, and end, before it is off."""
        node = WORKERS[which % 3]
        away = self._is_away(node) or node in self.broken["kubelet"]
        if len(self.broken["power"]) < 2 and not away:
            self._turn("power", node)
            self.cluster.fault("node/shutdown", node=node, grace=20, critical=5)
            self.run(25)

    def kubelet(self, which: int) -> None:
        node = WORKERS[which % 3]
        if not self._is_away(node):
            self.cluster.fault("node/kubelet", node=node, running=self._turn("kubelet", node))

    def fill(self, which: int) -> None:
        """Something takes nearly all of its disk or of its memory; or gives it back."""
        node = WORKERS[which % 3]
        if self._is_away(node):
            return
        back = self._turn("fill", node)
        for what in ("disk", "memory"):
            percent = 97 if not back and what == ("disk", "memory")[which // 3 % 2] else 0
            self.cluster.fault("node/fill", node=node, what=what, percent=percent)

    def _is_away(self, node: str) -> bool:
        """Whether its machine is off, or has not come up yet."""
        kubelets = self.cluster.components[Kubelets.name]
        assert isinstance(kubelets, Kubelets)
        return kubelets.core.nodes[node].power not in (ON, UNATTENDED)

    def cut(self, which: int) -> None:
        node = WORKERS[which % 3]
        self.cluster.fault("node/partition", node=node, cut=not self._turn("cut", node))

    def cordon(self, which: int) -> None:
        node = WORKERS[which % 3]
        back = self._turn("cordon", node)
        self._patch("nodes", node, {"spec": {"unschedulable": None if back else True}})

    def stop(self, which: int) -> None:
        leader = LEADERS[which % 2]
        self.run(1)  # what was put away may not have come back yet
        self.cluster.fault("component/stop", component=leader, stopped=not self._turn("stop", leader))

    def deaf(self, which: int) -> None:
        """Its informers may not read any more: it misses events; or may again."""
        leader = LEADERS[which % 2]
        subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": f"system:{leader}"}]
        back = self._turn("deaf", leader)
        self._patch("clusterrolebindings", f"system:{leader}", {"subjects": subjects if back else None})

    def wait(self, which: int) -> None:
        self.run([1, 5, 40, 400][which % 4])

    def _turn(self, what: str, name: str) -> bool:
        """Breaks it (False), or mends what is broken (True)."""
        mended = name in self.broken[what]
        (self.broken[what].remove if mended else self.broken[what].append)(name)
        return mended

    def _patch(self, resource: str, name: str, patch: JSON) -> None:
        path = f"{self.cluster.kind_of(resource).path}/{resource}/{name}"
        headers = {"content-type": "application/merge-patch+json"}
        answer = self.cluster.request(Request("PATCH", path, [], headers, orjson.dumps(patch), ADMIN))
        assert answer.status == 200, answer.body

    # ---- the end ---------------------------------------------------------------------------------------

    def mend(self) -> None:
        for what, names in self.broken.items():
            for name in [*names]:
                where = WORKERS.index(name) if name in WORKERS else LEADERS.index(name)
                ACTIONS[what](self, where)
            self.run(30)  # a machine comes up
        self.run(1_500)

    def all_is_well(self) -> None:
        """Sets have what they want, as far as there is room, and nothing is left of who is gone."""
        cluster = self.cluster
        uids = {obj["metadata"]["uid"] for kind in OWNERS for obj in cluster.list(kind)}
        for resource in ("pods", "replicasets", "controllerrevisions", "endpointslices"):
            for obj in cluster.list(resource, "default"):
                owners = [
                    o["uid"] for o in obj["metadata"].get("ownerReferences") or () if o["kind"] != "Service"
                ]
                assert all(uid in uids for uid in owners), f"{resource} {_name(obj)} is an orphan"
        pods = cluster.list("pods", "default")
        waits = [_name(pod) for pod in pods if _unschedulable(pod)]
        for pod in pods:
            assert not pod["metadata"].get("deletionTimestamp"), f"{_name(pod)} does not end"
            done = get(pod, "status", "phase") in ("Succeeded", "Failed")
            assert done or _ready(pod) or _unschedulable(pod), f"{_name(pod)} is stuck: {pod['status']}"
        for kind in ("deployments", "statefulsets"):
            for obj in cluster.list(kind, "default"):
                status, wanted = obj["status"], obj["spec"]["replicas"]
                got = (
                    status.get("readyReplicas", 0),
                    status.get("updatedReplicas", 0),
                    status.get("replicas", 0),
                )
                assert got == (wanted,) * 3 or waits, f"{kind} {_name(obj)} wants {wanted} and has {got}"
        job = cluster.get("jobs", "j")
        assert job is None or waits or get(job, "status", "succeeded") == 3
        assert not cluster.failures


ACTIONS: dict[str, Callable[[Watched, int], None]] = {
    name: getattr(Watched, name)
    for name in (
        *("deployment", "stateful", "job", "high", "budget", "delete", "remove", "evict", "kill"),
        *("power", "shutdown", "kubelet", "fill", "cut", "cordon", "stop", "deaf", "wait"),
    )
}


def _template(labels: JSON, cpu: str, version: str = "0", command: list[str] | None = None) -> JSON:
    container = {
        "name": "c",
        "image": "busybox",
        "command": command or ["sh", "-c", "trap '' TERM; sleep 100d"],
        "env": [{"name": "VERSION", "value": version}],
        "resources": {"requests": {"cpu": cpu}},
    }
    spec = {"containers": [container], "terminationGracePeriodSeconds": 5}
    return {"metadata": {"labels": labels}, "spec": spec}


def _sum(pods: list[JSON]) -> dict[str, int]:
    total = {"pods": len(pods)}
    for pod in pods:
        for name, amount in pod_requests(pod["spec"]).items():
            total[name] = total.get(name, 0) + amount
    return total


def _text(labels: JSON) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items())


def _name(obj: JSON) -> str:
    return str(obj["metadata"]["name"])


def _condition(pod: JSON, kind: str) -> JSON:
    conditions = get(pod, "status", "conditions", default=())
    return next((c for c in conditions if c["type"] == kind), {"status": "Unknown"})


def _ready(pod: JSON) -> bool:
    return bool(_condition(pod, "Ready")["status"] == "True")


def _runs(pod: JSON) -> bool:
    return any("running" in s.get("state", {}) for s in get(pod, "status", "containerStatuses", default=()))


def _unschedulable(pod: JSON) -> bool:
    return bool(_condition(pod, "PodScheduled").get("reason") == "Unschedulable")


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=4, seed=5, freezing=True)
    cluster.apply(START)
    cluster.settle()
    return cluster


STORIES = st.lists(
    st.tuples(st.sampled_from([*sorted(ACTIONS), "deployment", "deployment", "high"]), st.integers(0, 63)),
    min_size=8,
    max_size=30,
)


@settings(max_examples=EXAMPLES, derandomize=EXAMPLES < 100)
@given(story=STORIES)
@example([("deployment", 19), ("deaf", 1), ("wait", 3), ("delete", 0), ("deaf", 1), ("evict", 0)])
@example([*[("budget", 0)] * 2, ("stateful", 46), ("kubelet", 0), *[("budget", 0)] * 5])
def test_what_holds_in_any_story(base: Cluster, story: list[tuple[str, int]]) -> None:
    watched = Watched(base.fork())
    for action, which in story:
        ACTIONS[action](watched, which)
        watched.run(2)
    watched.mend()
    watched.all_is_well()
    assert watched.looks


@pytest.mark.parametrize(
    ("story", "broken"),
    [([("deployment", 7)], "worker-1"), ([("stateful", 3), ("wait", 2)], "s-0")],
    ids=["room", "ordinals"],
)
def test_what_is_broken_is_seen(base: Cluster, story: list[tuple[str, int]], broken: str) -> None:
    """Planted: a node with no room is found over-committed; a second life of an ordinal is found."""
    watched = Watched(base.fork())
    for action, which in story:
        ACTIONS[action](watched, which)
        watched.run(5)
    watched.look()
    if broken in WORKERS:
        watched._room = {name: {**room, "cpu": 10} for name, room in watched._room.items()}
        watched._changed = True
    else:
        record = next(r for r in watched._records.all() if r.key == f"default/{broken}")
        other: Any = type(record)("other", record.key, record.node)
        other.containers = record.containers
        watched._records.add(other)
    with pytest.raises(AssertionError):
        watched.look()
