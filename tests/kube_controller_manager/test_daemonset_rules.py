"""The DaemonSet's decisions: where, how many, in which order to replace."""

from __future__ import annotations

from typing import Any

import pytest
from kcm_objects import NOW, node, pod

from cluster_engine.kube_controller_manager import daemonset_rules as rules


def daemon_set(**more: Any) -> dict[str, Any]:
    rolling = {"maxUnavailable": 1, "maxSurge": 0, **more.pop("rolling", {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent", "namespace": "default", "uid": "ds", "generation": 1},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "updateStrategy": {"type": more.pop("strategy", "RollingUpdate"), "rollingUpdate": rolling},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [], **more}},
        },
    }


@pytest.mark.parametrize(
    ("spec", "on", "expected"),
    [
        pytest.param({}, node("n"), (True, True), id="plain"),
        pytest.param({}, node("n", ("dedicated", "NoSchedule")), (False, True), id="no-schedule-lets-stay"),
        pytest.param({}, node("n", ("dedicated", "NoExecute")), (False, False), id="no-execute-drives-out"),
        pytest.param({}, node("n", ("dedicated", "PreferNoSchedule")), (True, True), id="prefer-is-no-bar"),
        pytest.param(
            {"tolerations": [{"operator": "Exists"}]},
            node("n", ("dedicated", "NoExecute")),
            (True, True),
            id="tolerates-everything",
        ),
        pytest.param(
            {}, node("n", ("node.kubernetes.io/unreachable", "NoExecute")), (True, True), id="unreachable"
        ),
        pytest.param(
            {}, node("n", ("node.kubernetes.io/unschedulable", "NoSchedule")), (True, True), id="cordoned"
        ),
        pytest.param({"nodeSelector": {"disk": "ssd"}}, node("n"), (False, False), id="selector-misses"),
        pytest.param(
            {"nodeSelector": {"disk": "ssd"}},
            node("n", labels={"disk": "ssd"}),
            (True, True),
            id="selector-hits",
        ),
        pytest.param({"nodeName": "other"}, node("n"), (False, False), id="other-node-named"),
    ],
)
def test_placement(spec: dict[str, Any], on: dict[str, Any], expected: tuple[bool, bool]) -> None:
    assert list(rules.places(daemon_set(**spec), [on]).values()) == [expected]


def test_daemon_pod_is_pinned_and_tolerant() -> None:
    made = rules.daemon_pod(daemon_set(hostNetwork=True), "n1", "abc")
    assert rules.node_of(made) == "n1"
    assert made["metadata"]["labels"] == {"app": "web", "controller-revision-hash": "abc"}
    assert made["metadata"]["generateName"] == "agent-"
    assert [t["key"].partition("/")[2] for t in made["spec"]["tolerations"]] == [
        "not-ready",
        "unreachable",
        "disk-pressure",
        "memory-pressure",
        "pid-pressure",
        "unschedulable",
        "network-unavailable",
    ]


def _pod(name: str, on: str, hash: str = "new", **more: Any) -> dict[str, Any]:
    return pod(name, node=on, labels={"app": "web", rules.HASH_LABEL: hash}, **more)


@pytest.mark.parametrize(
    ("nodes", "pods", "create", "delete"),
    [
        pytest.param([node("a"), node("b")], [_pod("p", "a")], ["b"], [], id="missing"),
        pytest.param([node("a")], [_pod("p", "a"), _pod("q", "a")], [], ["q"], id="one-too-many"),
        pytest.param([node("a", ("x", "NoExecute"))], [_pod("p", "a")], [], ["p"], id="must-leave"),
        pytest.param([node("a", ("x", "NoSchedule"))], [_pod("p", "a")], [], [], id="may-stay"),
        pytest.param([node("a")], [_pod("p", "a", phase="Failed")], [], ["p"], id="failed"),
        pytest.param([node("a")], [_pod("p", "a", deleting=True)], [], [], id="wait-for-the-old-one-to-go"),
        pytest.param([node("a")], [_pod("p", "gone")], ["a"], ["p"], id="node-gone"),
    ],
)
def test_manage(
    nodes: list[dict[str, Any]], pods: list[dict[str, Any]], create: list[str], delete: list[str]
) -> None:
    changes = rules.manage(daemon_set(), rules.places(daemon_set(), nodes), rules.by_node(pods), "new")
    assert (changes.create_on, [p["metadata"]["name"] for p in changes.delete]) == (create, delete)


@pytest.mark.parametrize(
    ("rolling", "pods", "create", "delete"),
    [
        pytest.param({}, [_pod("p", "a", "old"), _pod("q", "b", "old")], [], ["p"], id="one-at-a-time"),
        pytest.param(
            {"maxUnavailable": 2}, [_pod("p", "a", "old"), _pod("q", "b", "old")], [], ["p", "q"], id="two"
        ),
        pytest.param(
            {}, [_pod("p", "a", ready=False), _pod("q", "b", "old")], [], [], id="wait-for-the-new-one"
        ),
        pytest.param(
            {}, [_pod("p", "a", "old", ready=False), _pod("q", "b", "old")], [], ["p"], id="broken-first"
        ),
        pytest.param({}, [_pod("p", "a"), _pod("q", "b")], [], [], id="done"),
        pytest.param(
            {"maxUnavailable": 0, "maxSurge": 1},
            [_pod("p", "a", "old"), _pod("q", "b", "old")],
            ["a"],
            [],
            id="surge-adds-first",
        ),
        pytest.param(
            {"maxUnavailable": 0, "maxSurge": 1},
            [_pod("p", "a", "old"), _pod("n", "a"), _pod("q", "b", "old")],
            ["b"],
            ["p"],
            id="surge-takes-the-old-one-when-the-new-one-is-up",
        ),
    ],
)
def test_rolling_update(
    rolling: dict[str, int], pods: list[dict[str, Any]], create: list[str], delete: list[str]
) -> None:
    nodes = [node("a"), node("b")]
    rolled = daemon_set(rolling=rolling)
    changes = rules.roll(rolled, rules.places(rolled, nodes), rules.by_node(pods), "new", NOW)
    assert (changes.create_on, [p["metadata"]["name"] for p in changes.delete]) == (create, delete)


def test_status() -> None:
    nodes = [node("a"), node("b"), node("c"), node("d", ("x", "NoSchedule"))]
    pods = [_pod("p", "a"), _pod("q", "b", "old", ready=False), _pod("r", "d")]
    assert rules.status(daemon_set(), rules.places(daemon_set(), nodes), rules.by_node(pods), "new", NOW) == {
        "currentNumberScheduled": 2,
        "numberMisscheduled": 1,
        "desiredNumberScheduled": 3,
        "numberReady": 1,
        "observedGeneration": 1,
        "updatedNumberScheduled": 1,
        "numberAvailable": 1,
        "numberUnavailable": 2,
    }
