"""ReplicaSet.

Models pkg/registry/apps/replicaset/strategy.go and pkg/apis/apps/validation (ValidateReplicaSet).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1.workload import (
    check_counts,
    check_replica_counts,
    check_selector,
    check_template,
    defaulted,
    replica_cells,
    replica_columns,
    validate_with,
    wide_cells,
    workload_warnings,
)
from cluster_engine.api.meta import check_not_negative
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.api.subresources import SCALE, STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError
from cluster_engine.apimachinery.scheme import Kind

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
    return defaulted(replica_set, {"replicas": 1})


def prepare_create(replica_set: JSON) -> JSON:
    """A fresh status; its count of replicas is always shown."""
    return {**create_spec(replica_set), "status": {"replicas": 0}}


def _check_spec(spec: JSON) -> list[FieldError]:
    problems = check_not_negative(spec.get("replicas"), "spec.replicas")
    problems += check_not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    return problems + check_selector(spec, "replicaset") + check_template(spec, "ReplicaSet")


validate, validate_update = validate_with(_check_spec)


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """Counts must fit together."""
    status = new.get("status") or {}
    problems = check_counts(status, _STATUS_COUNTS)
    return problems + check_replica_counts(
        status, ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    )


def row(replica_set: JSON, now: int) -> list[Any]:
    """The cells of a ReplicaSet."""
    return [*replica_cells(replica_set, now), *wide_cells(replica_set)]


KIND = Kind(
    group="apps",
    version="v1",
    kind="ReplicaSet",
    resource="replicasets",
    singular="replicaset",
    namespaced=True,
    short_names=("rs",),
    categories=("all",),
    subresources=SCALE | STATUS,
    columns=replica_columns("apps.v1.ReplicaSet"),
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
