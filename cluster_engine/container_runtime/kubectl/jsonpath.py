"""JSONPath templates as kubectl has them: ``{.items[*].metadata.name}``, ``{range …}…{end}``, ``[?(@.x=="y")]``.

Models k8s.io/client-go/util/jsonpath, without functions, unions and regular expressions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from cluster_engine.container_runtime import go_json

MAX_TEMPLATE = 4_096
"""Characters of a template."""
MAX_NESTING = 20
"""``range`` within ``range``."""
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "/": "/"}


class Bad(Exception):
    """A template that cannot be read."""


class Unmet(Bad):
    """A template that does not fit the object."""


def rendered(template: str, value: Any) -> str:
    """What a template makes of a value. Raises Bad."""
    if len(template) > MAX_TEMPLATE:
        raise Bad(f"a template of more than {MAX_TEMPLATE} characters is not read here")
    pieces = list(_pieces(template if "{" in template else f"{{{template}}}"))
    text, end = _block(pieces, 0, value, 0)
    if end != len(pieces):
        raise Bad("not in range, nothing to end")
    return text


def found(path: str, value: Any) -> list[Any]:
    """What a path such as ``.status.conditions[*].type`` leads to. Raises Bad."""
    return _walk(path.strip().removeprefix("$"), [value])


def _pieces(template: str) -> Iterator[tuple[str, str]]:
    """("text", as it is) and ("action", what stands between braces)."""
    at = 0
    while at < len(template):
        begin = template.find("{", at)
        if begin < 0:
            begin = len(template)
        if begin > at:
            yield "text", template[at:begin]
        if begin == len(template):
            return
        end, quote = begin + 1, ""
        while end < len(template) and (quote or template[end] != "}"):
            char = template[end]
            if char == "\\" and quote:
                end += 1
            elif char in "\"'":
                quote = "" if quote == char else quote or char
            end += 1
        if end >= len(template):
            raise Bad("unclosed action")
        yield "action", template[begin + 1 : end].strip()
        at = end + 1


def _block(pieces: list[tuple[str, str]], at: int, value: Any, depth: int) -> tuple[str, int]:
    """The text up to the end of a range, or of all; and where that is."""
    out: list[str] = []
    while at < len(pieces):
        kind, text = pieces[at]
        if kind == "text":
            out.append(text)
        elif text == "end":
            return "".join(out), at
        elif text.startswith("range"):
            if depth >= MAX_NESTING:
                raise Bad(f"ranges nested more than {MAX_NESTING} deep are not read here")
            items = found(text.removeprefix("range"), value)
            stop = _end(pieces, at + 1)
            out += [_block(pieces, at + 1, item, depth + 1)[0] for item in items]
            at = stop
        elif text.startswith(('"', "'")):
            out.append(_literal(text))
        else:
            out.append(" ".join(shown(each) for each in found(text, value)))
        at += 1
    if depth:
        raise Bad("unterminated range")
    return "".join(out), at


def _end(pieces: list[tuple[str, str]], at: int) -> int:
    depth = 1
    for index in range(at, len(pieces)):
        kind, text = pieces[index]
        if kind == "action":
            depth += text.startswith("range") - (text == "end")
            if not depth:
                return index
    raise Bad("unterminated range")


def _literal(text: str) -> str:
    if len(text) < 2 or text[-1] != text[0]:
        raise Bad("unterminated quoted string")
    out, at = [], 1
    while at < len(text) - 1:
        if text[at] == "\\":
            at += 1
            out.append(_ESCAPES.get(text[at], text[at]))
        else:
            out.append(text[at])
        at += 1
    return "".join(out)


def shown(value: Any) -> str:
    """A value as a template prints it."""
    if isinstance(value, str):
        return value
    return go_json.marshal(value)


def _walk(path: str, values: list[Any]) -> list[Any]:
    while path:
        if path.startswith(".."):
            raise Bad("recursive descent (..) is not simulated here; a real kubectl has it")
        if path[0] in ".@":
            path = path[1:]
        elif path[0] == "[":
            inside, path = _bracket(path)
            values = _picked(inside, values)
        else:
            name, path = _name(path)
            values = (
                _picked("*", values)
                if name == "*"
                else [v[name] for v in values if isinstance(v, dict) and name in v]
            )
    return values


def _name(path: str) -> tuple[str, str]:
    """A field's name, in which a backslash makes a dot part of it; and what follows."""
    out, at = [], 0
    while at < len(path) and path[at] not in ".[":
        if path[at] == "\\" and at + 1 < len(path):
            at += 1
        out.append(path[at])
        at += 1
    return "".join(out), path[at:]


def _bracket(path: str) -> tuple[str, str]:
    depth, quote = 0, ""
    for at, char in enumerate(path):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "[]":
            depth += 1 if char == "[" else -1
            if not depth:
                return path[1:at].strip(), path[at + 1 :]
    raise Bad("unterminated array")


def _picked(inside: str, values: list[Any]) -> list[Any]:
    lists = [value for value in values if isinstance(value, list)]
    if inside == "*":
        maps = [list(value.values()) for value in values if isinstance(value, dict)]
        return [item for value in (*lists, *maps) for item in value]
    if inside.startswith("?(") and inside.endswith(")"):
        left, operator, right = _condition(inside[2:-1])
        return [item for value in lists for item in value if _holds(_walk(left, [item]), operator, right)]
    if inside[:1] in "\"'":
        name = _literal(inside)
        return [value[name] for value in values if isinstance(value, dict) and name in value]
    if inside.lstrip("-").isdecimal() and len(inside) < 10:
        at = int(inside)
        out = [value[at] for value in lists if -len(value) <= at < len(value)]
        if not out and lists:
            raise Unmet(f"array index out of bounds: index {at}, length {len(lists[0])}")
        return out
    begin, colon, end = inside.partition(":")
    if colon and all(part.strip().lstrip("-").isdecimal() or not part.strip() for part in (begin, end)):
        low, high = (int(part) if part.strip() else None for part in (begin, end))
        return [item for value in lists for item in value[low:high]]
    raise Bad(f"invalid array index {inside}")


def _condition(text: str) -> tuple[str, str, Any]:
    for operator in ("==", "!="):
        left, mark, right = text.partition(operator)
        if mark:
            right = right.strip()
            if right[:1] in "\"'":
                return left.strip(), operator, _literal(right)
            try:
                return left.strip(), operator, orjson.loads(right)
            except orjson.JSONDecodeError:
                raise Bad(f"unrecognized identifier {right}") from None
    return text.strip(), "", None


def _holds(left: list[Any], operator: str, right: Any) -> bool:
    if not operator:
        return bool(left)
    return bool(left) and (left[0] == right) == (operator == "==")
