"""What a check expects of an object: of one field, ``{field: spec.replicas, is: 3}``, or a rule in CEL over all of it,
``{cel: "self.spec.replicas <= self.status.readyReplicas"}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import re2

from cluster_engine import cel
from cluster_engine.apimachinery import quantity
from cluster_engine.component_helpers.shapes import Schema
from labs.kit import fieldpath
from labs.kit.fieldpath import MISSING
from labs.kit.words import Text, join, plain, say

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


def _same(found: Any, wanted: Any) -> bool:
    """Equal; a number that was drawn, or written without quotes, is the text of a label or of a ConfigMap, too."""
    if isinstance(found, str) and isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        return found == str(wanted)
    return bool(found == wanted)


_OPERATORS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "is": ("The value that the field has.", _same),
    "isNot": ("A value that the field does not have.", lambda found, wanted: not _same(found, wanted)),
    "in": (
        "Values of which the field has one.",
        lambda found, wanted: any(_same(found, each) for each in wanted),
    ),
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
    "matches": {"type": "string", "format": "regex"},
    "exists": {"type": "boolean"},
    "atLeast": {"anyOf": [{"type": "number"}, {"type": "string"}], "description": "a number or a quantity"},
    "atMost": {"anyOf": [{"type": "number"}, {"type": "string"}], "description": "a number or a quantity"},
}

FIELD: Schema = {
    "type": "string",
    "pattern": fieldpath.PATTERN,
    "description": "a path like spec.containers[name=web].image",
}
CEL: Schema = {"type": "string", "description": "an expression in CEL that must be true"}

SCHEMA: Schema = {
    "type": "object",
    "anyOf": [
        {
            "type": "object",
            "required": ["field"],
            "additionalProperties": False,
            "properties": {
                "field": FIELD,
                **{
                    name: {"description": about, **_SHAPES.get(name, {})}
                    for name, (about, _) in _OPERATORS.items()
                },
            },
            "oneOf": [{"required": [name]} for name in _OPERATORS],
        },
        {
            "type": "object",
            "required": ["cel"],
            "additionalProperties": False,
            "properties": {"cel": CEL},
        },
    ],
}

Others = Mapping[str, Any]
"""What a rule in CEL may name beside the object itself."""


@dataclass(frozen=True)
class Expectation:
    """One field and what is expected of it."""

    field: str
    operator: str
    value: Any

    @property
    def about(self) -> str:
        """What it is about, for the sweep's messages."""
        return self.field

    def holds(self, obj: JSON, others: Others = {}) -> bool:  # noqa: B006 - never changed
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

    def found(self, obj: JSON, others: Others = {}) -> Text:  # noqa: B006 - never changed
        """What the object has instead."""
        found = fieldpath.resolve(obj, self.field)
        if found is MISSING:
            return say("field_missing", field=self.field)
        return say("field_found", field=self.field, value=_shown(found))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


@dataclass(frozen=True)
class Rule:
    """An expression in CEL over the object, ``self``, and what else it may name."""

    program: cel.Program
    source: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, source: str, names: tuple[str, ...]) -> Rule:
        """Raises ValueError for what is no expression, or one that is neither true nor false."""
        try:
            program = cel.compile(source, list(names))
        except cel.CelCompileError as error:
            raise ValueError(f"a rule in CEL; {error}") from error
        if str(program.result) not in ("bool", "dyn"):
            raise ValueError(
                f"a rule in CEL that is true or false, found one that is {program.result}: {source}"
            )
        return cls(program, source, names)

    @property
    def about(self) -> str:
        """What it is about, for the sweep's messages."""
        return self.source

    def holds(self, obj: Any, others: Others = {}) -> bool:  # noqa: B006 - never changed
        """Whether it is true; what cannot be worked out (a field that is not there) is not."""
        try:
            return self.program.evaluate({"self": obj, **others}) is True
        except cel.CelError:
            return False

    def weaker(self) -> Iterator[Rule]:
        """The rule with one of the parts that ``&&`` joins left out."""
        parts = _conjuncts(self.source)
        if len(parts) > 1:
            for index in range(len(parts)):
                yield Rule.of(" && ".join(parts[:index] + parts[index + 1 :]), self.names)

    @property
    def text(self) -> Text:
        """What is expected, in words."""
        return say("cel", rule=self.source)

    def found(self, obj: Any, others: Others = {}) -> Text:  # noqa: B006 - never changed
        """Why it is not so."""
        try:
            self.program.evaluate({"self": obj, **others})
        except cel.CelError as error:
            return plain(f"`{error}`")
        return say("cel_false")


def _conjuncts(source: str) -> list[str]:
    """The parts that ``&&`` joins, outside of brackets and quotes; one when ``||`` or ``?`` stands between them."""
    parts, depth, quote, begin = [], 0, "", 0
    for index, char in enumerate(source):
        if quote:
            quote = "" if char == quote and source[index - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif depth == 0 and (char == "?" or source.startswith("||", index)):
            return [source]
        elif depth == 0 and source.startswith("&&", index):
            parts.append(source[begin:index].strip())
            begin = index + 2
    return [*parts, source[begin:].strip()]


Expected = Expectation | Rule


def weaker(expected: tuple[Expected, ...]) -> Iterator[tuple[str, tuple[Expected, ...]]]:
    """(what was taken away, the rest): each expectation left out, and each part of a rule in CEL."""
    for index, one in enumerate(expected):
        before, after = expected[:index], expected[index + 1 :]
        yield f"without {one.about}", before + after
        if isinstance(one, Rule):
            for rule in one.weaker():
                yield f"with {rule.source} alone", (*before, rule, *after)


def expected(data: JSON, names: tuple[str, ...] = ()) -> Expected:
    """From data of the shape SCHEMA; ``names`` are what a rule may name beside ``self``. Raises ValueError."""
    if "cel" in data:
        return Rule.of(data["cel"], ("self", *names))
    operator = next(name for name in data if name != "field")
    return Expectation(data["field"], operator, data[operator])


def all_of(data: list[JSON], names: tuple[str, ...] = ()) -> tuple[Expected, ...]:
    """From a list of data of the shape SCHEMA. Raises ValueError."""
    return tuple(expected(item, names) for item in data)


def texts(expectations: tuple[Expected, ...]) -> Text:
    """All that is expected, in one sentence."""
    parts = [expectation.text for expectation in expectations]
    return join([{language: text.strip() for language, text in part.items()} for part in parts])
