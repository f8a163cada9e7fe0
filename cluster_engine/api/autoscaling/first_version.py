"""autoscaling/v1: one number for the processor; what it cannot say stands in annotations, as JSON.

Models pkg/apis/autoscaling/v1/conversion.go and annotations.go.
"""

from __future__ import annotations

from typing import Any

import orjson

from cluster_engine.apimachinery import decode
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError

_PREFIX = "autoscaling.alpha.kubernetes.io/"
_METRICS, _BEHAVIOR = _PREFIX + "metrics", _PREFIX + "behavior"
_STATUSES, _CONDITIONS = _PREFIX + "current-metrics", _PREFIX + "conditions"
_OWN = (_METRICS, _STATUSES, _CONDITIONS, _BEHAVIOR)

_NAMED = (("metricName", "metric.name"), ("selector", "metric.selector"))
_SPECS: dict[str, tuple[tuple[str, str], ...]] = {
    "object": (
        ("target", "describedObject"),
        *_NAMED,
        ("targetValue", "target.value"),
        ("averageValue", "target.averageValue"),
    ),
    "pods": (*_NAMED, ("targetAverageValue", "target.averageValue")),
    "resource": (
        ("name", "name"),
        ("targetAverageUtilization", "target.averageUtilization"),
        ("targetAverageValue", "target.averageValue"),
    ),
    "containerResource": (
        ("name", "name"),
        ("targetAverageUtilization", "target.averageUtilization"),
        ("targetAverageValue", "target.averageValue"),
        ("container", "container"),
    ),
    "external": (
        ("metricName", "metric.name"),
        ("metricSelector", "metric.selector"),
        ("targetValue", "target.value"),
        ("targetAverageValue", "target.averageValue"),
    ),
}
"""Of each source of a metric: where v1 has what v2 has elsewhere."""
_STATUS_SPECS = {
    "object": (
        ("target", "describedObject"),
        *_NAMED,
        ("currentValue", "current.value"),
        ("averageValue", "current.averageValue"),
    ),
    "pods": (*_NAMED, ("currentAverageValue", "current.averageValue")),
    "resource": (
        ("name", "name"),
        ("currentAverageUtilization", "current.averageUtilization"),
        ("currentAverageValue", "current.averageValue"),
    ),
    "containerResource": (
        ("name", "name"),
        ("currentAverageUtilization", "current.averageUtilization"),
        ("currentAverageValue", "current.averageValue"),
        ("container", "container"),
    ),
    "external": (
        ("metricName", "metric.name"),
        ("metricSelector", "metric.selector"),
        ("currentValue", "current.value"),
        ("currentAverageValue", "current.averageValue"),
    ),
}
_TYPES = (("averageUtilization", "Utilization"), ("averageValue", "AverageValue"), ("value", "Value"))

Table = dict[str, tuple[tuple[str, str], ...]]


def default(autoscaler: JSON) -> JSON:
    """At least one replica."""
    spec = autoscaler.get("spec") or {}
    if spec.get("minReplicas") is not None:
        return autoscaler
    return {**autoscaler, "spec": {**spec, "minReplicas": 1}}


# ---- metrics ---------------------------------------------------------------------------------------------


def _read(source: JSON, path: str) -> Any:
    outer, _, inner = path.partition(".")
    value = source.get(outer)
    return value if not inner or not isinstance(value, dict) else value.get(inner)


def _older(metric: JSON, table: Table) -> JSON:
    found: JSON = {"type": metric.get("type")}
    for field, places in table.items():
        source = metric.get(field)
        if source is not None:
            pairs = ((old, _read(source, new)) for old, new in places)
            found[field] = {old: value for old, value in pairs if value is not None}
    return found


def _newer(metric: JSON, table: Table) -> JSON:
    found: JSON = {"type": metric.get("type")}
    for field, places in table.items():
        source = metric.get(field)
        if source is None:
            continue
        made: JSON = {}
        for old, new in places:
            outer, _, inner = new.partition(".")
            value = source.get(old)
            if inner:
                part = made.setdefault(outer, {})
                if value is not None:
                    part[inner] = value
            elif value is not None:
                made[outer] = value
        target = made.get("target")
        if target is not None:
            target["type"] = next((type_ for name, type_ in _TYPES if name in target), "")
        found[field] = made
    return found


def _is_cpu(metric: JSON) -> bool:
    source = metric.get("resource") or {}
    if metric.get("type") != "Resource" or source.get("name") != "cpu":
        return False
    return (source.get("target") or {}).get("averageUtilization") is not None


# ---- annotations -----------------------------------------------------------------------------------------


_BEHAVIOR_DEPTH = 4
"""Levels of a behavior: directions, their rules, policies, and what a policy says."""


