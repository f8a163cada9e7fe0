"""Each plugin alone: which nodes it refuses, in whose words, and how it scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.etcd import Store
from cluster_engine.kube_scheduler.config import loaded
from cluster_engine.kube_scheduler.framework.cache import Cache
from cluster_engine.kube_scheduler.framework.handle import Handle
from cluster_engine.kube_scheduler.framework.interface import Plugin
from cluster_engine.kube_scheduler.framework.nominator import Nominator
from cluster_engine.kube_scheduler.framework.rotation import Rotation
from cluster_engine.kube_scheduler.framework.runtime import Framework, tell
from cluster_engine.kube_scheduler.plugins import PLUGINS
from cluster_engine.kube_scheduler.plugins.node_resources_balanced_allocation import (
    NodeResourcesBalancedAllocation,
)
from cluster_engine.kube_scheduler.plugins.node_resources_fit import NodeResourcesFit
from cluster_engine.kube_scheduler.plugins.pod_topology_spread import PodTopologySpread
from cluster_engine.sim import Chance, Clock


def node(name: str, labels: dict[str, str] | None = None, **more: Any) -> JSON:
    allocatable = {"cpu": "4", "memory": "8Gi", "pods": "110", **more.pop("allocatable", {})}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}},
        "spec": more,
        "status": {"allocatable": allocatable},
    }


def pod(name: str = "p", labels: dict[str, str] | None = None, on: str = "", **spec: Any) -> JSON:
    requests = spec.pop("requests", None)
    container: JSON = {"name": "c", "image": "nginx"}
    if requests:
        container["resources"] = {"requests": requests}
    if "ports" in spec:
        container["ports"] = spec.pop("ports")
    if on:
        spec["nodeName"] = on
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": name, "labels": labels or {}},
        "spec": {"containers": [container], **spec},
        "status": {},
    }


def framework(
    nodes: list[JSON], pods: list[JSON], config: str = "", others: Iterable[tuple[str, JSON]] = ()
) -> Framework:
    """The plugins over those nodes and Pods, and what else there is, each with its group-resource."""
    store = Store(Clock(0))
    for resource, obj in others:
        store.put(resource, key_of(obj), obj, 0)
    for obj in nodes:
        store.put("nodes", obj["metadata"]["name"], obj, 0)
    for obj in pods:
        store.put("pods", f"default/{obj['metadata']['name']}", obj, 0)
    cache = Cache(SharedInformerFactory(store))
    cache.rebuild()
    handle = Handle(
        store.clock,
        cache,
        Any,
        Any,
        lambda *_: None,
        lambda *_: False,
        Nominator(),  # type: ignore[arg-type]
        Rotation(),
        Chance(0),
    )
    return Framework(loaded(config, PLUGINS).profiles[0], handle)


def decide(nodes: list[JSON], placed: list[JSON], wanted: JSON, config: str = "") -> str:
    """The chosen node's name, or why there is none."""
    fw = framework(nodes, placed, config)
    found = fw.find(fw.cache.info(wanted))
    if found.diagnosis is not None:
        return tell(len(nodes), found.diagnosis.refusals, found.diagnosis.everywhere)
    assert found.node is not None
    return found.node.name


TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}
ZONES = [node(f"n{i}", {"zone": "ab"[i // 2]}) for i in range(4)]
APP = {"matchLabels": {"app": "x"}}


def affinity(*terms: JSON, preferred: list[JSON] | None = None) -> JSON:
    inner: JSON = {}
    if terms:
        inner["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": list(terms)}
    if preferred:
        inner["preferredDuringSchedulingIgnoredDuringExecution"] = preferred
    return {"nodeAffinity": inner}


def near(kind: str, key: str) -> JSON:
    term = {"labelSelector": APP, "topologyKey": key}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def expression(key: str, operator: str, *values: str) -> JSON:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


CASES = {
    "one node": ([node("a")], [], pod(), "a"),
    "cordoned": (
        [node("a", unschedulable=True)],
        [],
        pod(),
        "0/1 nodes are available: 1 node(s) were unschedulable.",
    ),
    "cordoned but tolerated": (
        [node("a", unschedulable=True)],
        [],
        pod(tolerations=[{"operator": "Exists"}]),
        "a",
    ),
    "taint": (
        [node("a", taints=[TAINT]), node("b", taints=[TAINT])],
        [],
        pod(),
        "0/2 nodes are available: 2 node(s) had untolerated taint(s).",
    ),
    "taint tolerated": (
        [node("a", taints=[TAINT])],
        [],
        pod(tolerations=[{**TAINT, "operator": "Equal"}]),
        "a",
    ),
    "toleration of another value": (
        [node("a", taints=[TAINT])],
        [],
        pod(tolerations=[{"key": "k", "value": "w", "effect": "NoSchedule"}]),
        "0/1 nodes are available: 1 node(s) had untolerated taint(s).",
    ),
    "PreferNoSchedule is avoided": (
        [node("a", taints=[{**TAINT, "effect": "PreferNoSchedule"}]), node("b")],
        [],
        pod(),
        "b",
    ),
    "nodeSelector": ([node("a"), node("b", {"disk": "ssd"})], [], pod(nodeSelector={"disk": "ssd"}), "b"),
    "nodeSelector without a match": (
        [node("a"), node("b", taints=[TAINT])],
        [],
        pod(nodeSelector={"disk": "ssd"}),
        "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
        "1 node(s) had untolerated taint(s).",
    ),
    "affinity In": (
        [*ZONES],
        [],
        pod(affinity=affinity(expression("zone", "In", "c"))),
        ("0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector."),
    ),
    "affinity Gt": (
        [node("a", {"deck": "2"}), node("b", {"deck": "5"})],
        [],
        pod(affinity=affinity(expression("deck", "Gt", "3"))),
        "b",
    ),
    "affinity by field": (
        [node("a"), node("b")],
        [],
        pod(
            affinity=affinity({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]})
        ),
        "b",
    ),
    "preferred affinity": (
        [node("a"), node("b", {"fast": "y"})],
        [],
        pod(affinity=affinity(preferred=[{"weight": 80, "preference": expression("fast", "Exists")}])),
        "b",
    ),
    "insufficient, for good": (
        [node("a"), node("b", allocatable={"memory": "1Gi"})],
        [],
        pod(requests={"cpu": "5", "memory": "2Gi"}),
        "0/2 nodes are available: 1 Insufficient memory, 2 Insufficient cpu.",
    ),
    "least allocated": ([node("a"), node("b")], [pod("x", on="a", requests={"cpu": "1"})], pod(), "b"),
    "too many pods": (
        [node("a", allocatable={"pods": "1"})],
        [pod("x", on="a")],
        pod(),
        "0/1 nodes are available: 1 Too many pods.",
    ),
    "host port taken": (
        [node("a")],
        [pod("x", on="a", ports=[{"containerPort": 80, "hostPort": 80}])],
        pod(ports=[{"containerPort": 8080, "hostPort": 80}]),
        "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    ),
    "claim that does not exist": (
        [node("a"), node("b")],
        [],
        pod(volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]),
        '0/2 nodes are available: persistentvolumeclaim "data" not found.',
    ),
    "pod affinity": (
        ZONES,
        [pod("x", {"app": "x"}, on="n2")],
        pod(affinity=near("podAffinity", "kubernetes.io/hostname")),
        "n2",
    ),
    "pod affinity without a match": (
        [node("a")],
        [],
        pod(affinity=near("podAffinity", "kubernetes.io/hostname")),
        "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
    ),
    "pod affinity to itself": (
        [node("a")],
        [],
        pod(labels={"app": "x"}, affinity=near("podAffinity", "kubernetes.io/hostname")),
        "a",
    ),
    "pod anti-affinity": (
        [node("a"), node("b")],
        [pod("x", {"app": "x"}, on="a")],
        pod(affinity=near("podAntiAffinity", "kubernetes.io/hostname")),
        "b",
    ),
    "pod anti-affinity over zones": (
        ZONES,
        [pod("x", {"app": "x"}, on="n0"), pod("y", {"app": "x"}, on="n3")],
        pod(affinity=near("podAntiAffinity", "zone")),
        "0/4 nodes are available: 4 node(s) didn't match pod anti-affinity rules.",
    ),
    "others' anti-affinity": (
        [node("a")],
        [pod("x", on="a", affinity=near("podAntiAffinity", "kubernetes.io/hostname"))],
        pod(labels={"app": "x"}),
        "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
    ),
    "spread over zones": (
        ZONES,
        [pod("x", {"app": "x"}, on="n0"), pod("y", {"app": "x"}, on="n1"), pod("z", {"app": "x"}, on="n2")],
        pod(
            labels={"app": "x"},
            nodeSelector={"zone": "a"},
            topologySpreadConstraints=[
                {
                    "maxSkew": 1,
                    "topologyKey": "zone",
                    "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": APP,
                    "nodeAffinityPolicy": "Ignore",
                }
            ],
        ),
        "0/4 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, "
        "2 node(s) didn't match pod topology spread constraints.",
    ),
    "spread without the label": (
        [node("a")],
        [],
        pod(
            topologySpreadConstraints=[
                {
                    "maxSkew": 1,
                    "topologyKey": "rack",
                    "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": APP,
                }
            ]
        ),
        "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label).",
    ),
    "soft spread": (
        [node("a"), node("b")],
        [pod("x", {"app": "x"}, on="a"), pod("y", {"app": "x"}, on="a"), pod("z", on="b"), pod("w", on="b")],
        pod(
            labels={"app": "x"},
            topologySpreadConstraints=[
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": APP,
                }
            ],
        ),
        "b",
    ),
}


@pytest.mark.parametrize(("nodes", "placed", "wanted", "expected"), CASES.values(), ids=CASES.keys())
def test_decision(nodes: list[JSON], placed: list[JSON], wanted: JSON, expected: str) -> None:
    assert decide(nodes, placed, wanted) == expected


SCORES = {
    # Upstream's table test: (4000 - 1000) * 100 / 4000 = 75, memory (8 - 2) / 8 = 75.
    "least allocated": (NodeResourcesFit, {"cpu": "1", "memory": "2Gi"}, 75),
    "least allocated, full": (NodeResourcesFit, {"cpu": "4", "memory": "8Gi"}, 0),
    "balanced": (NodeResourcesBalancedAllocation, {"cpu": "1", "memory": "2Gi"}, 100),
    "unbalanced": (NodeResourcesBalancedAllocation, {"cpu": "4"}, 50),
}


@pytest.mark.parametrize(("plugin", "requests", "expected"), SCORES.values(), ids=SCORES.keys())
def test_resource_scores(plugin: Any, requests: dict[str, str], expected: int) -> None:
    fw = framework([node("a")], [])
    wanted = pod(requests=requests)
    shape = fw.cache.shapes.of(wanted)
    (found,) = (each for each in fw.plugins if each.name == plugin.name)
    assert found.score_shape(shape, fw.cache.snapshot.nodes[0]) == expected


def test_kept_answers_follow_changes() -> None:
    """The second replica of a shape sees where the first one went."""
    fw = framework([node("a"), node("b")], [])
    chosen = []
    for number in range(4):
        wanted = pod(f"p{number}", requests={"cpu": "1900m"})
        found = fw.find(fw.cache.info(wanted)).node
        assert found is not None
        chosen.append(found.name)
        fw.cache.add_pod({**wanted, "spec": {**wanted["spec"], "nodeName": found.name}})
    assert sorted(chosen) == ["a", "a", "b", "b"]


@pytest.mark.parametrize("key", ["kubernetes.io/hostname", "zone"])
def test_what_is_told_of_all_nodes_is_what_is_told_of_each(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """``scores`` and ``score`` of a plugin that has both, where a node has the key and where it has not."""
    wanted = pod("w", {"app": "x"})
    soft = {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": APP}
    wanted["spec"]["topologySpreadConstraints"] = [soft]
    placed = [pod("x", {"app": "x"}, on="a"), pod("y", {"app": "x"}, on="a"), pod("z", {"app": "x"}, on="b")]
    told = []
    for each in (False, True):
        if each:
            monkeypatch.setattr(PodTopologySpread, "scores", Plugin.scores)
        nodes = [node("a", {"zone": "1"}), node("b", {"zone": "2"}), node("c", {"zone": "2"}), node("d")]
        fw = framework(nodes, placed)
        told.append(fw.find(fw.cache.info(wanted)).tally.scores)
    assert told[0] == told[1]
    (spread,) = (scores for scores in told[0] if scores.plugin == "PodTopologySpread")
    assert len(set(spread.raw)) > 1


def test_plugins_are_listed_once() -> None:
    names = [plugin.name for plugin in PLUGINS]
    assert len(names) == len(set(names))
    assert all(names)
