"""Services to endpoints: conditions, ports, slices of a hundred, few writes."""

from __future__ import annotations

from typing import Any

import pytest
from kcm_objects import STAMP, node, pod

from cluster_engine.kube_controller_manager import endpoints_rules as rules


def service(*ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "web",
            "namespace": "default",
            "uid": "svc",
            "labels": {"team": "a"},
            "creationTimestamp": STAMP,
        },
        "spec": {
            "clusterIP": "10.96.0.5",
            "selector": {"app": "web"},
            "ports": list(ports) or [{"port": 80}],
            **spec,
        },
    }


@pytest.mark.parametrize(
    ("given", "spec", "expected"),
    [
        pytest.param({}, {}, (True, True, False), id="ready"),
        pytest.param({"ready": False}, {}, (False, False, False), id="not-ready"),
        pytest.param({"deleting": True}, {}, (False, True, True), id="terminating-still-serving"),
        pytest.param(
            {"ready": False}, {"publishNotReadyAddresses": True}, (True, False, False), id="published"
        ),
    ],
)
def test_conditions(given: dict[str, Any], spec: dict[str, Any], expected: tuple[bool, bool, bool]) -> None:
    found = rules.endpoint(service(**spec), pod("p", ip="10.244.1.2", **given), None)
    assert tuple(found["conditions"].values()) == expected


def test_endpoint_names_its_pod_node_and_zone() -> None:
    on = node("n1", labels={rules.ZONE: "z1"})
    assert rules.endpoint(service(), pod("p", ip="10.244.1.2"), on) == {
        "addresses": ["10.244.1.2"],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "nodeName": "n1",
        "targetRef": {"kind": "Pod", "namespace": "default", "name": "p", "uid": "p-uid"},
        "zone": "z1",
    }


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        pytest.param({"port": 80}, 80, id="same-as-port"),
        pytest.param({"port": 80, "targetPort": 8080}, 8080, id="number"),
        pytest.param({"port": 80, "targetPort": "http"}, 9000, id="name"),
        pytest.param(
            {"port": 80, "targetPort": "http", "protocol": "UDP"}, None, id="name-of-another-protocol"
        ),
        pytest.param({"port": 80, "targetPort": "missing"}, None, id="name-that-no-container-has"),
    ],
)
def test_target_port(port: dict[str, Any], expected: int | None) -> None:
    containers = [{"name": "c", "image": "x", "ports": [{"name": "http", "containerPort": 9000}]}]
    assert rules.target_port(pod("p", containers=containers), port) == expected


def _plan(pods: list[dict[str, Any]], existing: list[dict[str, Any]]) -> rules.Plan:
    return rules.plan_slices(service(), pods, lambda _name: None, existing)


def _stored(plan: rules.Plan) -> list[dict[str, Any]]:
    return [
        {**slice, "metadata": {**slice["metadata"], "name": f"web-{n}"}}
        for n, slice in enumerate(plan.create)
    ]


def _pods(count: int) -> list[dict[str, Any]]:
    return [pod(f"p{n:04}", ip=f"10.244.{n // 250}.{n % 250 + 1}") for n in range(count)]


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        pytest.param(1, [1], id="one"),
        pytest.param(100, [100], id="a-full-slice"),
        pytest.param(250, [100, 100, 50], id="three"),
    ],
)
def test_slices_hold_a_hundred(count: int, sizes: list[int]) -> None:
    plan = _plan(_pods(count), [])
    assert [len(slice["endpoints"]) for slice in plan.create] == sizes
    assert (plan.update, plan.delete) == ([], [])
    assert plan.create[0]["metadata"]["labels"] == {
        "team": "a",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "web",
    }


def test_nothing_changed_writes_nothing() -> None:
    pods = _pods(150)
    assert _plan(pods, _stored(_plan(pods, []))) == rules.Plan([], [], [])


def test_a_replaced_pod_changes_one_slice() -> None:
    pods = _pods(250)
    stored = _stored(_plan(pods, []))
    plan = _plan([*pods[:5], *pods[6:], pod("fresh", ip="10.244.9.9")], stored)
    assert [slice["metadata"]["name"] for slice in plan.update] == ["web-0"]
    assert (len(plan.update[0]["endpoints"]), plan.create, plan.delete) == (100, [], [])


def test_without_endpoints_one_empty_slice_stays() -> None:
    stored = _stored(_plan(_pods(150), []))
    plan = _plan([], stored)
    assert [(s["metadata"]["name"], s["endpoints"], s["ports"]) for s in plan.update] == [
        ("web-0", None, None)
    ]
    assert [s["metadata"]["name"] for s in plan.delete] == ["web-1"]


def test_pods_that_count() -> None:
    pods = [pod("no-ip"), pod("done", ip="10.0.0.1", phase="Succeeded"), pod("ok", ip="10.0.0.2")]
    plan = _plan(pods, [])
    assert [e["targetRef"]["name"] for s in plan.create for e in s["endpoints"]] == ["ok"]


def test_subsets_separate_ready_from_not_ready() -> None:
    pods = [
        pod("b", ip="10.244.1.10"),
        pod("a", ip="10.244.1.9"),
        pod("c", ip="10.244.1.3", ready=False),
        pod("going", ip="10.244.1.4", deleting=True),
    ]
    found = rules.subsets(service({"port": 80, "targetPort": 8080, "name": "http"}), pods)
    assert [[a["ip"] for a in s["addresses"]] for s in found] == [["10.244.1.9", "10.244.1.10"]]
    assert [[a["ip"] for a in s["notReadyAddresses"]] for s in found] == [["10.244.1.3"]]
    assert found[0]["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]


@pytest.mark.parametrize(
    ("spec", "ready", "zone", "hints"),
    [
        pytest.param({}, True, "z1", None, id="none-wanted"),
        pytest.param({"trafficDistribution": "PreferClose"}, True, "z1", ("z1", None), id="close"),
        pytest.param({"trafficDistribution": "PreferSameZone"}, True, "z1", ("z1", None), id="zone"),
        pytest.param({"trafficDistribution": "PreferSameZone"}, True, "", None, id="a-node-without-zone"),
        pytest.param({"trafficDistribution": "PreferSameNode"}, True, "z1", ("z1", "n1"), id="node"),
        pytest.param({"trafficDistribution": "PreferSameNode"}, False, "z1", None, id="not-ready"),
    ],
)
def test_hints(spec: dict[str, Any], ready: bool, zone: str, hints: tuple[str, str | None] | None) -> None:
    on = node("n1", labels={rules.ZONE: zone} if zone else {})
    found = rules.endpoint(service(**spec), pod("p", ip="10.244.1.2", ready=ready), on).get("hints")
    if hints is None:
        assert found is None
    else:
        nodes = {"forNodes": [{"name": hints[1]}]} if hints[1] else {}
        assert found == {"forZones": [{"name": hints[0]}], **nodes}
