"""Nodes: silence, taints, evictions, Pod ranges; and the conditions of a namespace that goes away."""

from __future__ import annotations

from typing import Any

import pytest
from kcm_objects import NOW, STAMP, node, pod

from cluster_engine import Cluster
from cluster_engine.kube_controller_manager import namespace, node_rules
from cluster_engine.sim import SECOND, parse_rfc3339


def test_silent_node_is_unknown() -> None:
    found = node_rules.silent_conditions(
        node("n", conditions={"Ready": "True", "DiskPressure": "False"}), STAMP
    )
    assert {c["type"]: (c["status"], c["reason"], c["message"]) for c in found} == {
        "Ready": ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."),
        "DiskPressure": ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."),
        "MemoryPressure": ("Unknown", "NodeStatusNeverUpdated", "Kubelet never posted node status."),
        "PIDPressure": ("Unknown", "NodeStatusNeverUpdated", "Kubelet never posted node status."),
    }


@pytest.mark.parametrize(
    ("given", "evict", "expected"),
    [
        pytest.param({}, True, [], id="ready"),
        pytest.param(
            {"conditions": {"Ready": "False"}},
            True,
            [("node.kubernetes.io/not-ready", "NoSchedule"), ("node.kubernetes.io/not-ready", "NoExecute")],
            id="not-ready",
        ),
        pytest.param(
            {"conditions": {"Ready": "Unknown"}},
            True,
            [
                ("node.kubernetes.io/unreachable", "NoSchedule"),
                ("node.kubernetes.io/unreachable", "NoExecute"),
            ],
            id="unreachable",
        ),
        pytest.param(
            {"conditions": {"Ready": "Unknown"}},
            False,
            [("node.kubernetes.io/unreachable", "NoSchedule")],
            id="no-eviction-when-all-are-lost",
        ),
        pytest.param(
            {"unschedulable": True}, True, [("node.kubernetes.io/unschedulable", "NoSchedule")], id="cordon"
        ),
        pytest.param(
            {"conditions": {"Ready": "True", "DiskPressure": "True"}},
            True,
            [("node.kubernetes.io/disk-pressure", "NoSchedule")],
            id="disk-pressure",
        ),
    ],
)
def test_taints(given: dict[str, Any], evict: bool, expected: list[tuple[str, str]]) -> None:
    stale = ("node.kubernetes.io/network-unavailable", "NoSchedule")
    found = node_rules.taints(node("n", ("mine", "NoSchedule"), stale, **given), STAMP, evict)
    assert [(taint["key"], taint["effect"]) for taint in found] == [("mine", "NoSchedule"), *expected]


UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("tolerations", "expected"),
    [
        pytest.param([], 0, id="at-once"),
        pytest.param([{"operator": "Exists"}], None, id="for-ever"),
        pytest.param(
            [
                {
                    "key": UNREACHABLE["key"],
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": 300,
                }
            ],
            300,
            id="five-minutes",
        ),
        pytest.param(
            [
                {"key": UNREACHABLE["key"], "operator": "Exists", "tolerationSeconds": 300},
                {"operator": "Exists", "tolerationSeconds": 20},
            ],
            20,
            id="the-shortest",
        ),
        pytest.param([{"key": "other", "operator": "Exists"}], 0, id="another-taint"),
        pytest.param([{"operator": "Exists", "tolerationSeconds": -1}], 0, id="less-than-nothing"),
    ],
)
def test_tolerated_seconds(tolerations: list[dict[str, Any]], expected: int | None) -> None:
    assert node_rules.tolerated_seconds(pod("p", tolerations=tolerations), [UNREACHABLE]) == expected


@pytest.mark.parametrize(
    ("lease", "expected"),
    [
        pytest.param(None, NOW, id="no-lease"),
        pytest.param({"spec": {"renewTime": "2026-01-01T00:00:40.500000Z"}}, NOW + 40_500_000, id="lease"),
    ],
)
def test_last_sign(lease: dict[str, Any] | None, expected: int) -> None:
    assert node_rules.last_sign(node("n"), lease) == expected


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        pytest.param([], 60.0, id="never heard of"),
        pytest.param(["MemoryPressure"], 60.0, id="nothing of Ready"),
        pytest.param(["Ready"], 50.0, id="heard of"),
    ],
)
def test_grace_period(types: list[str], expected: float) -> None:
    conditions = [{"type": type, "status": "True"} for type in types]
    assert node_rules.grace_period({"status": {"conditions": conditions}}) == expected


