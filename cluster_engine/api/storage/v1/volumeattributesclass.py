"""VolumeAttributesClass.

Models pkg/registry/storage/volumeattributesclass/strategy.go and pkg/apis/storage/validation
(ValidateVolumeAttributesClass).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.api.strategy import same
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, forbidden_field, required
from cluster_engine.apimachinery.scheme import Column, Kind

from .storageclass import check_parameters, check_provisioner


def _check(attributes: JSON) -> list[FieldError]:
    problems = check_provisioner(attributes.get("driverName") or "", "driverName")
    parameters = attributes.get("parameters")
    if not parameters:
        return [*problems, required("parameters", "must contain at least one key/value pair")]
    return problems + check_parameters(parameters)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What volumes were changed by stays."""
    kept = [name for name in ("driverName", "parameters") if not same(new.get(name), old.get(name))]
    return [forbidden_field(name, f"updates to {name} are forbidden.") for name in kept] + _check(new)


_DEFAULT = "volumeattributesclass.alpha.kubernetes.io/is-default-class"


def row(attributes: JSON, now: int) -> list[Any]:
    """The cells of a class."""
    meta = attributes["metadata"]
    name = meta["name"]
    if (meta.get("annotations") or {}).get(_DEFAULT) == "true":
        name = f"{name} (default)"
    return [name, attributes.get("driverName") or "", age(attributes, now)]


KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    kind="VolumeAttributesClass",
    resource="volumeattributesclasses",
    singular="volumeattributesclass",
    namespaced=False,
    short_names=("vac",),
    columns=(
        NAME,
        Column("DriverName", description=doc("storage.v1.VolumeAttributesClass", "driverName")),
        AGE,
    ),
    row=row,
    validate=lambda attributes: check_meta(attributes, namespaced=False) + _check(attributes),
    validate_update=validate_update,
)
