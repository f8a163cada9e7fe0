"""What a check expects of one field of an object: ``{field: spec.replicas, is: 3}``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import re2

from cluster_engine.apimachinery import quantity
from labs.kit import fieldpath
from labs.kit.fieldpath import MISSING
from labs.kit.shapes import Schema
from labs.kit.words import Text, plain, say

JSON = dict[str, Any]

MAX_SHOWN = 160
"""Characters of a found value in a message."""


def _compared(found: Any, wanted: Any) -> int:
    """Numbers and quantities (``500m``, ``64Mi``) compared; a field that is not there counts as 0."""
    return quantity.compare(str(0 if found is MISSING else found), str(wanted))


def _holds_in(found: Any, wanted: Any) -> bool:
    if isinstance(found, str):
        return str(wanted) in found
    return isinstance(found, (list, dict)) and wanted in found


_OPERATORS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "is": ("The value that the field has.", lambda found, wanted: found == wanted),
    "isNot": ("A value that the field does not have.", lambda found, wanted: found != wanted),
    "in": ("Values of which the field has one.", lambda found, wanted: found in wanted),
    "atLeast": (
        "A number or quantity; a missing field counts as 0.",
        lambda found, wanted: _compared(found, wanted) >= 0,
    ),
    "atMost": (
        "A number or quantity; a missing field counts as 0.",
        lambda found, wanted: _compared(found, wanted) <= 0,
    ),
    "matches": (
        "A regular expression (RE2) that is found in the text.",
        lambda found, wanted: isinstance(found, str) and re2.search(wanted, found) is not None,
    ),
    "contains": ("A part of the text, an item of the list, a key of the mapping.", _holds_in),
    "exists": ("Whether the field is set.", lambda found, wanted: (found is not MISSING) == wanted),
}

_SHAPES: dict[str, Schema] = {
    "in": {"type": "array", "minItems": 1},
    "matches": {"type": "string"},
    "exists": {"type": "boolean"},
    "atLeast": {"anyOf": [{"type": "number"}, {"type": "string"}], "description": "a number or a quantity"},
    "atMost": {"anyOf": [{"type": "number"}, {"type": "string"}], "description": "a number or a quantity"},
}

SCHEMA: Schema = {
    "type": "object",
    "required": ["field"],
    "additionalProperties": False,
    "properties": {
        "field": {
            "type": "string",
            "pattern": fieldpath.PATTERN,
            "description": "a path like spec.containers[name=web].image",
        },
        **{name: _SHAPES.get(name, {}) for name in _OPERATORS},
    },
    "oneOf": [{"required": [name]} for name in _OPERATORS],
}


@dataclass(frozen=True)
class Expectation:
    """One field and what is expected of it."""

    field: str
    operator: str
    value: Any

    @classmethod
    def of(cls, data: JSON) -> Expectation:
        """From data of the shape SCHEMA."""
        operator = next(name for name in data if name != "field")
        return cls(data["field"], operator, data[operator])

    def holds(self, obj: JSON) -> bool:
        """Whether the object is so."""
        found = fieldpath.resolve(obj, self.field)
        try:
            return _OPERATORS[self.operator][1](found, self.value)
        except quantity.QuantityError:
            return False

    @property
    def text(self) -> Text:
        """What is expected, in words."""
        if self.operator == "exists":
            return say("set" if self.value else "unset", field=self.field)
        if self.operator == "in":
            return say("in", field=self.field, values=", ".join(f"`{_shown(each)}`" for each in self.value))
        return say(self.operator, field=self.field, value=_shown(self.value))

    def found(self, obj: JSON) -> Text:
        """What the object has instead."""
        found = fieldpath.resolve(obj, self.field)
        if found is MISSING:
            return say("field_missing", field=self.field)
        return say("field_found", field=self.field, value=_shown(found))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def all_of(data: list[JSON]) -> tuple[Expectation, ...]:
    """From a list of data of the shape SCHEMA."""
    return tuple(Expectation.of(item) for item in data)


def texts(expectations: tuple[Expectation, ...]) -> Text:
    """All that is expected, in one sentence."""
    parts = [expectation.text for expectation in expectations]
    return {language: ", ".join(part[language].strip() for part in parts) for language in plain("")}
