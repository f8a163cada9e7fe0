"""HorizontalPodAutoscalers in a cluster without a metrics API: limits act, the rest is told."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kube_controller_manager.horizontal_rules import forced, unmeasured

JSON = dict[str, Any]

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: api}}}}
  template:
    metadata: {{labels: {{app: api}}}}
    spec: {{terminationGracePeriodSeconds: 1, containers: [{{name: c, image: nginx}}]}}
"""
UNMEASURED = ("False", "FailedGetResourceMetric")
MISSING = "the server could not find the requested resource"


def autoscaler(**spec: Any) -> JSON:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    made = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 4, **spec}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "api"},
        "spec": {name: value for name, value in made.items() if value is not None},
    }


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=2, seed=4, freezing=True)


def conditions(cluster: Cluster) -> dict[str, tuple[str, str]]:
    found = cluster.get("hpa", "api")
    assert found is not None
    return {c["type"]: (c["status"], c["reason"]) for c in found["status"].get("conditions") or ()}


def size(cluster: Cluster) -> int:
    return int((cluster.get("deployments", "api") or {})["spec"]["replicas"])


@pytest.mark.parametrize(
    ("replicas", "spec", "after", "active", "able"),
    [
        pytest.param(1, {}, 2, UNMEASURED, "SucceededGetScale", id="below"),
        pytest.param(6, {}, 4, UNMEASURED, "SucceededGetScale", id="above"),
        pytest.param(3, {}, 3, UNMEASURED, "SucceededGetScale", id="within"),
        pytest.param(0, {}, 0, ("False", "ScalingDisabled"), "SucceededGetScale", id="zero"),
        pytest.param(
            1,
            {"minReplicas": None},
            1,
            ("False", "FailedGetResourceMetric"),
            "SucceededGetScale",
            id="default",
        ),
        pytest.param(
            1,
            {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "ghost"}},
            1,
            None,
            "FailedGetScale",
            id="no such object",
        ),
        pytest.param(
            1,
            {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Fleet", "name": "api"}},
            1,
            None,
            "FailedGetScale",
            id="no such kind",
        ),
        pytest.param(
            1,
            {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "api"}},
            1,
            None,
            "FailedGetScale",
            id="a kind without a size",
        ),
    ],
)
def test_a_target(
    base: Cluster, replicas: int, spec: JSON, after: int, active: tuple[str, str] | None, able: str
) -> None:
    cluster = base.fork()
    cluster.apply(DEPLOYMENT.format(replicas=replicas))
    cluster.apply(autoscaler(**spec))
    cluster.advance(14)
    assert size(cluster) == replicas  # the first look comes after a period
    cluster.advance(40)
    assert size(cluster) == after
    found = conditions(cluster)
    assert found.get("ScalingActive") == active
    assert found["AbleToScale"] == ("False" if active is None else "True", able)
    assert cluster.settle()
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_who_scales_by_hand_is_brought_back(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(DEPLOYMENT.format(replicas=3))
    cluster.apply(autoscaler())
    cluster.advance(20)
    cluster.apply(DEPLOYMENT.format(replicas=9))
    cluster.advance(20)
    assert size(cluster) == 4
    status = (cluster.get("hpa", "api") or {})["status"]
    assert (status["currentReplicas"], status["desiredReplicas"]) in ((9, 4), (4, 4))
    events = {
        e["reason"]: e["message"] for e in cluster.list("events", "default") if "Rescale" in e["reason"]
    }
    assert events == {
        "SuccessfulRescale": "New size: 4; reason: Current number of replicas above Spec.MaxReplicas"
    }


@pytest.mark.parametrize(
    ("current", "expected"), [(0, (2, "below")), (1, (2, "below")), (2, None), (4, None), (5, (4, "above"))]
)
def test_limits(current: int, expected: tuple[int, str] | None) -> None:
    found = forced({"minReplicas": 2, "maxReplicas": 4}, current)
    assert (found and (found.replicas, found.reason.split()[4])) == expected


@pytest.mark.parametrize(
    ("metric", "reason", "message"),
    [
        pytest.param(
            "{type: Pods, pods: {metric: {name: hits}, target: {averageValue: 1}}}",
            "FailedGetPodsMetric",
            "unable to get metric hits: unable to fetch metrics from custom metrics API: no custom metrics API "
            "(custom.metrics.k8s.io) registered",
            id="pods",
        ),
        pytest.param(
            "{type: External, external: {metric: {name: queue}, target: {value: 1}}}",
            "FailedGetExternalMetric",
            "unable to get external metric shop/queue/nil: unable to fetch metrics from external metrics API: "
            f"{MISSING} (get queue.external.metrics.k8s.io)",
            id="external",
        ),
    ],
)
def test_why_a_metric_cannot_be_had(metric: str, reason: str, message: str) -> None:
    found = unmeasured(yaml.load(metric), "shop")
    assert (found.reason, found.message) == (reason, message)


UTILIZATION = {"type": "Utilization", "averageUtilization": 50}


@pytest.mark.parametrize(
    ("spec", "problems"),
    [
        pytest.param(
            {"minReplicas": 9},
            ["maxReplicas: Invalid value: 4: must be greater than or equal to `minReplicas`"],
            id="limits",
        ),
        pytest.param(
            {"minReplicas": 0},
            ["minReplicas: Invalid value: 0: must be greater than or equal to 1"],
            id="zero",
        ),
        pytest.param(
            {"scaleTargetRef": {}},
            ["scaleTargetRef.kind: Required value", "scaleTargetRef.name: Required value"],
            id="target",
        ),
        pytest.param(
            {
                "metrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}
                ]
            },
            [
                "metrics[0].resource.target.averageUtilization: Required value: must set either a target raw "
                "value or a target utilization"
            ],
            id="no goal",
        ),
        pytest.param(
            {"metrics": [{"type": "Pods", "resource": {"name": "cpu", "target": UTILIZATION}}]},
            [
                "metrics[0].pods: Required value: must populate information for the given metric source",
            ],
            id="another source",
        ),
        pytest.param(
            {"behavior": {"scaleUp": {"stabilizationWindowSeconds": 4000, "selectPolicy": "Some"}}},
            [
                "stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600",
                'selectPolicy: Unsupported value: "Some": supported values: "Disabled", "Max", "Min"',
            ],
            id="behavior",
        ),
    ],
)
def test_what_is_refused(base: Cluster, spec: JSON, problems: list[str]) -> None:
    with pytest.raises(ApiError) as refused:
        base.fork().apply(autoscaler(**spec))
    assert all(problem in refused.value.message for problem in problems), refused.value.message
