"""JSON values as jq sees them: their order, their texts, their arithmetic."""

from __future__ import annotations

import functools
import json
import math
from typing import Any

MAX_TEXT = 1024 * 1024
"""Characters of one string."""
_RANK = {"null": 0, "boolean": 1, "number": 3, "string": 4, "array": 5, "object": 6}


class Problem(Exception):
    """An error of the running program; `value` is what `catch` gets."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


def kind(value: Any) -> str:
    """The type's name."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def truth(value: Any) -> bool:
    """Only null and false are false."""
    return value is not None and value is not False


def compare(a: Any, b: Any) -> int:
    """jq's order of all values: -1, 0, 1."""
    first, second = kind(a), kind(b)
    if first != second:
        return -1 if _RANK[first] < _RANK[second] else 1
    if first == "object":
        keys = compare(sorted(a), sorted(b))
        if keys:
            return keys
        return next((order for key in sorted(a) if (order := compare(a[key], b[key]))), 0)
    if first == "array":
        for one, two in zip(a, b, strict=False):
            order = compare(one, two)
            if order:
                return order
        return (len(a) > len(b)) - (len(a) < len(b))
    if first == "null":
        return 0
    return int(a > b) - int(a < b)


order = functools.cmp_to_key(compare)
"""For sorting."""


def shown(value: Any) -> str:
    """A value in an error message: short."""
    text = dump(value).encode("utf-8", "replace")
    return (text if len(text) <= 11 else text[:10]).decode("utf-8", "ignore") + "..." * (len(text) > 11)


def number(value: Any) -> Any:
    """A result of arithmetic: whole ones are integers."""
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            return 1.7976931348623157e308 if value > 0 else -1.7976931348623157e308
        if value.is_integer() and abs(value) < 1e17:
            return int(value)
    elif abs(value) >= 10**17:
        return float(value) if abs(value) < 10**308 else math.copysign(1.7976931348623157e308, value)
    return value


def dump(value: Any, indent: str | None = None, sort: bool = False, ascii_only: bool = False) -> str:
    """JSON text; `indent` of None is all in one line."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(
        value, indent=indent, separators=separators, ensure_ascii=ascii_only, sort_keys=sort, allow_nan=False
    )


def text(value: Any) -> str:
    """`tostring`: strings as they are."""
    return value if isinstance(value, str) else dump(value)


def combine(operator: str, a: Any, b: Any) -> Any:
    """`+ - * / %`. Raises Problem."""
    first, second = kind(a), kind(b)
    if first == second == "number":
        return _reckon(operator, a, b)
    if operator == "+":
        if a is None or b is None:
            return b if a is None else a
        if first == second == "string" and len(a) + len(b) > MAX_TEXT:
            raise Problem("the string would be too long")
        if first == second and first in ("string", "array"):
            return a + b
        if first == second == "object":
            return {**a, **b}
        raise Problem(f"{first} ({shown(a)}) and {second} ({shown(b)}) cannot be added")
    if operator == "-" and first == second == "array":
        return [each for each in a if not any(compare(each, other) == 0 for other in b)]
    if operator == "*" and {first, second} == {"string", "number"}:
        word, times = (a, b) if first == "string" else (b, a)
        if times <= 0:
            return None
        if len(word) * times > MAX_TEXT:
            raise Problem("the string would be too long")
        return word * max(1, int(times))
    if operator == "*" and first == second == "object":
        return _merged(a, b)
    if operator == "/" and first == second == "string":
        return a.split(b) if b else list(a)
    verb = {"-": "subtracted", "*": "multiplied", "/": "divided", "%": "divided"}[operator]
    raise Problem(f"{first} ({shown(a)}) and {second} ({shown(b)}) cannot be {verb}")


def _merged(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    result = dict(a)
    for key, value in b.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _reckon(operator: str, a: Any, b: Any) -> Any:
    if operator in "/%" and (b == 0 or (operator == "%" and int(b) == 0)):
        raise Problem(
            f"number ({shown(a)}) and number ({shown(b)}) cannot be divided because the divisor is zero"
        )
    match operator:
        case "+":
            return number(a + b)
        case "-":
            return number(a - b)
        case "*":
            return number(a * b)
        case "/":
            return number(a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b)
    result = abs(int(a)) % abs(int(b))
    return -result if a < 0 else result
