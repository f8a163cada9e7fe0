"""Objects of custom resources against their schema: defaults, and what is wrong with them.

Models k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting, pkg/apiserver/schema/listtype,
pkg/apiserver/validation and k8s.io/kube-openapi/pkg/validation.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Mapping
from datetime import date
from json import dumps
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    INVALID,
    TYPE_INVALID,
    FieldError,
    duplicate,
    invalid_value,
    not_supported,
    required,
    too_long,
    too_many,
)
from cluster_engine.apimachinery.ip_validation import is_cidr, is_ip
from cluster_engine.cel import regexes
from cluster_engine.cel.errors import CelError
from cluster_engine.cel.library.urls import is_url
from cluster_engine.cel.times import read_duration, read_timestamp

MAX_DEPTH = 64
"""Levels of an object that are looked at; what lies deeper has no schema that could say anything of it."""

BLOCKING = frozenset(
    ("FieldValueRequired", "FieldValueTypeInvalid", "FieldValueTooLong", "FieldValueTooMany")
)
"""Kinds of errors with which rules in CEL are not asked."""

_MISSING: Any = object()
_KEEPS = "x-kubernetes-preserve-unknown-fields"
_META = frozenset(("apiVersion", "kind", "metadata"))
_UUID = r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}$"
_ANY_UUID = re.compile(_UUID % ("[0-9a-f]", "[0-9a-f]"))
_HOST = re.compile(
    r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_MAC = re.compile(r"([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")


# Defaults


def defaulted(value: Any, schema: JSON, depth: int = 0) -> Any:
    """The value with the defaults of its schema; the very same when nothing is missing."""
    if depth > MAX_DEPTH:
        return value
    if isinstance(value, dict):
        return _defaulted_object(value, schema, depth)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        made = [defaulted(item, schema["items"], depth + 1) for item in value]
        return value if all(a is b for a, b in zip(made, value, strict=True)) else made
    return value


def _defaulted_object(value: JSON, schema: JSON, depth: int) -> JSON:
    changed: JSON = {}
    gone: list[str] = []
    children: Mapping[str, JSON] = schema.get("properties") or {}
    for name, child in children.items():
        found = value.get(name, _MISSING)
        if found is None and not child.get("nullable") and "default" in child:
            found = _MISSING
        elif found is None and not child.get("nullable"):
            gone.append(name)
            continue
        if found is _MISSING:
            if "default" in child:
                changed[name] = defaulted(child["default"], child, depth + 1)
            continue
        made = defaulted(found, child, depth + 1)
        if made is not found:
            changed[name] = made
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict):
        for name, found in value.items():
            if name not in children and (made := defaulted(found, rest, depth + 1)) is not found:
                changed[name] = made
    if not changed and not gone:
        return value
    return {name: found for name, found in {**value, **changed}.items() if name not in gone}


# Pruning


def pruned(value: Any, schema: JSON) -> Any:
    """The object without what its schema does not name; the very same when it names all.

    Models pkg/apiserver/schema/pruning/algorithm.go.
    """
    return _pruned(value, schema, True, False, 0)


def _pruned(value: Any, schema: JSON | None, root: bool, keep: bool, depth: int) -> Any:
    """``keep``: it stands in a list that keeps what no schema names."""
    own: JSON = schema or {}
    keep = keep or bool(own.get(_KEEPS))
    if depth > MAX_DEPTH or (keep and schema is None):
        return value
    if isinstance(value, list):
        made = [_pruned(item, own.get("items"), False, keep, depth + 1) for item in value]
        return value if all(a is b for a, b in zip(made, value, strict=True)) else made
    if not isinstance(value, dict):
        return value
    known: Mapping[str, JSON] = own.get("properties") or {}
    rest = own.get("additionalProperties")
    root = root or bool(own.get("x-kubernetes-embedded-resource"))
    changed: JSON = {}
    gone: set[str] = set()
    for name, found in value.items():
        if root and name in _META:
            continue
        if name in known or rest:
            part = known[name] if name in known else rest if isinstance(rest, dict) else None
            made = _pruned(found, part, False, False, depth + 1)
            if made is not found:
                changed[name] = made
        elif not keep:
            gone.add(name)
    if not changed and not gone:
        return value
    return {name: changed.get(name, found) for name, found in value.items() if name not in gone}


# Validation


def check(value: Any, schema: JSON, path: str, old: Any = _MISSING) -> list[FieldError]:
    """What is wrong with a value. What an update leaves as it was is not held against it."""
    problems: list[FieldError] = []
    _visit(value, schema, path, old, problems, 0)
    return problems


def _visit(value: Any, schema: JSON, path: str, old: Any, problems: list[FieldError], depth: int) -> None:
    if depth > MAX_DEPTH or (old is not _MISSING and path and value == old):
        return
    if value is None and schema.get("nullable"):
        return
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        if not _is_type(value, "integer") and not isinstance(value, str):
            problems.append(_type_error(value, path, "integer,string"))
            return
    elif kind and not _is_type(value, kind):
        problems.append(_type_error(value, path, kind))
        return
    problems += _scalar(value, schema, path)
    if isinstance(value, dict):
        _visit_object(value, schema, path, old, problems, depth)
    elif isinstance(value, list):
        _visit_list(value, schema, path, old, problems, depth)
    problems += _combined(value, schema, path, depth)


def _is_type(value: Any, kind: str) -> bool:
    match kind:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and not isinstance(value, bool)
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
    return True


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, str):
        return "string"
    return "integer" if isinstance(value, int) or value.is_integer() else "number"


def _type_error(value: Any, path: str, kind: str) -> FieldError:
    found = _type_name(value)
    return FieldError(TYPE_INVALID, path, found, f'{path} in body must be of type {kind}: "{found}"')


def _visit_object(
    value: JSON, schema: JSON, path: str, old: Any, problems: list[FieldError], depth: int
) -> None:
    before = old if isinstance(old, dict) else {}
    children: Mapping[str, JSON] = schema.get("properties") or {}
    count = len(value)
    if schema.get("maxProperties") is not None and count > schema["maxProperties"]:
        problems.append(too_many(path, count, schema["maxProperties"]))
    if schema.get("minProperties") is not None and count < schema["minProperties"]:
        detail = f"{path} in body should have at least {schema['minProperties']} properties"
        problems.append(invalid_value(path, count, detail))
    for name in sorted(children):
        if name in value:
            _visit(
                value[name],
                children[name],
                _child(path, name),
                before.get(name, _MISSING),
                problems,
                depth + 1,
            )
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict):
        for name in sorted(value):
            if name not in children:
                was = before.get(name, _MISSING)
                _visit(value[name], rest, _child(path, name), was, problems, depth + 1)
    for name in schema.get("required") or ():
        if name not in value:
            problems.append(required(_child(path, name)))
    if schema.get("x-kubernetes-embedded-resource"):
        for name in ("apiVersion", "kind"):
            if not value.get(name):
                problems.append(required(_child(path, name), "must not be empty"))


def _visit_list(
    value: list[Any], schema: JSON, path: str, old: Any, problems: list[FieldError], depth: int
) -> None:
    if schema.get("maxItems") is not None and len(value) > schema["maxItems"]:
        problems.append(too_many(path, len(value), schema["maxItems"]))
    if schema.get("minItems") is not None and len(value) < schema["minItems"]:
        detail = f"{path} in body should have at least {schema['minItems']} items"
        problems.append(invalid_value(path, len(value), detail))
    items = schema.get("items")
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
    known = {_key(item, keys): item for item in old} if keys and isinstance(old, list) else {}
    if isinstance(items, dict):
        for at, item in enumerate(value):
            was = known.get(_key(item, keys), _MISSING) if keys else _MISSING
            _visit(item, items, f"{path}[{at}]", was, problems, depth + 1)
    seen: set[str] = set()
    kind = schema.get("x-kubernetes-list-type")
    if kind in ("set", "map"):
        for at, item in enumerate(value):
            shown = (
                {key: item[key] for key in keys if key in item}
                if kind == "map" and isinstance(item, dict)
                else item
            )
            text = dumps(shown, sort_keys=True)
            if text in seen:
                problems.append(duplicate(f"{path}[{at}]", shown))
            seen.add(text)


def _key(item: Any, keys: tuple[str, ...]) -> str:
    return dumps([item.get(key) for key in keys] if isinstance(item, dict) else item, sort_keys=True)


def _child(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _scalar(value: Any, schema: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    choices = schema.get("enum")
    if choices is not None and not any(_same(value, choice) for choice in choices):
        problems.append(not_supported(path, value, choices))
    if isinstance(value, str):
        problems += _text(value, schema, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        problems += _number(value, schema, path)
    return problems


def _same(value: Any, choice: Any) -> bool:
    return bool(value == choice) and isinstance(value, bool) == isinstance(choice, bool)


def _text(value: str, schema: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    most, least = schema.get("maxLength"), schema.get("minLength")
    if most is not None and len(value) > most:
        problems.append(too_long(path, value, most))
    if least is not None and len(value) < least:
        problems.append(invalid_value(path, value, f"{path} in body should be at least {least} chars long"))
    pattern = schema.get("pattern")
    if pattern and not _matches(value, pattern):
        problems.append(invalid_value(path, value, f"{path} in body should match '{pattern}'"))
    form = schema.get("format")
    good = _FORMATS.get(form or "")
    if good is not None and not good(value):
        detail = f"{path} in body must be of type {form}: {dumps(value)}"
        problems.append(FieldError(TYPE_INVALID, path, value, detail))
    return problems


def _matches(value: str, pattern: str) -> bool:
    try:
        return regexes.search(value, pattern)
    except CelError:
        return False  # refused when the definition was written


def _is_bytes(text: str) -> bool:
    try:
        b64decode(text, validate=True)
    except (Error, ValueError):
        return False
    return True


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "byte": _is_bytes,
    "date": _is_date,
    "date-time": lambda text: read_timestamp(text) is not None,
    "datetime": lambda text: read_timestamp(text) is not None,
    "duration": lambda text: read_duration(text) is not None,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "hostname": lambda text: _HOST.fullmatch(text) is not None,
    "ipv4": lambda text: ":" not in text and not is_ip(text),
    "ipv6": lambda text: ":" in text and not is_ip(text),
    "cidr": lambda text: not is_cidr(text),
    "mac": lambda text: _MAC.fullmatch(text) is not None,
    "uri": is_url,
    "uuid": lambda text: _ANY_UUID.fullmatch(text) is not None,
}
"""The formats that are looked at; others say nothing, as upstream."""


def _number(value: float, schema: JSON, path: str) -> list[FieldError]:
    problems: list[str] = []
    most, least, step = schema.get("maximum"), schema.get("minimum"), schema.get("multipleOf")
    if step and value % step:
        problems.append(f"should be a multiple of {step}")
    if most is not None and (value >= most if schema.get("exclusiveMaximum") else value > most):
        problems.append(
            f"should be less than {'' if schema.get('exclusiveMaximum') else 'or equal to '}{most}"
        )
    if least is not None and (value <= least if schema.get("exclusiveMinimum") else value < least):
        problems.append(
            f"should be greater than {'' if schema.get('exclusiveMinimum') else 'or equal to '}{least}"
        )
    return [invalid_value(path, value, f"{path} in body {text}") for text in problems]


def _combined(value: Any, schema: JSON, path: str, depth: int) -> list[FieldError]:
    """allOf, anyOf, oneOf, not: said of no field, as upstream."""
    problems: list[FieldError] = []

    def good(part: JSON) -> bool:
        found: list[FieldError] = []
        _visit(value, part, path, _MISSING, found, depth + 1)
        return not found

    for part in schema.get("allOf") or ():
        _visit(value, part, path, _MISSING, problems, depth + 1)
    texts: list[str] = []
    if schema.get("allOf") and problems:
        texts.append(f'"{path}" must validate all the schemas (allOf)')
    if schema.get("anyOf") and not any(map(good, schema["anyOf"])):
        texts.append(f'"{path}" must validate at least one schema (anyOf)')
    if schema.get("oneOf"):
        count = sum(map(good, schema["oneOf"]))
        if count != 1:
            found = f"Found {count} valid alternatives" if count else "Found none valid"
            texts.append(f'"{path}" must validate one and only one schema (oneOf). {found}')
    if schema.get("not") and good(schema["not"]):
        texts.append(f'"{path}" must not validate the schema (not)')
    return problems + [FieldError(INVALID, "<nil>", "", text) for text in texts]
