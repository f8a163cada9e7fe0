"""The autoscaling walk-through: load comes, replicas follow; load goes, and they go too, later."""

from __future__ import annotations

from typing import Any

import pytest
from metrics_manifest import COMPONENTS

from cluster_engine import Cluster

JSON = dict[str, Any]

PHP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: php-apache}
spec:
  selector: {matchLabels: {run: php-apache}}
  template:
    metadata: {labels: {run: php-apache}}
    spec:
      containers:
      - name: php-apache
        image: registry.k8s.io/hpa-example
        ports: [{containerPort: 80}]
        resources: {limits: {cpu: 500m}, requests: {cpu: 200m}}
---
apiVersion: v1
kind: Service
metadata: {name: php-apache}
spec: {ports: [{port: 80}], selector: {run: php-apache}}
"""
LOAD = """
apiVersion: v1
kind: Pod
metadata: {name: load-generator}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: busybox:1.28
    command: [sh, -c, "while sleep 0.05; do wget -q -O- http://php-apache; done"]
"""


def autoscaler(**more: Any) -> JSON:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "php-apache"}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "php-apache"},
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": cpu}],
            **more,
        },
    }


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=3, seed=5, freezing=True)
    cluster.apply(COMPONENTS + "---" + PHP)
    cluster.advance(60)
    return cluster


def size(cluster: Cluster) -> int:
    return int((cluster.get("deployments", "php-apache") or {})["spec"]["replicas"])


def conditions(cluster: Cluster) -> dict[str, tuple[str, str]]:
    found = cluster.get("hpa", "php-apache") or {}
    return {c["type"]: (c["status"], c["reason"]) for c in found["status"]["conditions"]}


def test_load_comes_and_goes(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply(autoscaler())
    cluster.advance(120)
    assert size(cluster) == 1
    assert conditions(cluster)["ScalingActive"] == ("True", "ValidMetricFound")
    cluster.apply(LOAD)
    cluster.advance(240)
    grown = size(cluster)
    assert grown > 1
    status = (cluster.get("hpa", "php-apache") or {})["status"]
    assert status["currentMetrics"][0]["resource"]["name"] == "cpu"
    rescaled = [e["message"] for e in cluster.list("events", "default") if e["reason"] == "SuccessfulRescale"]
    assert rescaled[0].endswith("reason: cpu resource utilization (percentage of request) above target")
    cluster.delete("pods", "load-generator", "default")
    cluster.advance(120)
    assert size(cluster) == grown
    assert conditions(cluster)["AbleToScale"] == ("True", "ScaleDownStabilized")
    cluster.advance(600)
    assert size(cluster) == 1
    rescaled = [e["message"] for e in cluster.list("events", "default") if e["reason"] == "SuccessfulRescale"]
    assert "New size: 1; reason: All metrics below target" in rescaled
    assert Cluster.resume(cluster.keyframe()).state_hash() == cluster.state_hash()


def test_it_goes_on_after_a_restore(base: Cluster) -> None:
    cluster = base.fork()
    cluster.apply([autoscaler()])
    cluster.apply(LOAD)
    cluster.advance(200)
    other = Cluster.restore(cluster.snapshot())
    for each in (cluster, other):
        each.advance(300)
    assert other.state_hash() == cluster.state_hash()


def test_why_there_is_no_answer(base: Cluster) -> None:
    cluster = base.fork()
    cpu = {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 50}}
    cluster.apply(autoscaler(metrics=[{"type": "Resource", "resource": cpu}]))
    cluster.advance(60)
    found = (cluster.get("hpa", "php-apache") or {})["status"]["conditions"]
    (active,) = (c for c in found if c["type"] == "ScalingActive")
    pod = cluster.list("pods", "default")[0]["metadata"]["name"]
    text = f"missing request for memory in container php-apache of Pod {pod}"
    assert active["reason"] == "FailedGetResourceMetric"
    assert active["message"].endswith(f"failed to get memory utilization: {text}")


def test_nobody_serves_metrics() -> None:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(PHP)
    cluster.apply(autoscaler())
    cluster.advance(60)
    found = (cluster.get("hpa", "php-apache") or {})["status"]["conditions"]
    (active,) = (c for c in found if c["type"] == "ScalingActive")
    assert active["message"] == (
        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for "
        "resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested "
        "resource (get pods.metrics.k8s.io)"
    )


def test_nobody_answers_for_metrics() -> None:
    """Its APIService is there and not Available: another sentence than without one."""
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.apply(PHP)
    cluster.apply(
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "service": {"name": "metrics-server", "namespace": "kube-system"},
            },
        }
    )
    cluster.apply(autoscaler())
    cluster.advance(60)
    found = (cluster.get("hpa", "php-apache") or {})["status"]["conditions"]
    (active,) = (c for c in found if c["type"] == "ScalingActive")
    assert active["message"].endswith(
        "unable to fetch metrics from resource metrics API: the server is currently unable to handle the request "
        "(get pods.metrics.k8s.io)"
    )