def _renamed(value: Any, lower: bool, depth: int = 0) -> Any:
    """Keys as Go's internal type has them (no JSON tags there), or as the API has them."""
    if depth > _BEHAVIOR_DEPTH:
        return value
    if isinstance(value, list):
        return [_renamed(each, lower, depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    turn = str.lower if lower else str.upper
    return {turn(name[:1]) + name[1:]: _renamed(each, lower, depth + 1) for name, each in value.items()}


def _taken(annotations: JSON, name: str) -> Any:
    """What an annotation says; None: nothing that could be read."""
    try:
        return orjson.loads(annotations[name]) if name in annotations else None
    except ValueError:
        return None


def _typed(part: str, name: str, value: Any) -> Any:
    """The value of a field of ``part`` as autoscaling/v2 has it; None when it is of another type, or empty."""
    given = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {},
        part: {name: value},
    }
    try:
        made, _warnings = decode.handle_body("autoscaling/v2", "HorizontalPodAutoscaler", given, "Ignore")
    except ApiError:
        return None
    return (made.get(part) or {}).get(name) or None


def _list(annotations: JSON, name: str, table: Table | None) -> list[JSON]:
    found = _taken(annotations, name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        return []
    if table is None:
        return found
    if not all(isinstance(each.get(field), dict | None) for each in found for field in table):
        return []
    return [_newer(each, table) for each in found]


# ---- the two ways ----------------------------------------------------------------------------------------


def to_v2(autoscaler: JSON) -> JSON:
    """An autoscaler of v1 as it is stored."""
    spec, status = dict(autoscaler.get("spec") or {}), dict(autoscaler.get("status") or {})
    meta = dict(autoscaler.get("metadata") or {})
    annotations: JSON = meta.get("annotations") or {}
    metrics = _list(annotations, _METRICS, _SPECS)
    metrics = _typed("spec", "metrics", metrics) or []
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if metrics:
        spec["metrics"] = metrics
    behavior = _typed("spec", "behavior", _renamed(_taken(annotations, _BEHAVIOR), lower=True))
    if behavior is not None:
        spec["behavior"] = behavior
    used = status.pop("currentCPUUtilizationPercentage", None)
    told = _typed("status", "currentMetrics", _list(annotations, _STATUSES, _STATUS_SPECS))
    if told is not None:
        status["currentMetrics"] = told
    elif used is not None:
        current = {"averageUtilization": used}
        status["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": current}}]
    conditions = _typed("status", "conditions", _list(annotations, _CONDITIONS, None))
    if conditions is not None:
        status["conditions"] = conditions
    return _assembled(autoscaler, meta, {k: v for k, v in annotations.items() if k not in _OWN}, spec, status)


def from_v2(autoscaler: JSON) -> JSON:
    """A stored autoscaler as v1 shows it."""
    spec, status = dict(autoscaler.get("spec") or {}), dict(autoscaler.get("status") or {})
    meta = dict(autoscaler.get("metadata") or {})
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if k not in _OWN}
    metrics = spec.pop("metrics", None) or []
    cpu = next((metric for metric in metrics if _is_cpu(metric)), None)
    if cpu is not None:
        spec["targetCPUUtilizationPercentage"] = cpu["resource"]["target"]["averageUtilization"]
    others = [_older(metric, _SPECS) for metric in metrics if not _is_cpu(metric)]
    behavior = spec.pop("behavior", None)
    told = status.pop("currentMetrics", None) or []
    for metric in told:
        source = metric.get("resource") or {}
        used = (source.get("current") or {}).get("averageUtilization")
        if source.get("name") == "cpu" and used is not None:
            status["currentCPUUtilizationPercentage"] = used
    kept = {
        _METRICS: others,
        _STATUSES: [_older(metric, _STATUS_SPECS) for metric in told],
        _CONDITIONS: status.pop("conditions", None),
        _BEHAVIOR: _renamed(behavior, lower=False),
    }
    annotations |= {name: orjson.dumps(value).decode() for name, value in kept.items() if value}
    if "status" in autoscaler:
        status.setdefault("currentReplicas", 0)
    return _assembled(autoscaler, meta, annotations, spec, status)


def _assembled(autoscaler: JSON, meta: JSON, annotations: JSON, spec: JSON, status: JSON) -> JSON:
    """The parts that there were, in their new form."""
    if annotations or "annotations" in meta:
        meta["annotations"] = annotations
    if not meta.get("annotations"):
        meta.pop("annotations", None)
    parts = {"metadata": meta, "spec": spec, "status": status}
    return {**autoscaler, **{name: value for name, value in parts.items() if value or name in autoscaler}}
