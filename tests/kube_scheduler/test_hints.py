"""Which events each plugin registers, and whether they may help a Pod that it refused."""

from __future__ import annotations

from typing import Any

import pytest
from test_scheduler_plugins import APP, TAINT, affinity, expression, framework, near, node, pod

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.framework.events import Event, node_changes, pod_changes

ADD, DELETE = "Add", "Delete"


def spread(**more: Any) -> list[JSON]:
    one = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": APP}
    return [{**one, **more}]


def claim(name: str) -> JSON:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {}}


X = {"app": "x"}
PORT = [{"containerPort": 80, "hostPort": 80}]
CLAIM = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
TOLERANT = [{"operator": "Exists"}]
ANTI = near("podAntiAffinity", "zone")
NEAR = near("podAffinity", "zone")
SSD = affinity(expression("disk", "In", "ssd"))

# plugin, the refused Pod, (resource, action, before, after), whether it is worth another try
CASES: dict[str, tuple[str, JSON, tuple[str, str, JSON | None, JSON | None], bool | None]] = {
    "cordoned: a new node": ("NodeUnschedulable", pod(), ("Node", ADD, None, node("n")), True),
    "cordoned: a new one too": (
        "NodeUnschedulable",
        pod(),
        ("Node", ADD, None, node("n", unschedulable=True)),
        False,
    ),
    "cordoned: uncordoned": (
        "NodeUnschedulable",
        pod(),
        ("Node", "UpdateNodeTaint", node("n", unschedulable=True), node("n")),
        True,
    ),
    "cordoned: another taint went": (
        "NodeUnschedulable",
        pod(),
        ("Node", "UpdateNodeTaint", node("n", taints=[TAINT]), node("n")),
        False,
    ),
    "cordoned: the Pod tolerates it now": (
        "NodeUnschedulable",
        pod(tolerations=TOLERANT),
        ("Pod", "UpdatePodToleration", pod(), pod(tolerations=TOLERANT)),
        True,
    ),
    "taint went": (
        "TaintToleration",
        pod(),
        ("Node", "UpdateNodeTaint", node("n", taints=[TAINT]), node("n")),
        True,
    ),
    "taint stays": (
        "TaintToleration",
        pod(),
        ("Node", "UpdateNodeTaint", node("n"), node("n", taints=[TAINT])),
        False,
    ),
    "taint: another Pod's tolerations": (
        "TaintToleration",
        pod("p"),
        ("Pod", "UpdatePodToleration", pod("q"), pod("q", tolerations=TOLERANT)),
        False,
    ),
    "taint: labels say nothing": (
        "TaintToleration",
        pod(),
        ("Node", "UpdateNodeLabel", node("n"), node("n")),
        None,
    ),
    "affinity: matches now": (
        "NodeAffinity",
        pod(affinity=SSD),
        ("Node", "UpdateNodeLabel", node("n"), node("n", {"disk": "ssd"})),
        True,
    ),
    "affinity: matched before": (
        "NodeAffinity",
        pod(affinity=SSD),
        ("Node", "UpdateNodeLabel", node("n", {"disk": "ssd"}), node("n", {"disk": "ssd", "a": "b"})),
        False,
    ),
    "affinity: a new node that does not match": (
        "NodeAffinity",
        pod(affinity=SSD),
        ("Node", ADD, None, node("n")),
        False,
    ),
    "ports: the holder went": (
        "NodePorts",
        pod(ports=PORT),
        ("Pod", DELETE, pod("q", on="n", ports=PORT), None),
        True,
    ),
    "ports: another port": (
        "NodePorts",
        pod(ports=PORT),
        ("Pod", DELETE, pod("q", on="n", ports=[{"hostPort": 81}]), None),
        False,
    ),
    "ports: who had no node": (
        "NodePorts",
        pod(ports=PORT),
        ("Pod", DELETE, pod("q", ports=PORT), None),
        False,
    ),
    "room: a placed Pod went": ("NodeResourcesFit", pod(), ("Pod", DELETE, pod("q", on="n"), None), True),
    "room: a waiting Pod went": ("NodeResourcesFit", pod(), ("Pod", DELETE, pod("q"), None), False),
    "room: a Pod came": ("NodeResourcesFit", pod(), ("Pod", ADD, None, pod("q", on="n")), None),
    "room: a new node": (
        "NodeResourcesFit",
        pod(requests={"cpu": "2"}),
        ("Node", ADD, None, node("n")),
        True,
    ),
    "room: a node that is too small": (
        "NodeResourcesFit",
        pod(requests={"cpu": "5"}),
        ("Node", ADD, None, node("n")),
        False,
    ),
    "room: the node grew": (
        "NodeResourcesFit",
        pod(requests={"cpu": "5"}),
        ("Node", "UpdateNodeAllocatable", node("n"), node("n", allocatable={"cpu": "8"})),
        True,
    ),
    "room: something else grew": (
        "NodeResourcesFit",
        pod(requests={"cpu": "2"}),
        ("Node", "UpdateNodeAllocatable", node("n"), node("n", allocatable={"memory": "9Gi"})),
        False,
    ),
    "near: a match came": (
        "InterPodAffinity",
        pod(affinity=NEAR),
        ("Pod", ADD, None, pod("q", X, on="n")),
        True,
    ),
    "near: the last one went": (
        "InterPodAffinity",
        pod(labels=X, affinity=NEAR),
        ("Pod", DELETE, pod("q", X, on="n"), None),
        True,
    ),
    "near: the last one went, but it is none itself": (
        "InterPodAffinity",
        pod(affinity=NEAR),
        ("Pod", DELETE, pod("q", X, on="n"), None),
        False,
    ),
    "near: no match": ("InterPodAffinity", pod(affinity=NEAR), ("Pod", ADD, None, pod("q", on="n")), False),
    "near: without a node": ("InterPodAffinity", pod(affinity=NEAR), ("Pod", ADD, None, pod("q", X)), False),
    "away: the match went": (
        "InterPodAffinity",
        pod(affinity=ANTI),
        ("Pod", DELETE, pod("q", X, on="n"), None),
        True,
    ),
    "away: it lost the label": (
        "InterPodAffinity",
        pod(affinity=ANTI),
        ("Pod", "UpdatePodLabel", pod("q", X, on="n"), pod("q", on="n")),
        True,
    ),
    "away: another went": (
        "InterPodAffinity",
        pod(affinity=ANTI),
        ("Pod", DELETE, pod("q", on="n"), None),
        False,
    ),
    "others' anti-affinity went": (
        "InterPodAffinity",
        pod(labels=X),
        ("Pod", DELETE, pod("q", on="n", affinity=ANTI), None),
        True,
    ),
    "near: a node of another zone": (
        "InterPodAffinity",
        pod(affinity=NEAR),
        ("Node", "UpdateNodeLabel", node("n"), node("n", {"zone": "a"})),
        True,
    ),
    "near: another label": (
        "InterPodAffinity",
        pod(affinity=NEAR),
        ("Node", "UpdateNodeLabel", node("n"), node("n", {"disk": "ssd"})),
        False,
    ),
    "spread: one that counts went": (
        "PodTopologySpread",
        pod(topologySpreadConstraints=spread()),
        ("Pod", DELETE, pod("q", X, on="n"), None),
        True,
    ),
    "spread: one that does not count": (
        "PodTopologySpread",
        pod(topologySpreadConstraints=spread()),
        ("Pod", DELETE, pod("q", on="n"), None),
        False,
    ),
    "spread: began to count": (
        "PodTopologySpread",
        pod(topologySpreadConstraints=spread()),
        ("Pod", "UpdatePodLabel", pod("q", on="n"), pod("q", X, on="n")),
        True,
    ),
    "spread: another namespace": (
        "PodTopologySpread",
        pod(topologySpreadConstraints=spread()),
        (
            "Pod",
            DELETE,
            {**pod("q", X, on="n"), "metadata": {"name": "q", "uid": "q", "namespace": "o", "labels": X}},
            None,
        ),
        False,
    ),
    "spread: its own labels": (
        "PodTopologySpread",
        pod(labels={"app": "y"}, topologySpreadConstraints=spread()),
        ("Pod", "UpdatePodLabel", pod(labels=X), pod(labels={"app": "y"})),
        True,
    ),
    "spread: a node with the key": (
        "PodTopologySpread",
        pod(topologySpreadConstraints=spread()),
        ("Node", ADD, None, node("n", {"zone": "a"})),
        True,
    ),
    "spread: a node without it": (
        "PodTopologySpread",
        pod(topologySpreadConstraints=spread()),
        ("Node", ADD, None, node("n")),
        False,
    ),
    "spread: a node went": (
        "PodTopologySpread",
        pod(topologySpreadConstraints=spread()),
        ("Node", DELETE, node("n", {"zone": "a"}), None),
        True,
    ),
    "claim: its own": (
        "VolumeBinding",
        pod(volumes=CLAIM),
        ("PersistentVolumeClaim", ADD, None, claim("c")),
        True,
    ),
    "claim: another": (
        "VolumeBinding",
        pod(volumes=CLAIM),
        ("PersistentVolumeClaim", ADD, None, claim("d")),
        False,
    ),
    "name: a new node": ("NodeName", pod(), ("Node", ADD, None, node("n")), True),
    "gates: the last one went": (
        "SchedulingGates",
        pod(),
        ("Pod", "UpdatePodSchedulingGatesEliminated", pod(schedulingGates=[{"name": "g"}]), pod()),
        True,
    ),
    "gates: of another Pod": (
        "SchedulingGates",
        pod("p"),
        ("Pod", "UpdatePodSchedulingGatesEliminated", pod("q", schedulingGates=[{"name": "g"}]), pod("q")),
        False,
    ),
}


