"""PodTopologyLabels: which Pods get the zone and the region of their node as labels.

The rows are those of plugin/pkg/admission/podtopologylabels/admission_test.go.
"""

from __future__ import annotations

from typing import Any

import pytest
from apiserver_bench import PODS, Bench, pod

JSON = dict[str, Any]
ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
BOTH = {ZONE: "zone1", REGION: "region1"}
TARGET = {"kind": "Node", "name": "n1"}
OWN = {"app": "web"}

BINDINGS: dict[str, tuple[JSON, JSON, JSON, JSON]] = {
    # id: the node's labels, the Pod's, the Binding, the Pod's labels afterwards
    "both": (BOTH, OWN, {"target": TARGET}, {**OWN, **BOTH}),
    "one": ({ZONE: "zone1"}, OWN, {"target": TARGET}, {**OWN, ZONE: "zone1"}),
    "none": ({}, OWN, {"target": TARGET}, OWN),
    "others are not copied": (
        {**BOTH, "kubernetes.io/hostname": "n1", "topology.kubernetes.io/arbitrary": "something"},
        OWN,
        {"target": TARGET},
        {**OWN, **BOTH},
    ),
    "the Pod's own stay": (BOTH, {ZONE: "mine"}, {"target": TARGET}, {ZONE: "mine", REGION: "region1"}),
    "the Binding's own stay": (
        BOTH,
        OWN,
        {"target": TARGET, "metadata": {"labels": {ZONE: "bound", "by": "hand"}}},
        {**OWN, ZONE: "bound", REGION: "region1", "by": "hand"},
    ),
    "a target without a kind": (BOTH, OWN, {"target": {"name": "n1"}}, OWN),
    "a node that nobody knows": (BOTH, OWN, {"target": {**TARGET, "name": "n2"}}, OWN),
}


def node(bench: Bench, labels: JSON) -> None:
    bench.ok("POST", "/api/v1/nodes", {"metadata": {"name": "n1", "labels": labels}})


def made(labels: JSON, **spec: Any) -> JSON:
    wanted = pod(**spec)
    return {**wanted, "metadata": {**wanted["metadata"], "labels": labels}}


@pytest.mark.parametrize(("known", "own", "binding", "after"), BINDINGS.values(), ids=BINDINGS)
def test_a_pod_is_bound(bench: Bench, known: JSON, own: JSON, binding: JSON, after: JSON) -> None:
    node(bench, known)
    bench.ok("POST", PODS, made(own))
    bench.ok("POST", f"{PODS}/web/binding", {"apiVersion": "v1", "kind": "Binding", **binding})
    assert bench.ok("GET", f"{PODS}/web")["metadata"]["labels"] == after


CREATED: dict[str, tuple[JSON, JSON, JSON]] = {
    # id: the Pod's spec and labels, its labels afterwards
    "on its node": ({"nodeName": "n1"}, OWN, {**OWN, **BOTH}),
    "nowhere yet": ({}, OWN, OWN),
    "with one of its own": ({"nodeName": "n1"}, {REGION: "mine"}, {REGION: "mine", ZONE: "zone1"}),
    "on a node that nobody knows": ({"nodeName": "n2"}, OWN, OWN),
}


@pytest.mark.parametrize(("spec", "own", "after"), CREATED.values(), ids=CREATED)
def test_a_pod_is_created(bench: Bench, spec: JSON, own: JSON, after: JSON) -> None:
    node(bench, BOTH)
    assert bench.ok("POST", PODS, made(own, **spec))["metadata"]["labels"] == after


def test_an_update_adds_nothing(bench: Bench) -> None:
    bench.ok("POST", PODS, made(OWN, nodeName="n1"))
    node(bench, BOTH)
    patch = {"metadata": {"annotations": {"a": "b"}}}
    kept = bench.ok("PATCH", f"{PODS}/web", patch, content_type="application/merge-patch+json")
    assert kept["metadata"]["labels"] == OWN
