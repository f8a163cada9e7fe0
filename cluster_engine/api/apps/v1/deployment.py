"""Deployment.

Models pkg/registry/apps/deployment/strategy.go, pkg/apis/apps/v1/defaults.go and
pkg/apis/apps/validation (ValidateDeployment).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1.pod_spec import default_template
from cluster_engine.api.meta import check_immutable, check_meta, check_not_negative
from cluster_engine.api.printing import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    age,
    container_cells,
    doc,
    selector_text,
)
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.scheme import Column, Kind

from .workload import (
    check_amount,
    check_at_most_100_percent,
    check_counts,
    check_selector,
    check_template,
    is_zero,
    workload_warnings,
)

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


def default(deployment: JSON) -> JSON:
    """The Deployment with its defaults."""
    spec: JSON = deployment.get("spec") or {}
    add: JSON = {}
    for field, value in (("replicas", 1), ("revisionHistoryLimit", 10), ("progressDeadlineSeconds", 600)):
        if spec.get(field) is None:
            add[field] = value
    strategy = spec.get("strategy") or {}
    made = _default_strategy(strategy)
    if made is not strategy:
        add["strategy"] = made
    template = spec.get("template") or {}
    made = default_template(template)
    if made is not template:
        add["template"] = made
    return {**deployment, "spec": {**spec, **add}} if add else deployment


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


def validate(deployment: JSON) -> list[FieldError]:
    """What is wrong with a new Deployment."""
    return check_meta(deployment) + _check_spec(deployment.get("spec") or {})


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with an update."""
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return []
    return _check_spec(spec) + check_immutable(spec.get("selector"), was.get("selector"), "spec.selector")


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """Counts must fit together."""
    status, was = new.get("status") or {}, old.get("status") or {}
    problems = check_counts(status, _STATUS_COUNTS)
    total, text = status.get("replicas") or 0, "cannot be greater than status.replicas"
    for field in ("updatedReplicas", "readyReplicas", "availableReplicas"):
        if (status.get(field) or 0) > total:
            problems.append(invalid_value(f"status.{field}", status.get(field) or 0, text))
    if (status.get("availableReplicas") or 0) > (status.get("readyReplicas") or 0):
        text = "cannot be greater than readyReplicas"
        problems.append(invalid_value("status.availableReplicas", status.get("availableReplicas") or 0, text))
    before, after = was.get("collisionCount"), status.get("collisionCount")
    if before is not None and (after is None or after < before):
        problems.append(invalid_value("status.collisionCount", after or 0, "cannot be decremented"))
    return problems


def row(deployment: JSON, now: int) -> list[Any]:
    """The cells of a Deployment."""
    spec, status = deployment.get("spec") or {}, deployment.get("status") or {}
    names, images = container_cells((spec.get("template") or {}).get("spec") or {})
    return [
        deployment["metadata"]["name"],
        f"{status.get('readyReplicas') or 0}/{spec.get('replicas') or 0}",
        status.get("updatedReplicas") or 0,
        status.get("availableReplicas") or 0,
        age(deployment, now),
        names,
        images,
        selector_text(spec.get("selector")),
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
    subresources=("scale", "status"),
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
