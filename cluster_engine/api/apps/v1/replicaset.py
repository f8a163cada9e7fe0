"""ReplicaSet.

Models pkg/registry/apps/replicaset/strategy.go and pkg/apis/apps/validation (ValidateReplicaSet).
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
from cluster_engine.apimachinery.errors import FieldError, invalid_value
from cluster_engine.apimachinery.scheme import Column, Kind

from .workload import check_counts, check_selector, check_template, workload_warnings

_STATUS_COUNTS = (
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "terminatingReplicas",
    "observedGeneration",
)


def default(replica_set: JSON) -> JSON:
    """The ReplicaSet with its defaults."""
    spec: JSON = replica_set.get("spec") or {}
    add: JSON = {}
    if spec.get("replicas") is None:
        add["replicas"] = 1
    template = spec.get("template") or {}
    made = default_template(template)
    if made is not template:
        add["template"] = made
    return {**replica_set, "spec": {**spec, **add}} if add else replica_set


def prepare_create(replica_set: JSON) -> JSON:
    """A fresh status; its count of replicas is always shown."""
    return {**create_spec(replica_set), "status": {"replicas": 0}}


def _check_spec(spec: JSON) -> list[FieldError]:
    problems = check_not_negative(spec.get("replicas"), "spec.replicas")
    problems += check_not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    return problems + check_selector(spec, "replicaset") + check_template(spec, "ReplicaSet")


def validate(replica_set: JSON) -> list[FieldError]:
    """What is wrong with a new ReplicaSet."""
    return check_meta(replica_set) + _check_spec(replica_set.get("spec") or {})


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with an update."""
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return []
    return _check_spec(spec) + check_immutable(spec.get("selector"), was.get("selector"), "spec.selector")


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """Counts must fit together."""
    status = new.get("status") or {}
    problems = check_counts(status, _STATUS_COUNTS)
    total, text = status.get("replicas") or 0, "cannot be greater than status.replicas"
    for field in ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"):
        if (status.get(field) or 0) > total:
            problems.append(invalid_value(f"status.{field}", status.get(field) or 0, text))
    if (status.get("availableReplicas") or 0) > (status.get("readyReplicas") or 0):
        text = "cannot be greater than readyReplicas"
        problems.append(invalid_value("status.availableReplicas", status.get("availableReplicas") or 0, text))
    return problems


def row(replica_set: JSON, now: int) -> list[Any]:
    """The cells of a ReplicaSet."""
    spec, status = replica_set.get("spec") or {}, replica_set.get("status") or {}
    names, images = container_cells((spec.get("template") or {}).get("spec") or {})
    return [
        replica_set["metadata"]["name"],
        spec.get("replicas") or 0,
        status.get("replicas") or 0,
        status.get("readyReplicas") or 0,
        age(replica_set, now),
        names,
        images,
        selector_text(spec.get("selector")),
    ]


KIND = Kind(
    group="apps",
    version="v1",
    kind="ReplicaSet",
    resource="replicasets",
    singular="replicaset",
    namespaced=True,
    short_names=("rs",),
    categories=("all",),
    subresources=("scale", "status"),
    columns=(
        NAME,
        Column("Desired", "integer", description=doc("apps.v1.ReplicaSetSpec", "replicas")),
        Column("Current", "integer", description=doc("apps.v1.ReplicaSetStatus", "replicas")),
        Column("Ready", "integer", description=doc("apps.v1.ReplicaSetStatus", "readyReplicas")),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", description=doc("apps.v1.ReplicaSetSpec", "selector"), priority=1),
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    warnings=workload_warnings,
    field_labels={"status.replicas": lambda obj: str((obj.get("status") or {}).get("replicas") or 0)},
)
