"""Types of objects, made from the schemas of kinds.

Models k8s.io/apiserver/pkg/cel/common/schemas.go and pkg/cel/escaping.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cluster_engine.apimachinery import schema as schemas
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.cel import types
from cluster_engine.cel.parser import RESERVED
from cluster_engine.cel.types import Type

MAX_DEPTH = 32
"""Objects within objects that are declared; what lies deeper (a schema that contains itself) is dyn."""

_KEYWORDS = RESERVED | {"true", "false", "null", "in"}
_ACCESSIBLE = re.compile(r"[a-zA-Z_.\-/][a-zA-Z0-9_.\-/]*")
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_ESCAPED = re.compile(r"__|[.\-/]")
_SCALARS: Mapping[str, Type] = {
    "string": types.STRING,
    "quantity": types.STRING,
    "bool": types.BOOL,
    "int": types.INT,
    "int32": types.INT,
    "int64": types.INT,
    "float64": types.DOUBLE,
    "bytes": types.BYTES,
    "time": types.TIMESTAMP,
    "microtime": types.TIMESTAMP,
    "duration": types.STRING,
    "intorstring": types.DYN,
}


def escape(name: str) -> str:
    """A property's name as expressions write it; nothing when they cannot."""
    if name in _KEYWORDS:
        return f"__{name}__"
    if not _ACCESSIBLE.fullmatch(name):
        return ""
    return _ESCAPED.sub(lambda match: _ESCAPES[match.group()], name)


def of_structure(node: schemas.Node, name: str, depth: int = 0) -> Type:
    """The type of a built-in kind's objects, from its tree; objects within are called by their path."""
    if isinstance(node, schemas.Struct):
        if depth > MAX_DEPTH:
            return types.DYN
        fields = {
            escaped: of_structure(field.node, f"{name}.{field_name}", depth + 1)
            for field_name, field in node.fields.items()
            if (escaped := escape(field_name))
        }
        return types.object_of(name, fields)
    if isinstance(node, schemas.Map):
        return types.map_of(types.STRING, of_structure(node.values, f"{name}.@elem", depth + 1))
    if isinstance(node, schemas.List):
        return types.list_of(of_structure(node.items, f"{name}.@idx", depth + 1))
    assert isinstance(node, schemas.Scalar)
    found = _SCALARS.get(node.type)
    return types.object_of(name, {}) if found is None else found


REQUEST_BYTES = 3 * 1024 * 1024
"""Bytes of the largest request, from which sizes are guessed that a schema does not limit."""

_FORMATS: Mapping[str, Type] = {
    "duration": Type("duration", most=32, least=3),
    "date": Type("timestamp", most=12, least=12),
    "date-time": Type("timestamp", most=32, least=21),
}
_TYPES: Mapping[str, Type] = {
    "boolean": Type("bool", most=0, least=4),
    "integer": Type("int", most=0, least=1),
    "number": Type("double", most=0, least=1),
}
_STRING_SCHEMA: JSON = {"type": "string"}
_META_SCHEMA: JSON = {
    "type": "object",
    "properties": {"name": _STRING_SCHEMA, "generateName": _STRING_SCHEMA},
}


def of_schema(schema: JSON, name: str, resource: bool = False, depth: int = 0) -> Type | None:
    """The type of what a structural schema describes; None when rules cannot see it.

    ``resource``: apiVersion, kind, metadata.name and metadata.generateName are there even when the schema does not
    say so.
    """
    if schema.get("x-kubernetes-int-or-string") or depth > MAX_DEPTH:
        return Type("dyn", most=_characters(schema), least=1)
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        if not isinstance(items, dict):
            return None
        item = of_schema(items, f"{name}.@idx", bool(items.get("x-kubernetes-embedded-resource")), depth + 1)
        if item is None:
            return None
        most = _limit(schema.get("maxItems"), (REQUEST_BYTES - 2) // (item.least + 1))
        return Type("list", (item,), most=most, least=2)
    if kind == "object":
        values = schema.get("additionalProperties")
        if isinstance(values, dict):
            value = of_schema(
                values, f"{name}.@elem", bool(values.get("x-kubernetes-embedded-resource")), depth + 1
            )
            if value is None:
                return None
            most = _limit(schema.get("maxProperties"), (REQUEST_BYTES - 2) // (value.least + 6))
            return Type("map", (types.STRING, value), most=most, least=2)
        fields: dict[str, Type] = {}
        least = 2
        for field_name, child in properties(schema, resource).items():
            escaped = escape(field_name)
            embedded = bool(child.get("x-kubernetes-embedded-resource"))
            found = of_schema(child, f"{name}.{field_name}", embedded, depth + 1)
            if escaped and found is not None:
                fields[escaped] = found
            if found is not None and field_name in (schema.get("required") or ()) and "default" not in child:
                least += len(field_name) + found.least + 4
        return Type(name, (), fields, least=least)
    if kind == "string":
        return _of_string(schema)
    return _TYPES.get(kind or "")


def _of_string(schema: JSON) -> Type:
    form = schema.get("format") or ""
    if form in _FORMATS:
        return _FORMATS[form]
    if form == "byte":
        return Type("bytes", most=_limit(schema.get("maxLength"), REQUEST_BYTES - 2), least=2)
    if schema.get("maxLength") is None and schema.get("enum"):
        longest = max(len(str(choice).encode()) for choice in schema["enum"])
        return Type("string", most=longest, least=2)
    return Type("string", most=_characters(schema), least=2)


def _characters(schema: JSON) -> int:
    """The bytes of the longest text: four a character."""
    most = schema.get("maxLength")
    return REQUEST_BYTES - 2 if most is None else max(most, 0) * 4


def _limit(given: int | None, otherwise: int) -> int:
    return otherwise if given is None else max(given, 0)


def properties(schema: JSON, resource: bool) -> Mapping[str, JSON]:
    """The properties of an object's schema, with those that every resource has."""
    found: Mapping[str, JSON] = schema.get("properties") or {}
    if not resource:
        return found
    return {**found, "apiVersion": _STRING_SCHEMA, "kind": _STRING_SCHEMA, "metadata": _META_SCHEMA}
