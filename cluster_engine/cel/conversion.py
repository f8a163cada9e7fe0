"""JSON as its schema means it: texts that are times or bytes, numbers that are doubles, lists that are sets.

Models k8s.io/apiserver/pkg/cel/common/values.go (UnstructuredToVal).
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.cel.declarations import MAX_DEPTH, escape, properties
from cluster_engine.cel.times import read_duration, read_timestamp
from cluster_engine.cel.values import MapList, SetList, Value

Convert = Callable[[Any], Value]


def converter(schema: JSON, resource: bool = False, depth: int = 0) -> Convert | None:
    """What makes values of a schema's JSON; None when JSON is what is meant."""
    if schema.get("x-kubernetes-int-or-string") or depth > MAX_DEPTH:
        return None
    match schema.get("type"):
        case "array":
            return _of_list(schema, depth)
        case "object":
            values = schema.get("additionalProperties")
            return _of_map(values, depth) if isinstance(values, dict) else _of_object(schema, resource, depth)
        case "string":
            return _SCALARS.get(schema.get("format") or "")
        case "number":
            return _number
    return None


def _timestamp(value: Any) -> Value:
    return value if not isinstance(value, str) else read_timestamp(value) or value


def _date(value: Any) -> Value:
    return value if not isinstance(value, str) else read_timestamp(f"{value}T00:00:00Z") or value


def _duration(value: Any) -> Value:
    return value if not isinstance(value, str) else read_duration(value) or value


def _bytes(value: Any) -> Value:
    try:
        return b64decode(value, validate=True) if isinstance(value, str) else value
    except (Error, ValueError):
        return value


def _number(value: Any) -> Value:
    return float(value) if type(value) is int else value


_SCALARS: Mapping[str, Convert] = {
    "date-time": _timestamp,
    "date": _date,
    "duration": _duration,
    "byte": _bytes,
}


def _of_list(schema: JSON, depth: int) -> Convert | None:
    items = schema.get("items") or {}
    inner = converter(items, bool(items.get("x-kubernetes-embedded-resource")), depth + 1)
    kind = schema.get("x-kubernetes-list-type")
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
    if inner is None and kind not in ("set", "map"):
        return None

    def convert(value: Any) -> Value:
        if not isinstance(value, list):
            return value
        found = list(value) if inner is None else [inner(item) for item in value]
        if kind == "set":
            return SetList(found)
        return MapList(found, tuple(map(escape, keys))) if kind == "map" else found

    return convert


def _of_map(values: JSON, depth: int) -> Convert | None:
    inner = converter(values, bool(values.get("x-kubernetes-embedded-resource")), depth + 1)
    if inner is None:
        return None

    def convert(value: Any) -> Value:
        return {name: inner(part) for name, part in value.items()} if isinstance(value, dict) else value

    return convert


def _of_object(schema: JSON, resource: bool, depth: int) -> Convert | None:
    inner: dict[str, Convert] = {}
    names: dict[str, str] = {}
    for name, child in properties(schema, resource).items():
        made = converter(child, bool(child.get("x-kubernetes-embedded-resource")), depth + 1)
        if made is not None:
            inner[name] = made
        if escape(name) not in ("", name):
            names[name] = escape(name)
    if not inner and not names:
        return None

    def convert(value: Any) -> Value:
        if not isinstance(value, dict):
            return value
        return {
            names.get(name, name): inner[name](part) if name in inner else part
            for name, part in value.items()
        }

    return convert
