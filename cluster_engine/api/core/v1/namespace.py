"""Namespace.

Models pkg/registry/core/namespace/{strategy.go,storage/storage.go}.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.api.strategy import keep_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON, get, with_meta
from cluster_engine.apimachinery.errors import FieldError, invalid_value
from cluster_engine.apimachinery.scheme import Column, Deletion, Kind, Strategy, Subresource
from cluster_engine.apimachinery.validation import validate_finalizers, validate_standard_finalizers
from cluster_engine.sim import rfc3339

_NAME_LABEL = "kubernetes.io/metadata.name"
_FINALIZER = "kubernetes"


def default(namespace: JSON) -> JSON:
    """Every namespace carries its own name as a label."""
    meta = namespace["metadata"]
    labels, name = meta.get("labels") or {}, meta.get("name")
    if not name or labels.get(_NAME_LABEL) == name:
        return namespace
    return {**namespace, "metadata": {**meta, "labels": {**labels, _NAME_LABEL: name}}}


def prepare_create(namespace: JSON) -> JSON:
    """A new namespace is Active and is finalized by the namespace controller."""
    finalizers = [f for f in (namespace.get("spec") or {}).get("finalizers") or () if f != _FINALIZER]
    return {**namespace, "spec": {"finalizers": [*finalizers, _FINALIZER]}, "status": {"phase": "Active"}}


def prepare_update(new: JSON, old: JSON) -> JSON:
    """Finalizers change through the finalize subresource only."""
    return keep_status({**new, "spec": old.get("spec") or {}}, old)


def prepare_status(new: JSON, old: JSON) -> JSON:
    """The status only."""
    return {**new, "spec": old.get("spec") or {}}


def prepare_finalize(new: JSON, old: JSON) -> JSON:
    """The finalize subresource: nothing but spec.finalizers."""
    finalizers = (new.get("spec") or {}).get("finalizers") or []
    return {**old, "spec": {**(old.get("spec") or {}), "finalizers": finalizers}}


def held(namespace: JSON) -> bool:
    """Whether somebody has still to finalize the namespace."""
    return bool(get(namespace, "spec", "finalizers"))


def delete(namespace: JSON, now: int) -> Deletion:
    """A deleted namespace is Terminating until its finalizers, both sorts, are gone."""
    keeps = held(namespace) or bool(namespace["metadata"].get("finalizers"))
    if namespace["metadata"].get("deletionTimestamp"):
        return Deletion("keep" if keeps else "delete", namespace)
    marked = with_meta(namespace, deletionTimestamp=rfc3339(now))
    marked = {**marked, "status": {**(namespace.get("status") or {}), "phase": "Terminating"}}
    return Deletion("update" if keeps else "both", marked)


def validate(namespace: JSON) -> list[FieldError]:
    """What is wrong with a new namespace."""
    problems = check_meta(namespace, namespaced=False, name_rule="label")
    finalizers = (namespace.get("spec") or {}).get("finalizers")
    problems += validate_finalizers(finalizers, "spec.finalizers")
    return problems + validate_standard_finalizers(finalizers, "spec.finalizers", indexed=False)


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """The phase follows from whether the namespace is being deleted."""
    phase = (new.get("status") or {}).get("phase")
    if new["metadata"].get("deletionTimestamp"):
        if phase != "Terminating":
            text = "may only be 'Terminating' if `deletionTimestamp` is not empty"
            return [invalid_value("status.Phase", phase or "", text)]
    elif phase != "Active":
        text = "may only be 'Active' if `deletionTimestamp` is empty"
        return [invalid_value("status.Phase", phase or "", text)]
    return []


def row(namespace: JSON, now: int) -> list[Any]:
    """The cells of a namespace."""
    phase = (namespace.get("status") or {}).get("phase") or ""
    return [namespace["metadata"]["name"], phase, age(namespace, now)]


KIND = Kind(
    group="",
    version="v1",
    kind="Namespace",
    resource="namespaces",
    singular="namespace",
    namespaced=False,
    short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources={"finalize": Subresource(("update",)), **STATUS},
    columns=(NAME, Column("Status", description="The status of the namespace"), AGE),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    prepare_status=prepare_status,
    validate=validate,
    validate_status=validate_status,
    strategies={"finalize": Strategy(prepare_finalize)},
    delete=delete,
    held=held,
    field_labels={
        "status.phase": lambda namespace: (namespace.get("status") or {}).get("phase") or "",
        "name": lambda namespace: namespace["metadata"]["name"],
    },
)
