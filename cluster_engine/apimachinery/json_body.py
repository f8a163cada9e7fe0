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
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen and name not in found.twice:
                found.twice.append(name)
            seen.add(name)
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


def load_json(body: bytes) -> tuple[Any, tuple[str, ...]]:
    """The value of a JSON body and the paths of keys that came twice. Raises DecodeError."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeError(_syntax_text(body, error)) from None
    if not isinstance(value, (dict, list)):
        return value, ()
    brackets = body.count(b"{") + body.count(b"[")
    if brackets > _MAX_BRACKETS_UNCHECKED and depth_exceeds(value):
        raise DecodeError("exceeded max depth")
    # Every key has a colon: when none is lost in printing the value again, no key came twice.
    if b"\\u003" in body or body.count(b":") != orjson.dumps(value).count(b":"):
        twice: list[str] = []
        if brackets > _MAX_BRACKETS_UNCHECKED and depth_exceeds(value):
            raise DecodeError("exceeded max depth")
        _find_twice(json.loads(body, object_pairs_hook=_pairs), "", twice)
        return value, tuple(twice)
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
