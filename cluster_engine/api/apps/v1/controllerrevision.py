"""ControllerRevision: one state of a DaemonSet's template.

Models pkg/registry/apps/controllerrevision/strategy.go and pkg/apis/apps/validation.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta, check_not_negative
from cluster_engine.api.printing import AGE, NAME, NONE, age, doc
from cluster_engine.apimachinery.cow import JSON, controller_of
from cluster_engine.apimachinery.errors import FieldError, required
from cluster_engine.apimachinery.scheme import Column, Kind


def _check(revision: JSON) -> list[FieldError]:
    problems = [] if revision.get("data") is not None else [required("data", "data is mandatory")]
    return problems + check_not_negative(revision.get("revision"), "revision")


def validate(revision: JSON) -> list[FieldError]:
    """What is wrong with a new revision."""
    return check_meta(revision) + _check(revision)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """The data may never change."""
    return _check(new) + check_immutable(new.get("data"), old.get("data"), "data")


def row(revision: JSON, now: int) -> list[Any]:
    """The cells of a revision."""
    owner = controller_of(revision)
    controller = NONE
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        kind = owner["kind"].lower()
        controller = f"{kind}.{group}/{owner['name']}" if group else f"{kind}/{owner['name']}"
    return [revision["metadata"]["name"], controller, revision.get("revision") or 0, age(revision, now)]


KIND = Kind(
    group="apps",
    version="v1",
    kind="ControllerRevision",
    resource="controllerrevisions",
    singular="controllerrevision",
    namespaced=True,
    columns=(
        NAME,
        Column("Controller", description="Controller of the object"),
        Column("Revision", description=doc("apps.v1.ControllerRevision", "revision")),
        AGE,
    ),
    row=row,
    validate=validate,
    validate_update=validate_update,
)
