"""Printed columns of custom resources: simple JSONPaths and what becomes of their values.

Models k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor and the part of
k8s.io/client-go/util/jsonpath that columns use: fields, indexes, ``*`` and one filter by equality.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import orjson

from cluster_engine.api.printing import AGE
from cluster_engine.apimachinery import duration
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column
from cluster_engine.cel.values import go_float

TYPES = ("boolean", "date", "integer", "number", "string")
FORMATS = ("byte", "date", "double", "float", "int32", "int64", "password")

_STEP = re.compile(
    r"\.(?P<field>(?:\\.|[^.\[\]\\])+)"
    r"|\['(?P<quoted>[^']*)'\]"
    r"|\[(?P<index>-?[0-9]+|\*)\]"
    r"|\[\?\(@\.(?P<key>[A-Za-z0-9_.]+)\s*==\s*(?P<value>\"[^\"]*\"|'[^']*'|[A-Za-z0-9_.-]+)\)\]"
)

Step = Callable[[list[Any]], list[Any]]


class Path(NamedTuple):
    """A JSONPath that can be followed."""

    steps: tuple[Step, ...]

    def first(self, obj: JSON) -> Any:
        """The first value that it leads to, or None."""
        found: list[Any] = [obj]
        for step in self.steps:
            found = step(found)
        return found[0] if found else None


def parse(text: str) -> Path | None:
    """The path; None for what is no path or has parts that are not known here."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            return None
        steps.append(_step(match))
        at = match.end()
    return Path(tuple(steps))


def _step(match: re.Match[str]) -> Step:
    name = match["field"] if match["field"] is not None else match["quoted"]
    if name is not None:
        return _field(name.replace("\\.", "."))
    if match["index"] is not None:
        return _every if match["index"] == "*" else _item(int(match["index"]))
    return _where(match["key"].split("."), match["value"].strip("\"'"))


def _field(name: str) -> Step:
    if name == "*":
        return _every
    return lambda found: [value[name] for value in found if isinstance(value, dict) and name in value]


def _item(at: int) -> Step:
    return lambda found: [v[at] for v in found if isinstance(v, list) and -len(v) <= at < len(v)]


def _every(found: list[Any]) -> list[Any]:
    return [
        part
        for value in found
        if isinstance(value, (list, dict))
        for part in (value.values() if isinstance(value, dict) else value)
    ]


def _where(names: Sequence[str], wanted: str) -> Step:
    def chosen(item: Any) -> bool:
        for name in names:
            if not isinstance(item, dict) or name not in item:
                return False
            item = item[name]
        return _text(item) == wanted

    return lambda found: [
        item for value in found if isinstance(value, list) for item in value if chosen(item)
    ]


def columns(specs: Sequence[JSON] | None) -> tuple[Column, ...]:
    """The columns after the name; the age when none is asked for."""
    if not specs:
        return (AGE,)
    return tuple(
        Column(
            spec.get("name", ""),
            spec.get("type", "string"),
            spec.get("format", ""),
            spec.get("description", ""),
            spec.get("priority", 0),
        )
        for spec in specs
    )


def cells(specs: Sequence[JSON]) -> Callable[[JSON, int], list[Any]]:
    """What prints an object at a virtual time (µs)."""
    made = [(spec.get("type", "string"), parse(spec.get("jsonPath", ""))) for spec in specs]

    def row(obj: JSON, now: int) -> list[Any]:
        return [
            obj["metadata"]["name"],
            *(_cell(kind, path.first(obj) if path else None, now) for kind, path in made),
        ]

    return row


def _cell(kind: str, value: Any, now: int) -> Any:
    if value is None:
        return None
    match kind:
        case "integer":
            return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        case "number":
            return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date":
            shown = duration.age(value, now) if isinstance(value, str) else None
            return "<invalid>" if shown == "<unknown>" else shown
    return _text(value)


def _text(value: Any) -> str:
    """A value as JSONPath prints it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return go_float(value)
    return orjson.dumps(value).decode()
