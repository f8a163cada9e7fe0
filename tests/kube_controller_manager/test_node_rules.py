"""Nodes: silence, taints, evictions, Pod ranges; and the conditions of a namespace that goes away."""

from __future__ import annotations

from typing import Any

import pytest
from kcm_objects import NOW, STAMP, node, pod

from cluster_engine.kube_controller_manager import namespace, node_rules


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
