"""HorizontalPodAutoscaler.

Models pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go, pkg/apis/autoscaling/v2/defaults.go and
pkg/apis/autoscaling/validation (ValidateHorizontalPodAutoscaler).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.autoscaling import first_version
from cluster_engine.api.autoscaling.metrics import check_metrics
from cluster_engine.api.meta import check_meta, check_not_negative
from cluster_engine.api.printing import AGE, NAME, NONE, UNKNOWN, UNSET, age, doc
from cluster_engine.api.strategy import keep_status, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, not_supported, required
from cluster_engine.apimachinery.scheme import Column, Kind, Version

_CPU: JSON = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}
_PERCENT = {"type": "Percent", "value": 100, "periodSeconds": 15}
_RULES: dict[str, JSON] = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, _PERCENT],
    },
    "scaleDown": {"selectPolicy": "Max", "policies": [_PERCENT]},
}
_MAX_WINDOW, _MAX_PERIOD = 3600, 1800
_SHOWN = 2
"""Metrics that a table shows."""


def default(autoscaler: JSON) -> JSON:
    """At least one replica, 80 % of the requested CPU; what a given behavior leaves open."""
    spec = autoscaler.get("spec") or {}
    made = dict(spec)
    made.setdefault("minReplicas", 1)
    if not made.get("metrics"):
        made["metrics"] = [_CPU]
    if spec.get("behavior") is not None:
        made["behavior"] = {
            way: {**rules, **{k: v for k, v in (spec["behavior"].get(way) or {}).items() if v is not None}}
            for way, rules in _RULES.items()
        }
    return autoscaler if made == spec else {**autoscaler, "spec": made}


def prepare_create(autoscaler: JSON) -> JSON:
    """A fresh status."""
    return {**autoscaler, "status": {"desiredReplicas": 0}}


def validate(autoscaler: JSON) -> list[FieldError]:
    """What is wrong with it."""
    spec = autoscaler.get("spec") or {}
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    problems = check_meta(autoscaler)
    if low is not None and low < 1:
        problems.append(invalid_value("spec.minReplicas", low, "must be greater than or equal to 1"))
    if high < 1:
        problems.append(invalid_value("spec.maxReplicas", high, "must be greater than 0"))
    if low is not None and high < low:
        text = "must be greater than or equal to `minReplicas`"
        problems.append(invalid_value("spec.maxReplicas", high, text))
    target = spec.get("scaleTargetRef") or {}
    problems += [required(f"spec.scaleTargetRef.{part}") for part in ("kind", "name") if not target.get(part)]
    problems += check_metrics(spec.get("metrics") or [], "spec.metrics")
    for way in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(way)
        if rules is not None:
            problems += _check_rules(rules, f"spec.behavior.{way}")
    return problems


def _check_rules(rules: JSON, path: str) -> list[FieldError]:
    problems = []
    window, select = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    where = f"{path}.stabilizationWindowSeconds"
    if window is not None and window < 0:
        problems.append(invalid_value(where, window, "must be greater than or equal to zero"))
    if window is not None and window > _MAX_WINDOW:
        problems.append(invalid_value(where, window, f"must be less than or equal to {_MAX_WINDOW}"))
    if select is not None and select not in ("Max", "Min", "Disabled"):
        problems.append(not_supported(f"{path}.selectPolicy", select, ("Disabled", "Max", "Min")))
    if not rules.get("policies"):
        problems.append(required(f"{path}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(rules.get("policies") or ()):
        at = f"{path}.policies[{index}]"
        if policy.get("type") not in ("Pods", "Percent"):
            problems.append(not_supported(f"{at}.type", policy.get("type") or "", ("Percent", "Pods")))
        for name in ("value", "periodSeconds"):
            if (policy.get(name) or 0) <= 0:
                problems.append(
                    invalid_value(f"{at}.{name}", policy.get(name) or 0, "must be greater than zero")
                )
        if (policy.get("periodSeconds") or 0) > _MAX_PERIOD:
            text = f"must be less than or equal to {_MAX_PERIOD}"
            problems.append(invalid_value(f"{at}.periodSeconds", policy["periodSeconds"], text))
    return problems


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """Counts are not negative."""
    status = new.get("status") or {}
    problems = check_not_negative(status.get("currentReplicas"), "status.currentReplicas")
    return problems + check_not_negative(status.get("desiredReplicas"), "status.desiredReplicas")


def _targets(autoscaler: JSON) -> str:
    """What each metric shall be, and is (formatHPAMetrics)."""
    metrics = (autoscaler.get("spec") or {}).get("metrics") or []
    told = (autoscaler.get("status") or {}).get("currentMetrics") or []
    shown = [_target(metric, told[i] if i < len(told) else {}) for i, metric in enumerate(metrics)]
    if not shown:
        return NONE
    text = ", ".join(shown[:_SHOWN])
    return text if len(shown) <= _SHOWN else f"{text} + {len(shown) - _SHOWN} more..."


def _target(metric: JSON, told: JSON) -> str:
    field = metric["type"][:1].lower() + metric["type"][1:]
    source, target = metric.get(field) or {}, (metric.get(field) or {}).get("target") or {}
    now = (told.get(field) or {}).get("current") or {}
    if field in ("resource", "containerResource"):
        if target.get("averageValue") is not None:
            return f"{source.get('name')}: {now.get('averageValue', UNKNOWN)}/{target['averageValue']}"
        used, wanted = now.get("averageUtilization"), target.get("averageUtilization")
        return (
            f"{source.get('name')}: {UNKNOWN if used is None else f'{used}%'}/"
            f"{'<auto>' if wanted is None else f'{wanted}%'}"
        )
    if target.get("averageValue") is not None:
        ending = "" if field == "pods" else " (avg)"
        return f"{now.get('averageValue', UNKNOWN)}/{target['averageValue']}{ending}"
    return f"{now.get('value', UNKNOWN)}/{target.get('value')}"


def row(autoscaler: JSON, now: int) -> list[Any]:
    """The cells of a HorizontalPodAutoscaler."""
    spec, status = autoscaler.get("spec") or {}, autoscaler.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    low = spec.get("minReplicas")
    return [
        autoscaler["metadata"]["name"],
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _targets(autoscaler),
        UNSET if low is None else str(low),
        spec.get("maxReplicas") or 0,
        status.get("currentReplicas") or 0,
        age(autoscaler, now),
    ]


def _spec(field: str) -> str:
    return doc("autoscaling.v2.HorizontalPodAutoscalerSpec", field)


KIND = Kind(
    group="autoscaling",
    version="v2",
    kind="HorizontalPodAutoscaler",
    resource="horizontalpodautoscalers",
    singular="horizontalpodautoscaler",
    namespaced=True,
    short_names=("hpa",),
    versions=(
        Version(
            "v1",
            to_stored=first_version.to_v2,
            from_stored=first_version.from_v2,
            default=first_version.default,
        ),
    ),
    categories=("all",),
    subresources=STATUS,
    columns=(
        NAME,
        Column("Reference", description=_spec("scaleTargetRef")),
        Column("Targets", description=_spec("metrics")),
        Column("MinPods", description=_spec("minReplicas")),
        Column("MaxPods", description=_spec("maxReplicas")),
        Column(
            "Replicas", description=doc("autoscaling.v2.HorizontalPodAutoscalerStatus", "currentReplicas")
        ),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=keep_status,
    prepare_status=update_status,
    validate=validate,
    validate_update=lambda new, old: validate(new),
    validate_status=validate_status,
)
