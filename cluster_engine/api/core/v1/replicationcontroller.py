"""ReplicationController.

Models pkg/registry/core/replicationcontroller/strategy.go and pkg/apis/core/validation
(ValidateReplicationController).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1.workload import (
    check_counts,
    check_replica_counts,
    check_template,
    defaulted,
    replica_cells,
    replica_columns,
    workload_warnings,
)
from cluster_engine.api.meta import check_meta, check_not_negative
from cluster_engine.api.printing import container_cells, labels_text
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.api.subresources import SCALE, STATUS
from cluster_engine.apimachinery.cow import JSON, get
from cluster_engine.apimachinery.errors import FieldError, required
from cluster_engine.apimachinery.scheme import Kind

_COUNTS = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration")


def default(controller: JSON) -> JSON:
    """One replica; selector and labels follow from the template's labels."""
    spec: JSON = controller.get("spec") or {}
    if spec.get("template") is None:  # a pointer, unlike that of other workloads
        return {**controller, "spec": {"replicas": 1, **spec}}
    made = defaulted(controller, {"replicas": 1})
    labels = get(made, "spec", "template", "metadata", "labels")
    if not labels:
        return made
    if not made["spec"].get("selector"):
        made = {**made, "spec": {**made["spec"], "selector": labels}}
    if not made["metadata"].get("labels"):
        made = {**made, "metadata": {**made["metadata"], "labels": labels}}
    return made


def prepare_create(controller: JSON) -> JSON:
    """A fresh status; its count of replicas is always shown."""
    return {**create_spec(controller), "status": {"replicas": 0}}


def _check(controller: JSON) -> list[FieldError]:
    spec = controller.get("spec") or {}
    problems = check_not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    selector = spec.get("selector")
    if not selector:
        problems.append(required("spec.selector"))
    problems += check_not_negative(spec.get("replicas"), "spec.replicas")
    if spec.get("template") is None:
        return [*problems, required("spec.template")]
    as_set = {**spec, "selector": {"matchLabels": selector} if selector else None}
    return problems + check_template(as_set, "ReplicationController")


def validate(controller: JSON) -> list[FieldError]:
    """What is wrong with a new controller."""
    return check_meta(controller) + _check(controller)


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """Counts must fit together."""
    status = new.get("status") or {}
    fewer = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    return check_counts(status, _COUNTS) + check_replica_counts(status, fewer)


def row(controller: JSON, now: int) -> list[Any]:
    """The cells of a controller."""
    spec = controller.get("spec") or {}
    containers = container_cells((spec.get("template") or {}).get("spec") or {})
    return [*replica_cells(controller, now), *containers, labels_text(spec.get("selector"))]


KIND = Kind(
    group="",
    version="v1",
    kind="ReplicationController",
    resource="replicationcontrollers",
    singular="replicationcontroller",
    namespaced=True,
    short_names=("rc",),
    categories=("all",),
    subresources=SCALE | STATUS,
    columns=replica_columns("core.v1.ReplicationController"),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=validate,
    validate_update=lambda new, old: _check(new),
    validate_status=validate_status,
    warnings=workload_warnings,
    field_labels={"status.replicas": lambda obj: str((obj.get("status") or {}).get("replicas") or 0)},
)
