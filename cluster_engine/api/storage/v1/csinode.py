"""CSINode. Models pkg/registry/storage/csinode/strategy.go and pkg/apis/storage/validation (ValidateCSINode)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta, check_not_negative
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, duplicate, invalid_value, required
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_qualified_name

from .csidriver import check_driver_name

_NODE_ID_LENGTH = 256


def default(node: JSON) -> JSON:
    """A list of drivers is always there."""
    spec = node.get("spec") or {}
    return node if "drivers" in spec else {**node, "spec": {**spec, "drivers": []}}


def _check(node: JSON) -> list[FieldError]:
    problems: list[FieldError] = []
    seen: list[str] = []
    for index, driver in enumerate((node.get("spec") or {}).get("drivers") or ()):
        path, name = f"spec.drivers[{index}]", driver.get("name") or ""
        problems += check_driver_name(name, f"{path}.name")
        node_id = driver.get("nodeID") or ""
        if not node_id:
            problems.append(required(f"{path}.nodeID"))
        elif len(node_id) > _NODE_ID_LENGTH:
            text = f"must be {_NODE_ID_LENGTH} characters or less"
            problems.append(invalid_value(f"{path}.nodeID", node_id, text))
        count = (driver.get("allocatable") or {}).get("count")
        problems += check_not_negative(count, f"{path}.allocatable.count")
        if name in seen:
            problems.append(duplicate(f"{path}.name", name))
        seen.append(name)
        problems += _key_problems(driver.get("topologyKeys") or (), path)
    return problems


def _key_problems(keys: Sequence[str], path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    for index, key in enumerate(keys):
        if not key:
            problems.append(required(path))
        if key in keys[:index]:
            problems.append(duplicate(path, key))
        problems += [invalid_value(path, key, text) for text in is_qualified_name(key)]
    return problems


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """Of a driver that stays, how many volumes it takes may change alone."""
    problems = _check(new)
    now = (new.get("spec") or {}).get("drivers") or ()
    for before in (old.get("spec") or {}).get("drivers") or ():
        for driver in now:
            if driver.get("name") == before.get("name"):
                problems += check_immutable(_identity(driver), _identity(before), "spec.drivers")
    return problems


def _identity(driver: JSON) -> JSON:
    """A driver as Go's internal type shows it, without its volumes."""
    return {
        "Name": driver.get("name") or "",
        "NodeID": driver.get("nodeID") or "",
        "TopologyKeys": driver.get("topologyKeys"),
        "Allocatable": None,
    }


def row(node: JSON, now: int) -> list[Any]:
    """The cells of a node's drivers."""
    return [node["metadata"]["name"], len((node.get("spec") or {}).get("drivers") or ()), age(node, now)]


KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    kind="CSINode",
    resource="csinodes",
    singular="csinode",
    namespaced=False,
    columns=(NAME, Column("Drivers", "integer", description=doc("storage.v1.CSINodeSpec", "drivers")), AGE),
    row=row,
    default=default,
    returns_deleted=True,
    validate=lambda node: check_meta(node, namespaced=False) + _check(node),
    validate_update=validate_update,
)
