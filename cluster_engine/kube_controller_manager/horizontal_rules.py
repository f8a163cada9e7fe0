"""What the autoscaler decides, of a target's size alone. Pure.

Models pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON


class Resize(NamedTuple):
    """The size that the target shall have, whatever is measured, and why."""

    replicas: int
    reason: str


def forced(spec: JSON, current: int) -> Resize | None:
    """The size where it needs no metric: outside the limits, it is brought within. None: it is measured."""
    low = spec.get("minReplicas")
    if current > spec["maxReplicas"]:
        return Resize(spec["maxReplicas"], "Current number of replicas above Spec.MaxReplicas")
    if current < (1 if low is None else low):
        return Resize(1 if low is None else low, "Current number of replicas below Spec.MinReplicas")
    return None


class Unmeasured(NamedTuple):
    """A metric that cannot be had: the reason, and how the failure is told about it and about all."""

    reason: str
    message: str
    summary: str


def unmeasured(metric: JSON, namespace: str) -> Unmeasured:
    """Why a metric cannot be had in a cluster that serves no metrics API, as kubeadm makes one."""
    missing = "the server could not find the requested resource"
    kind = metric["type"]
    if kind in ("Resource", "ContainerResource"):
        source = metric["resource" if kind == "Resource" else "containerResource"]
        name, target = source["name"], source["target"]
        what = "utilization" if target.get("averageValue") is None else "usage"
        why = (
            f"failed to get {name} {what}: unable to get metrics for resource {name}: unable to fetch metrics from "
            f"resource metrics API: {missing} (get pods.metrics.k8s.io)"
        )
        what = "resource" if kind == "Resource" else "container resource"
        return Unmeasured(f"FailedGet{kind}Metric", why, f"failed to get {name} {what} metric value: {why}")
    if kind == "External":
        name = metric["external"]["metric"]["name"]
        why = (
            f"unable to get external metric {namespace}/{name}/nil: unable to fetch metrics from external metrics "
            f"API: {missing} (get {name}.external.metrics.k8s.io)"
        )
        return Unmeasured(
            "FailedGetExternalMetric", why, f"failed to get {name} external metric value: {why}"
        )
    name = metric["pods" if kind == "Pods" else "object"]["metric"]["name"]
    custom = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
    if kind == "Pods":
        why = f"unable to get metric {name}: {custom}"
        return Unmeasured("FailedGetPodsMetric", why, f"failed to get pods metric value: {why}")
    on = metric["object"]["describedObject"]
    why = f"unable to get metric {name}: {on['kind']} on {namespace} {on['name']}/{custom}"
    return Unmeasured("FailedGetObjectMetric", why, f"failed to get object metric value: {why}")
