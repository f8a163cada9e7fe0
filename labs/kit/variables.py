"""Seeded variants: names and numbers drawn from the run's seed, and put into every text of a lab.

    variables:
      town: {of: [harbour, mill, observatory]}
      copies: {from: 3, to: 5}
      more: {plus: [copies, 2]}
      fault: {of: [{label: app, value: wbe}, {label: tier, value: back}]}    # {{fault.label}}

``{{town}}`` stands for the value in texts, files, scripts, set-up and checks. A check's value that is nothing but
``"{{copies}}"`` becomes the number itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cluster_engine.component_helpers.shapes import Path, Schema
from cluster_engine.sim import Chance

Values = Mapping[str, Any]

PLACE = re.compile(r"\{\{ *([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?) *\}\}")
WHOLE = r"^\{\{ *[a-z][a-z0-9_.]* *\}\}$"
"""A value that is nothing but a variable."""
_GO_TEMPLATES = ("end", "else")
"""What ``-o go-template`` writes in the same brackets."""
MAX_VARIABLES = 30
"""Variables of one lab."""

_SCALAR: Schema = {
    "anyOf": [{"type": "string"}, {"type": "integer"}],
    "description": "text or a whole number",
}

SCHEMA: Schema = {
    "type": "object",
    "maxProperties": MAX_VARIABLES,
    "description": "variables: name, then {of: [...]}, {from: 2, to: 5} or {plus: [other, 1]}",
    "additionalProperties": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "of": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "anyOf": [*_SCALAR["anyOf"], {"type": "object", "additionalProperties": _SCALAR}],
                    "description": "text, a whole number, or a mapping of them",
                },
                "description": "one of these is drawn",
            },
            "from": {"type": "integer"},
            "to": {"type": "integer"},
            "plus": {
                "type": "array",
                "minItems": 2,
                "items": _SCALAR,
                "description": "the sum of numbers and of variables named before",
            },
        },
        "oneOf": [{"required": ["of"]}, {"required": ["from"]}, {"required": ["plus"]}],
    },
}


def draw(lab: str, variables: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The values of one variant. Raises ValueError for a sum of what is no number."""
    chance, values = Chance(seed), dict[str, Any]()
    for name, rule in variables.items():
        dice = chance.of("variable", lab, name)
        if "of" in rule:
            values[name] = dice.choice(rule["of"])
        elif "plus" in rule:
            parts = [values.get(part) if isinstance(part, str) else part for part in rule["plus"]]
            if not all(isinstance(part, int) for part in parts):
                raise ValueError(f"numbers and variables before it that are numbers, found {rule['plus']!r}")
            values[name] = sum(parts)
        else:
            low, high = rule["from"], rule.get("to", rule["from"])
            values[name] = low + dice.randrange(max(high - low + 1, 1))
    return values


def put(text: str, values: Values) -> str:
    """The text with the values in their places; a place without a value stays."""
    return PLACE.sub(lambda match: str(look_up(match[1], values, match[0])), text) if "{{" in text else text


def put_everywhere(data: Any, values: Values) -> Any:
    """The data with the values in all its texts; a text that is nothing but a place becomes the value."""
    if isinstance(data, str):
        whole = PLACE.fullmatch(data)
        return look_up(whole[1], values, data) if whole else put(data, values)
    if isinstance(data, dict):
        return {put(key, values): put_everywhere(value, values) for key, value in data.items()}
    if isinstance(data, list):
        return [put_everywhere(item, values) for item in data]
    return data


def look_up(name: str, values: Values, default: Any) -> Any:
    """The value called ``name`` or ``name.part``."""
    first, _, part = name.partition(".")
    found = values.get(first, default)
    return found.get(part, default) if part and isinstance(found, dict) else found


def unknown(text: str, values: Values) -> list[tuple[int, str]]:
    """(line, from 1, and name) of each place of the text that has no value, in order."""
    return [
        (text.count("\n", 0, match.start()) + 1, match[1])
        for match in PLACE.finditer(text)
        if match[1] not in _GO_TEMPLATES and look_up(match[1], values, None) is None
    ]


def unknown_everywhere(data: Any, values: Values, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """(where, name) of each place without a value in all texts of the data."""
    if isinstance(data, str):
        yield from ((path, name) for _, name in unknown(data, values))
    if isinstance(data, (dict, list)):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from unknown_everywhere(value, values, (*path, key))
