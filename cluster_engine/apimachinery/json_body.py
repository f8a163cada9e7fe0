"""Reading JSON bodies: depth limit, keys that come twice, and encoding/json's words for syntax errors.

Models sigs.k8s.io/json.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

MAX_DEPTH = 120
"""Levels of nesting of a JSON body (Go stops at 10,000; no Kubernetes object comes near this)."""
_MAX_BRACKETS_UNCHECKED = MAX_DEPTH
MAX_KEYS = 20_000
"""Entries of one object. No Kubernetes object comes near it, and checking one costs a hundred times its bytes."""
MAX_ITEMS = 100_000
"""Items of one list, whatever it is (a list of a known type may have fewer)."""
MAX_BRACKETS = 150_000
"""Opening brackets of a body, those in texts included: an empty object of two bytes takes 72 in memory."""
MAX_STRICT_ERRORS = 100
"""Unknown fields, and keys that come twice, that are remembered; as upstream."""


class DecodeError(ValueError):
    """A body that cannot be read or does not fit its type; the text is Go's."""


class _Pairs(dict[str, Any]):
    """An object that remembers which of its keys came twice."""

    __slots__ = ("twice",)
    twice: list[str]


def _pairs(pairs: list[tuple[str, Any]]) -> _Pairs:
    found = _Pairs(pairs)
    found.twice = []
    if len(found) != len(pairs):
        found.clear()
        twice: dict[str, None] = {}
        for name, value in pairs:
            if name in found and len(twice) < MAX_STRICT_ERRORS:
                twice[name] = None
            found[name] = value
        found.twice = list(twice)
    return found


def _find_twice(value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, _Pairs):
        for name in value.twice:
            found.append(f"{path}.{name}" if path else name)
        for name, item in value.items():
            _find_twice(item, f"{path}.{name}" if path else name, found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _find_twice(item, f"{path}[{index}]", found)


def depth_exceeds(value: Any, limit: int = MAX_DEPTH) -> bool:
    """Whether a JSON value nests deeper than ``limit`` (walked level by level, without recursion)."""
    level = [value]
    for _ in range(limit + 1):
        level = [
            item
            for node in level
            for item in (node.values() if isinstance(node, dict) else node)
            if isinstance(item, (dict, list))
        ]
        if not level:
            return False
    return True


def _check_width(value: Any) -> None:
    """Before anything is done with a large object that takes many times its memory."""
    stack = [value]
    while stack:
        node = stack.pop()
        limit, what = (MAX_KEYS, "an object") if isinstance(node, dict) else (MAX_ITEMS, "a list")
        if len(node) > limit:
            raise DecodeError(f"{what} has {len(node)} entries, the limit is {limit}")
        inside = node.values() if isinstance(node, dict) else node
        stack.extend(item for item in inside if isinstance(item, (dict, list)))


def load_json(body: bytes) -> tuple[Any, tuple[str, ...]]:
    """The value of a JSON body and the paths of keys that came twice. Raises DecodeError."""
    brackets = body.count(b"{") + body.count(b"[")
    if brackets > MAX_BRACKETS:
        raise DecodeError(f"the body holds more than {MAX_BRACKETS} objects and lists")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeError(_syntax_text(body, error)) from None
    if not isinstance(value, (dict, list)):
        return value, ()
    if brackets > _MAX_BRACKETS_UNCHECKED and depth_exceeds(value):
        raise DecodeError("exceeded max depth")
    if len(body) > MAX_KEYS and body.count(b",") > MAX_KEYS:
        _check_width(value)
    # Every key has a colon: when none is lost in printing the value again, no key came twice.
    escaped = b"\\" in body and b"\\u003" in body
    if escaped or body.count(b":") != orjson.dumps(value).count(b":"):
        twice: list[str] = []
        _find_twice(json.loads(body, object_pairs_hook=_pairs), "", twice)
        return value, tuple(twice[:MAX_STRICT_ERRORS])
    return value, ()


def _syntax_text(body: bytes, error: orjson.JSONDecodeError) -> str:
    """encoding/json's words for the commonest syntax errors."""
    at = min(error.pos, len(body))
    stripped = body.rstrip()
    if not stripped or at >= len(stripped):
        return "unexpected end of JSON input"
    char = error.doc[at : at + 1] if isinstance(error.doc, str) else chr(body[at])
    shown = json.dumps(char, ensure_ascii=False)[1:-1]
    quoted = "'\\''" if char == "'" else f"'{shown}'"
    if at == len(body) - len(body.lstrip()):
        return f"invalid character {quoted} looking for beginning of value"
    return f"invalid character {quoted} in JSON input at byte {at}"
