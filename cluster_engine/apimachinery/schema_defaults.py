"""What the published schemas say is there when nobody says anything: nothing of the type, or what its source names.

Models k8s.io/kube-openapi/pkg/generators/openapi.go (generateDefault, mustEnforceDefault).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.schema import Field, List, Map, Node, Scalar, Struct, struct_named

_OWN = ("io.k8s.api.", "io.k8s.apimachinery.", "io.k8s.apiextensions-apiserver.", "io.k8s.kube-aggregator.")
"""Definitions that are Kubernetes' own: a custom resource may have any other name."""
_ZEROS: dict[str, Any] = {"string": "", "bool": False, "int": 0, "int32": 0, "int64": 0, "float64": 0}
"""Of types that are no objects; those of apimachinery (times, quantities, …) say nothing."""
_NAMED: dict[tuple[str, str], str] = {
    ("core.v1.ContainerPort", "protocol"): "TCP",
    ("core.v1.ServicePort", "protocol"): "TCP",
    **{
        (f"core.v1.{name}", "name"): ""
        for name in (
            "ConfigMapEnvSource",
            "ConfigMapKeySelector",
            "ConfigMapProjection",
            "LocalObjectReference",
            "SecretEnvSource",
            "SecretKeySelector",
            "SecretProjection",
        )
    },
}
"""Type and field -> what a marker in the source names (``+default``)."""


def with_defaults(name: str, schema: JSON) -> JSON:
    """The schema of the definition of that name with the defaults of its fields."""
    properties = schema.get("properties")
    if not name.startswith(_OWN):
        return schema
    own = ".".join(name.rsplit(".", 3)[-3:])
    if not properties:
        return schema
    try:
        fields = struct_named(own).fields
    except KeyError:
        return schema
    told = {
        field.name: _of_field(own, field, properties[field.name])
        for field in fields.values()
        if field.name in properties
    }
    return {**schema, "properties": {**properties, **told}}


def _of_field(own: str, field: Field, schema: JSON) -> JSON:
    named = _NAMED.get((own, field.name))
    if named is not None:
        return {**schema, "default": named}
    if field.pointer:
        return schema
    return _told(field.node, schema, field.drop_empty)


def _told(node: Node, schema: JSON, optional: bool = False) -> JSON:
    """The schema of a value of that type; ``optional``: it is left out when it is nothing."""
    if isinstance(node, Struct):
        reference = schema.get("$ref")
        shown = {"allOf": [{"$ref": reference}]} if reference is not None else schema
        return {**shown, "default": {}}
    if isinstance(node, Scalar):
        zero = None if optional else _ZEROS.get(node.type)
        return schema if zero is None else {**schema, "default": zero}
    if isinstance(node, List) and isinstance(schema.get("items"), dict):
        return {**schema, "items": _told(node.items, schema["items"])}
    if isinstance(node, Map) and isinstance(schema.get("additionalProperties"), dict):
        return {**schema, "additionalProperties": _told(node.values, schema["additionalProperties"])}
    return schema
