"""StorageClass.

Models pkg/registry/storage/storageclass/strategy.go and pkg/apis/storage/validation (ValidateStorageClass).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, UNSET, age, doc
from cluster_engine.api.strategy import same
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_long,
)
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_qualified_name
from cluster_engine.component_helpers.storage import is_default_class

_RECLAIM = ("Delete", "Retain")
_BINDING = ("Immediate", "WaitForFirstConsumer")
_MAX_PARAMETERS, _MAX_PARAMETERS_SIZE = 512, 256 * 1024


def default(storage_class: JSON) -> JSON:
    """Delete, Immediate."""
    add: JSON = {}
    if storage_class.get("reclaimPolicy") is None:
        add["reclaimPolicy"] = "Delete"
    if storage_class.get("volumeBindingMode") is None:
        add["volumeBindingMode"] = "Immediate"
    return {**storage_class, **add} if add else storage_class


def check_provisioner(driver: str, path: str) -> list[FieldError]:
    """The name of who makes volumes (validateProvisioner)."""
    if not driver:
        return [required(path)]
    return [invalid_value(path, driver, text) for text in is_qualified_name(driver.lower())]


def check_parameters(parameters: Mapping[str, str]) -> list[FieldError]:
    """What the driver is told; not too much of it (validateParameters)."""
    path = "parameters"
    if len(parameters) > _MAX_PARAMETERS:
        return [too_long(path, "", _MAX_PARAMETERS)]
    problems = [invalid_value(path, "", "field can not be empty.")] if "" in parameters else []
    size = sum(len(name.encode()) + len(value.encode()) for name, value in parameters.items())
    return [*problems, too_long(path, "", _MAX_PARAMETERS_SIZE)] if size > _MAX_PARAMETERS_SIZE else problems


def _check(storage_class: JSON) -> list[FieldError]:
    problems = check_provisioner(storage_class.get("provisioner") or "", "provisioner")
    problems += check_parameters(storage_class.get("parameters") or {})
    for field, allowed in (("reclaimPolicy", _RECLAIM), ("volumeBindingMode", _BINDING)):
        value = storage_class.get(field) or ""
        if value not in allowed:
            problems.append(not_supported(field, value, allowed))
    return problems


def validate(storage_class: JSON) -> list[FieldError]:
    """What is wrong with a new class."""
    return check_meta(storage_class, namespaced=False) + _check(storage_class)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What volumes were made by stays."""
    problems = _check(new)
    for field in ("parameters", "provisioner", "reclaimPolicy"):
        if not same(new.get(field), old.get(field)):
            problems.append(forbidden_field(field, f"updates to {field} are forbidden."))
    now, was = new.get("volumeBindingMode"), old.get("volumeBindingMode")
    return problems + check_immutable(now, was, "volumeBindingMode")


def row(storage_class: JSON, now: int) -> list[Any]:
    """The cells of a class."""
    name = storage_class["metadata"]["name"]
    return [
        f"{name} (default)" if is_default_class(storage_class) else name,
        storage_class.get("provisioner") or "",
        storage_class.get("reclaimPolicy") or "Delete",
        storage_class.get("volumeBindingMode") or UNSET,
        bool(storage_class.get("allowVolumeExpansion")),
        age(storage_class, now),
    ]


KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    kind="StorageClass",
    resource="storageclasses",
    singular="storageclass",
    namespaced=False,
    short_names=("sc",),
    returns_deleted=True,
    columns=(
        NAME,
        Column("Provisioner", description=doc("storage.v1.StorageClass", "provisioner")),
        Column("ReclaimPolicy", description=doc("storage.v1.StorageClass", "reclaimPolicy")),
        Column("VolumeBindingMode", description=doc("storage.v1.StorageClass", "volumeBindingMode")),
        Column("AllowVolumeExpansion", description=doc("storage.v1.StorageClass", "allowVolumeExpansion")),
        AGE,
    ),
    row=row,
    default=default,
    validate=validate,
    validate_update=validate_update,
)