def test_a_node_without_a_kubelet_is_lost_after_a_minute() -> None:
    cluster = Cluster(nodes=1, seed=1, addons=False, freezing=True)
    cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "alone"}})

    def told() -> list[str]:
        found = (cluster.get("nodes", "alone") or {}).get("status", {}).get("conditions", [])
        return [each["reason"] for each in found if each["type"] == "Ready"]

    cluster.advance(59)
    assert told() == []
    cluster.advance(2)
    assert told() == ["NodeStatusNeverUpdated"]


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        pytest.param([], "10.244.0.0/24", id="first"),
        pytest.param(["10.244.0.0/24", "10.244.2.0/24", ""], "10.244.1.0/24", id="gap"),
        pytest.param([f"10.244.{n}.0/24" for n in range(256)], "", id="none-left"),
    ],
)
def test_free_pod_range(taken: list[str], expected: str) -> None:
    assert node_rules.free_pod_range(taken) == expected


@pytest.mark.parametrize(
    ("remains", "type", "expected"),
    [
        pytest.param(
            namespace.Remains({}, {}, [], 0),
            "NamespaceContentRemaining",
            ("False", "ContentRemoved", "All content successfully removed"),
            id="empty",
        ),
        pytest.param(
            namespace.Remains({"pods.": 2, "jobs.batch": 1}, {}, [], 0),
            "NamespaceContentRemaining",
            (
                "True",
                "SomeResourcesRemain",
                "Some resources are remaining: pods. has 2 resource instances, "
                "jobs.batch has 1 resource instances",
            ),
            id="content",
        ),
        pytest.param(
            namespace.Remains({"pods.": 2}, {"a.io/f": 2}, [], 0),
            "NamespaceFinalizersRemaining",
            (
                "True",
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: a.io/f in 2 resource instances",
            ),
            id="finalizers",
        ),
        pytest.param(
            namespace.Remains({}, {}, [], 0),
            "NamespaceDeletionContentFailure",
            ("False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
            id="no-failure",
        ),
    ],
)
def test_namespace_conditions(remains: namespace.Remains, type: str, expected: tuple[str, str, str]) -> None:
    found = {
        c["type"]: (c["status"], c["reason"], c["message"]) for c in namespace.conditions((), remains, STAMP)
    }
    assert list(found) == [
        "NamespaceDeletionDiscoveryFailure",
        "NamespaceDeletionGroupVersionParsingFailure",
        "NamespaceDeletionContentFailure",
        "NamespaceContentRemaining",
        "NamespaceFinalizersRemaining",
    ]
    assert found[type] == expected


@pytest.mark.parametrize(
    ("ready", "lost", "expected"),
    [
        pytest.param(3, 1, 10.0, id="one of four"),
        pytest.param(1, 2, 10.0, id="two are few, whatever their share"),
        pytest.param(3, 3, 10.0, id="half"),
        pytest.param(2, 3, None, id="most of a small zone: none"),
        pytest.param(9, 11, None, id="just 55 percent"),
        pytest.param(10, 11, 10.0, id="less than 55 percent"),
        pytest.param(20, 30, None, id="50 nodes are no large zone"),
        pytest.param(20, 31, 100.0, id="most of a large zone: slowly"),
        pytest.param(0, 3, 10.0, id="all of it"),
    ],
)
def test_how_fast_a_zone_is_evicted(ready: int, lost: int, expected: float | None) -> None:
    assert node_rules.eviction_interval([True] * ready + [False] * lost) == expected


def _taints(cluster: Cluster) -> dict[str, str]:
    """Node -> when it was tainted for eviction."""
    return {
        node["metadata"]["name"]: taint["timeAdded"]
        for node in cluster.list("nodes")
        for taint in node["spec"].get("taints") or ()
        if (taint["key"], taint["effect"]) == (node_rules.UNREACHABLE, "NoExecute")
    }


def test_nodes_of_a_zone_are_tainted_one_after_the_other() -> None:
    cluster = Cluster(nodes=8, seed=1, freezing=True)
    for name in ("worker-2", "worker-5"):  # all of a zone
        cluster.fault("node/power", node=name, up=False)
    cluster.advance(70)
    first, second = sorted(parse_rfc3339(at) for at in _taints(cluster).values())
    assert second - first == 10 * SECOND
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_when_no_node_is_left_the_taints_go() -> None:
    cluster = Cluster(nodes=2, seed=1, freezing=True, control_plane=False)
    cluster.fault("node/power", node="worker-1", up=False)
    cluster.advance(70)
    assert list(_taints(cluster)) == ["worker-1"]
    cluster.fault("node/power", node="worker-2", up=False)
    cluster.advance(70)
    assert not _taints(cluster)
    cluster.fault("node/power", node="worker-2", up=True)
    cluster.advance(30)
    assert list(_taints(cluster)) == ["worker-1"]
