"""CSINode. Models pkg/registry/storage/csinode/strategy.go and pkg/apis/storage/validation (ValidateCSINode)."""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, duplicate, required, too_long
from cluster_engine.apimachinery.scheme import Column, Kind

from .csidriver import check_driver_name

_NODE_ID_LENGTH = 192


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
            problems.append(too_long(f"{path}.nodeID", node_id, _NODE_ID_LENGTH))
        if name in seen:
            problems.append(duplicate(f"{path}.name", name))
        seen.append(name)
    return problems


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
    validate_update=lambda new, old: _check(new),
)
