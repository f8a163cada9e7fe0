"""RuntimeClass. Models pkg/registry/node/runtimeclass/strategy.go and pkg/apis/node/validation."""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1.pod_spec.resources import check_quantity, check_resource_name
from cluster_engine.api.core.v1.pod_spec.scheduling import check_tolerations
from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_dns1123_label, validate_labels


def _check(runtime_class: JSON) -> list[FieldError]:
    handler = runtime_class.get("handler") or ""
    problems = [invalid_value("handler", handler, text) for text in is_dns1123_label(handler)]
    for name, amount in ((runtime_class.get("overhead") or {}).get("podFixed") or {}).items():
        # Looked at as a container's limits, and told so.
        path = f"overhead.limits[{name}]"
        problems += check_resource_name(name, path) + check_quantity(name, amount, path)
    scheduling = runtime_class.get("scheduling") or {}
    problems += validate_labels(scheduling.get("nodeSelector"), "scheduling.nodeSelector")
    return problems + check_tolerations(scheduling.get("tolerations") or [], "scheduling.tolerations")


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """Its handler stays."""
    return _check(new) + check_immutable(new.get("handler"), old.get("handler"), "handler")


def row(runtime_class: JSON, now: int) -> list[Any]:
    """The cells of a class."""
    name, handler = runtime_class["metadata"]["name"], runtime_class.get("handler") or ""
    return [name, handler, age(runtime_class, now)]


KIND = Kind(
    group="node.k8s.io",
    version="v1",
    kind="RuntimeClass",
    resource="runtimeclasses",
    singular="runtimeclass",
    namespaced=False,
    columns=(NAME, Column("Handler", description=doc("node.v1.RuntimeClass", "handler")), AGE),
    row=row,
    validate=lambda runtime_class: check_meta(runtime_class, namespaced=False) + _check(runtime_class),
    validate_update=validate_update,
)
