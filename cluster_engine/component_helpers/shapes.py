"""Says where a value departs from a JSON Schema, in the words of an author.

The part of JSON Schema (2020-12) that files of authors need: type, enum, pattern, maxLength, minimum, maximum,
required, properties, additionalProperties, items, minItems, maxItems, minProperties, maxProperties, anyOf, oneOf,
format (those of FORMATS) and $ref into $defs.
The same schema is handed to editors, so what they accept and what is read here is one thing. ``description`` is what
messages say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import re2

from cluster_engine.apimachinery.labels import parse_selector

Schema = dict[str, Any]
Path = tuple[str | int, ...]
"""The way to a value: keys and positions."""

MAX_SHOWN = 80
"""Characters of a found value in a message."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a value."""

    path: Path
    expected: str
    found: str


def dotted(path: Path) -> str:
    """``checks[2].object.name``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def shown(value: Any) -> str:
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("text", lambda value: isinstance(value, str)),
    "integer": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "number": ("a number", lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "object": ("a mapping", lambda value: isinstance(value, dict)),
    "array": ("a list", lambda value: isinstance(value, list)),
    "null": ("nothing", lambda value: value is None),
}

_QUIET = re2.Options()
_QUIET.log_errors = False
FORMATS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "regex": ("a regular expression (RE2)", lambda text: re2.compile(text, _QUIET)),
    "label-selector": ("a label selector, like app=web,tier!=db", parse_selector),
}
"""By the word under ``format``: what a text must be, and what reads it, or raises."""


def problems(schema: Schema, value: Any, root: Schema | None = None, path: Path = ()) -> Iterator[Problem]:
    """What is wrong with the value, outermost first; nothing when it is as the schema says."""
    root = root or schema
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "type" in schema and not _TYPES[schema["type"]][1](value):
        yield Problem(path, schema.get("description") or _TYPES[schema["type"]][0], shown(value))
        return
    yield from _values(schema, value, path)
    if isinstance(value, dict):
        yield from _mapping(schema, value, root, path)
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield Problem(path, f"at least {schema['minItems']} items", str(len(value)))
        if len(value) > schema.get("maxItems", len(value)):
            yield Problem(path, f"at most {schema['maxItems']} items", str(len(value)))
            return
        for index, item in enumerate(value):
            yield from problems(schema.get("items", {}), item, root, (*path, index))
    yield from _choices(schema, value, root, path)


def fits(schema: Schema, value: Any, root: Schema) -> bool:
    """Whether there is nothing wrong with the value."""
    return next(problems(schema, value, root), None) is None


def _values(schema: Schema, value: Any, path: Path) -> Iterator[Problem]:
    if "enum" in schema and value not in schema["enum"]:
        yield Problem(path, f"one of {', '.join(map(str, schema['enum']))}", shown(value))
    if "pattern" in schema and isinstance(value, str) and re2.search(schema["pattern"], value) is None:
        yield Problem(path, schema.get("description") or f"text like {schema['pattern']}", shown(value))
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        yield Problem(path, f"at most {schema['maxLength']} characters", str(len(value)))
    if "format" in schema and isinstance(value, str) and "{{" not in value:  # else a variant will tell
        yield from _format(*FORMATS[schema["format"]], value, path)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < schema.get("minimum", value):
            yield Problem(path, f"at least {schema['minimum']}", shown(value))
        if value > schema.get("maximum", value):
            yield Problem(path, f"at most {schema['maximum']}", shown(value))


def _format(expected: str, parse: Callable[[str], Any], value: str, path: Path) -> Iterator[Problem]:
    try:
        parse(value)
    except (ValueError, re2.error) as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        yield Problem(path, expected, f"{shown(value)}: {reason}")


def _mapping(schema: Schema, value: dict[str, Any], root: Schema, path: Path) -> Iterator[Problem]:
    known = schema.get("properties", {})
    more = schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield Problem(path, f"the field `{name}`", "none")
    if len(value) < schema.get("minProperties", 0):
        yield Problem(path, f"at least {schema['minProperties']} fields", str(len(value)))
    if len(value) > schema.get("maxProperties", len(value)):
        yield Problem(path, f"at most {schema['maxProperties']} fields", str(len(value)))
    for name, item in value.items():
        if name in known:
            yield from problems(known[name], item, root, (*path, name))
        elif more is False:
            close = get_close_matches(name, known, 1)
            hint = f"`{close[0]}`" if close else f"one of {', '.join(known)}"
            yield Problem((*path, name), hint, f"the unknown field `{name}`")
        elif isinstance(more, dict):
            yield from problems(more, item, root, (*path, name))


def _choices(schema: Schema, value: Any, root: Schema, path: Path) -> Iterator[Problem]:
    for word, least in (("anyOf", 1), ("oneOf", 1)):
        options = schema.get(word)
        if options is None:
            continue
        fitting = sum(fits(option, value, root) for option in options)
        if fitting >= least and not (word == "oneOf" and fitting > 1):
            continue
        keys = [option["required"][0] for option in options if set(option) == {"required"}]
        if keys and isinstance(value, dict):
            found = ", ".join(f"`{key}`" for key in keys if key in value) or "none of them"
            yield Problem(path, f"exactly one of {', '.join(keys)}", found)
        elif schema.get("description"):
            yield Problem(path, schema["description"], shown(value))
        else:
            best = min((list(problems(option, value, root, path)) for option in options), key=_depth)
            yield from best


def _depth(found: list[Problem]) -> tuple[int, int]:
    """The option that comes closest: whose first problem lies deepest."""
    return (-max((len(problem.path) for problem in found), default=0), len(found))
