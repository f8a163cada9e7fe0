"""What the autoscaler decides, of a target's size and what is measured. Pure.

Models pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.sim import SECOND, parse_rfc3339

from .replica_calculator import (
    TOLERANCE,
    CannotTell,
    Measured,
    Proposal,
    Tolerances,
    by_utilization,
    by_value,
)


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


class ResourceMetric(NamedTuple):
    """What a metric of the types Resource and ContainerResource says."""

    kind: str
    name: str
    container: str
    """"": all of the Pod."""
    target: JSON

    def failed(self, why: str) -> Unmeasured:
        """It cannot be had."""
        used = "utilization" if self.target.get("averageValue") is None else "usage"
        message = f"failed to get {self.name} {used}: {why}"
        what = "resource" if self.kind == "Resource" else "container resource"
        summary = f"failed to get {self.name} {what} metric value: {message}"
        return Unmeasured(f"FailedGet{self.kind}Metric", message, summary)


def measured(metric: JSON) -> ResourceMetric:
    """Reads such a metric."""
    kind = metric["type"]
    source = metric["resource" if kind == "Resource" else "containerResource"]
    return ResourceMetric(kind, source["name"], source.get("container", ""), source["target"])


def proposal(
    spec: JSON, metric: JSON, listed: Sequence[JSON], pods: Sequence[JSON], current: int, now: int
) -> Proposal:
    """The size that a metric asks for, of the PodMetrics. Raises CannotTell."""
    wanted, tolerances = measured(metric), _tolerances(spec)
    used = {each["metadata"]["name"]: _used(each, wanted) for each in listed}
    if wanted.target.get("averageValue") is not None:
        target = quantity.milli(wanted.target["averageValue"])
        return by_value(current, target, used, pods, wanted.name, now, tolerances)
    percent = wanted.target["averageUtilization"]
    requests = {pod["metadata"]["name"]: _requested(pod, wanted) for pod in pods}
    return by_utilization(current, percent, used, pods, requests, wanted.name, now, tolerances)


def _tolerances(spec: JSON) -> Tolerances:
    behavior = spec.get("behavior") or {}
    down, up = (
        float(quantity.parse((behavior.get(way) or {}).get("tolerance") or str(TOLERANCE)))
        for way in ("scaleDown", "scaleUp")
    )
    return Tolerances(down, up)


def _used(metrics: JSON, wanted: ResourceMetric) -> Measured:
    """Of all containers of a Pod, or of one."""
    containers = [
        each for each in metrics["containers"] if not wanted.container or each["name"] == wanted.container
    ]
    if not containers:
        meta = metrics["metadata"]
        text = (
            f"container {wanted.container} not present in metrics for pod {meta['namespace']}/{meta['name']}"
        )
        raise CannotTell(
            f"unable to get metrics for resource {wanted.name}: failed to get container metrics: {text}"
        )
    value = sum(quantity.milli(each["usage"][wanted.name]) for each in containers)
    window = round(quantity.parse(metrics["window"].removesuffix("s")) * SECOND)
    return Measured(value, parse_rfc3339(metrics["timestamp"]), window)


def _requested(pod: JSON, wanted: ResourceMetric) -> int:
    """Thousandths that a Pod's containers request, sidecars too (calculatePodRequests)."""
    spec, total = pod["spec"], 0
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*spec["containers"], *sidecars]:
        if wanted.container and container["name"] != wanted.container:
            continue
        request = ((container.get("resources") or {}).get("requests") or {}).get(wanted.name)
        if request is None:
            raise CannotTell(
                f"missing request for {wanted.name} in container {container['name']} of Pod "
                f"{pod['metadata']['name']}"
            )
        total += quantity.milli(request)
    return total


def _shown(metric: JSON, found: Proposal) -> JSON:
    """How a status tells what a metric is now."""
    wanted = measured(metric)
    current: JSON = {"averageValue": quantity.from_milli(found.value)}
    if found.utilization is not None:
        current["averageUtilization"] = found.utilization
    if wanted.kind == "Resource":
        return {"type": wanted.kind, "resource": {"name": wanted.name, "current": current}}
    told = {"name": wanted.name, "container": wanted.container, "current": current}
    return {"type": wanted.kind, "containerResource": told}


class Outcome(NamedTuple):
    """What all metrics together say."""

    replicas: int | None
    """None: nothing can be told."""
    metric: str
    """The one that asks for most."""
    active: tuple[str, str, str]
    """What ScalingActive says: (status, reason, message)."""
    statuses: list[JSON]
    failure: str = ""

    def resize(self, replicas: int, current: int) -> Resize:
        """The change to a size that is allowed, and why."""
        grows = (self.replicas or 0) > current
        return Resize(replicas, f"{self.metric} above target" if grows else "All metrics below target")


def best(metrics: Sequence[JSON], found: Sequence[Proposal | Unmeasured], current: int) -> Outcome:
    """The largest size that a metric asks for; with one that failed, none that is smaller than now."""
    failures = [one for one in found if isinstance(one, Unmeasured)]
    statuses, replicas, name = [], 0, ""
    for metric, one in zip(metrics, found, strict=True):
        if isinstance(one, Unmeasured):
            continue
        statuses.append(_shown(metric, one))
        if not replicas or one.replicas > replicas:
            replicas, name = one.replicas, _named(metric, one)
    failure = ""
    if failures:
        first, count = failures[0], len(failures)
        failure = f"invalid metrics ({count} invalid out of {len(found)}), first error is: {first.summary}"
        if count == len(found) or replicas < current:
            text = f"the HPA was unable to compute the replica count: {first.message}"
            return Outcome(None, "", ("False", first.reason, text), statuses, failure)
        failure = ""  # it goes on with those that can be had
    text = f"the HPA was able to successfully calculate a replica count from {name}"
    return Outcome(replicas, name, ("True", "ValidMetricFound", text), statuses, failure)


def _named(metric: JSON, found: Proposal) -> str:
    name = measured(metric).name
    return (
        f"{name} resource"
        if found.utilization is None
        else f"{name} resource utilization (percentage of request)"
    )


def unmeasured(metric: JSON, namespace: str) -> Unmeasured:
    """Why a metric of another type cannot be had: nobody serves the APIs of custom and external metrics."""
    missing = "the server could not find the requested resource"
    kind = metric["type"]
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
