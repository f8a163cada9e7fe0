"""Deployment.

Models pkg/registry/apps/deployment/strategy.go, pkg/apis/apps/v1/defaults.go and
pkg/apis/apps/validation (ValidateDeployment).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1.workload import (
    check_amount,
    check_at_most_100_percent,
    check_collisions,
    check_counts,
    check_replica_counts,
    check_selector,
    check_template,
    defaulted,
    is_zero,
    validate_with,
    wide_cells,
    workload_warnings,
)
from cluster_engine.api.meta import check_not_negative
from cluster_engine.api.printing import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    age,
    doc,
)
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.api.subresources import SCALE, STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.scheme import Column, Kind

_STATUS_COUNTS = (
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
)


_DEFAULTS = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}


def default(deployment: JSON) -> JSON:
    """The Deployment with its defaults."""
    return defaulted(deployment, _DEFAULTS, "strategy", _default_strategy)


def _default_strategy(strategy: JSON) -> JSON:
    kind = strategy.get("type") or "RollingUpdate"
    rolling = strategy.get("rollingUpdate")
    if kind == "RollingUpdate":
        limits = rolling or {}
        if limits.get("maxSurge") is None or limits.get("maxUnavailable") is None:
            given = {name: value for name, value in limits.items() if value is not None}
            rolling = {"maxSurge": "25%", "maxUnavailable": "25%", **given}
    if kind == strategy.get("type") and rolling is strategy.get("rollingUpdate"):
        return strategy
    out = {**strategy, "type": kind}
    if rolling is not None:
        out["rollingUpdate"] = rolling
    return out


def _check_strategy(strategy: JSON) -> list[FieldError]:
    path, kind, rolling = "spec.strategy", strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is None:
            return []
        text = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden_field(f"{path}.rollingUpdate", text)]
    if kind != "RollingUpdate":
        return [not_supported(f"{path}.type", kind, ("Recreate", "RollingUpdate"))]
    path = f"{path}.rollingUpdate"
    if rolling is None:
        return [required(path, "this should be defaulted and never be nil")]
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    problems = check_amount(unavailable, f"{path}.maxUnavailable") + check_amount(surge, f"{path}.maxSurge")
    if is_zero(unavailable) and is_zero(surge):
        text = "may not be 0 when `maxSurge` is 0"
        problems.append(invalid_value(f"{path}.maxUnavailable", unavailable, text))
    return problems + check_at_most_100_percent(unavailable, f"{path}.maxUnavailable")


def _check_spec(spec: JSON) -> list[FieldError]:
    problems = check_not_negative(spec.get("replicas"), "spec.replicas")
    problems += check_selector(spec, "deployment")
    problems += check_template(spec, "ReplicaSet")
    problems += _check_strategy(spec.get("strategy") or {})
    for field in ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        problems += check_not_negative(spec.get(field), f"spec.{field}")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        text = "must be greater than minReadySeconds"
        problems.append(invalid_value("spec.progressDeadlineSeconds", deadline, text))
    return problems


validate, validate_update = validate_with(_check_spec)


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """Counts must fit together."""
    status = new.get("status") or {}
    problems = check_counts(status, _STATUS_COUNTS)
    problems += check_replica_counts(status, ("updatedReplicas", "readyReplicas", "availableReplicas"))
    return problems + check_collisions(new, old)


def row(deployment: JSON, now: int) -> list[Any]:
    """The cells of a Deployment."""
    spec, status = deployment.get("spec") or {}, deployment.get("status") or {}
    return [
        deployment["metadata"]["name"],
        f"{status.get('readyReplicas') or 0}/{spec.get('replicas') or 0}",
        status.get("updatedReplicas") or 0,
        status.get("availableReplicas") or 0,
        age(deployment, now),
        *wide_cells(deployment),
    ]


KIND = Kind(
    group="apps",
    version="v1",
    kind="Deployment",
    resource="deployments",
    singular="deployment",
    namespaced=True,
    short_names=("deploy",),
    categories=("all",),
    subresources=SCALE | STATUS,
    columns=(
        NAME,
        Column("Ready", description="Number of the pod with ready state"),
        Column("Up-to-date", description=doc("apps.v1.DeploymentStatus", "updatedReplicas")),
        Column("Available", description=doc("apps.v1.DeploymentStatus", "availableReplicas")),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", description=doc("apps.v1.DeploymentSpec", "selector"), priority=1),
    ),
    row=row,
    default=default,
    prepare_create=create_spec,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warnings=workload_warnings,
)
