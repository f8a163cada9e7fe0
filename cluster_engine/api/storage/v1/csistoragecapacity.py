"""CSIStorageCapacity. Models pkg/apis/storage/validation (ValidateCSIStorageCapacity)."""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1.volume_kinds import check_class_name
from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import NAME, doc
from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, required
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import validate_label_selector


def _check(capacity: JSON) -> list[FieldError]:
    name = capacity.get("storageClassName")
    problems = check_class_name(name, "storageClassName") if name else [required("storageClassName")]
    if capacity.get("nodeTopology") is not None:
        problems += validate_label_selector(capacity["nodeTopology"], "nodeTopology")
    for field in ("capacity", "maximumVolumeSize"):
        amount = capacity.get(field)
        if amount is not None and quantity.parse(amount) < 0:
            problems.append(invalid_value(field, str(amount), "must be greater than or equal to 0"))
    return problems


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """Of what it tells stays."""
    problems = _check(new)
    for field in ("nodeTopology", "storageClassName"):
        problems += check_immutable(new.get(field), old.get(field), field)
    return problems


def row(capacity: JSON, now: int) -> list[Any]:
    """The cells of a capacity."""
    amount = capacity.get("capacity")
    return [
        capacity["metadata"]["name"],
        capacity.get("storageClassName") or "",
        "<unset>" if amount is None else str(amount),
    ]


_OF = "storage.v1.CSIStorageCapacity"
KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    kind="CSIStorageCapacity",
    resource="csistoragecapacities",
    singular="csistoragecapacity",
    namespaced=True,
    columns=(
        NAME,
        Column("StorageClassName", description=doc(_OF, "storageClassName")),
        Column("Capacity", description=doc(_OF, "capacity")),
    ),
    row=row,
    returns_deleted=True,
    validate=lambda capacity: check_meta(capacity) + _check(capacity),
    validate_update=validate_update,
)