@pytest.mark.parametrize(("plugin", "waiting", "event", "expected"), CASES.values(), ids=CASES.keys())
def test_hint(
    plugin: str, waiting: JSON, event: tuple[str, str, JSON | None, JSON | None], expected: bool | None
) -> None:
    fw = framework([], [])
    happened = Event(*event)
    asked = next(p for p in fw.plugins if p.name == plugin)
    interests = [interest for interest in asked.events() if interest.covers(happened)]
    if expected is None:
        assert interests == []
        return
    info = fw.cache.info(waiting)
    assert any(i.hint is None or i.hint(info, happened) for i in interests) is expected


NODE_CHANGES = {
    "nothing": (node("n"), node("n"), ()),
    "taints": (node("n"), node("n", taints=[TAINT]), ("UpdateNodeTaint",)),
    "cordon": (node("n"), node("n", unschedulable=True), ("UpdateNodeTaint",)),
    "labels": (node("n"), node("n", {"a": "b"}), ("UpdateNodeLabel",)),
    "allocatable": (node("n"), node("n", allocatable={"cpu": "8"}), ("UpdateNodeAllocatable",)),
}


@pytest.mark.parametrize(("old", "new", "expected"), NODE_CHANGES.values(), ids=NODE_CHANGES.keys())
def test_node_changes(old: JSON, new: JSON, expected: tuple[str, ...]) -> None:
    assert node_changes(old, new) == expected


POD_CHANGES = {
    "nothing with a name": (pod(), pod(), ("Update",)),
    "labels": (pod(), pod(labels=X), ("UpdatePodLabel",)),
    "tolerations": (pod(), pod(tolerations=TOLERANT), ("UpdatePodToleration",)),
    "less": (pod(requests={"cpu": "2"}), pod(requests={"cpu": "1"}), ("UpdatePodScaleDown",)),
    "more": (pod(requests={"cpu": "1"}), pod(requests={"cpu": "2"}), ("Update",)),
    "gates": (pod(schedulingGates=[{"name": "g"}]), pod(), ("UpdatePodSchedulingGatesEliminated",)),
    "one gate of two": (
        pod(schedulingGates=[{"name": "g"}, {"name": "h"}]),
        pod(schedulingGates=[{"name": "h"}]),
        ("Update",),
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), POD_CHANGES.values(), ids=POD_CHANGES.keys())
def test_pod_changes(old: JSON, new: JSON, expected: tuple[str, ...]) -> None:
    assert pod_changes(old, new) == expected
