"""The metrics of an autoscaler: where each comes from, and what it shall be.

Models pkg/apis/autoscaling/validation (validateMetrics).
"""

from __future__ import annotations

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

_SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_EITHER = "must set either a target raw value or a target utilization"


def check_metrics(metrics: list[JSON], path: str) -> list[FieldError]:
    """What is wrong with them."""
    return [problem for i, metric in enumerate(metrics) for problem in _check(metric, f"{path}[{i}]")]


def _check(metric: JSON, path: str) -> list[FieldError]:
    kind = metric.get("type") or ""
    problems = []
    if not kind:
        problems.append(required(f"{path}.type", "must specify a metric source type"))
    if kind not in _SOURCES:
        problems.append(not_supported(f"{path}.type", kind, sorted(_SOURCES)))
    present = [
        field
        for field in ("object", "external", "pods", "resource", "containerResource")
        if metric.get(field)
    ]
    if present:
        problems += _check_source(present[0], metric[present[0]], f"{path}.{present[0]}")
    wanted = _SOURCES.get(kind, "")
    if wanted not in present:
        text = "must populate information for the given metric source"
        problems.append(required(f"{path}.{wanted}" if wanted else path, text))
    if len(present) != 1:
        text = "must populate the given metric source only"
        problems += [forbidden_field(f"{path}.{field}", text) for field in present if field != wanted]
    return problems


def _check_source(field: str, source: JSON, path: str) -> list[FieldError]:
    target = source.get("target") or {}
    problems = []
    if field in ("resource", "containerResource"):
        if not source.get("name"):
            problems.append(required(f"{path}.name", "must specify a resource name"))
        if field == "containerResource" and not source.get("container"):
            problems.append(required(f"{path}.container", "must specify a container"))
        problems += _check_target(target, f"{path}.target")
        share, value = target.get("averageUtilization"), target.get("averageValue")
        if share is None and value is None:
            problems.append(required(f"{path}.target.averageUtilization", _EITHER))
        if share is not None and value is not None:
            text = "may not set both a target raw value and a target utilization"
            problems.append(forbidden_field(f"{path}.target.averageValue", text))
        return problems
    if field == "object":
        described = source.get("describedObject") or {}
        problems += [
            required(f"{path}.describedObject.{part}") for part in ("kind", "name") if not described.get(part)
        ]
    if not (source.get("metric") or {}).get("name"):
        problems.append(required(f"{path}.metric.name", "must specify a metric name"))
    problems += _check_target(target, f"{path}.target")
    value, average = target.get("value"), target.get("averageValue")
    if field == "pods":
        if average is None:
            text = "must specify a positive target averageValue"
            problems.append(required(f"{path}.target.averageValue", text))
    elif value is None and average is None:
        text = "must set either a target value for metric or a per-pod target"
        problems.append(required(f"{path}.target.averageValue", text))
    elif field == "external" and value is not None and average is not None:
        text = "may not set both a target value for metric and a per-pod target"
        problems.append(forbidden_field(f"{path}.target.value", text))
    return problems


def _check_target(target: JSON, path: str) -> list[FieldError]:
    kind = target.get("type") or ""
    problems = []
    if not kind:
        problems.append(required(f"{path}.type", "must specify a metric target type"))
    if kind not in ("Utilization", "Value", "AverageValue"):
        text = "must be either Utilization, Value, or AverageValue"
        problems.append(invalid_value(f"{path}.type", kind, text))
    for field in ("value", "averageValue"):
        if target.get(field) is not None and quantity.value(target[field]) <= 0:
            problems.append(invalid_value(f"{path}.{field}", target[field], "must be positive"))
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        problems.append(invalid_value(f"{path}.averageUtilization", share, "must be greater than 0"))
    return problems
