"""Places in a value: what lies at a path, put there, taken away. No value is changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_engine.linux.programs.jq.values import Problem, kind, order

Path = list[Any]


def _bounds(key: Mapping[str, Any], size: int) -> tuple[int, int]:
    """A slice within so many items."""
    start, end = key.get("start"), key.get("end")
    if not all(each is None or kind(each) == "number" for each in (start, end)):
        raise Problem("Start and end indices of an array slice must be numbers")
    first = 0 if start is None else int(start // 1)
    last = size if end is None else -int(-end // 1)
    first = max(0, first + size) if first < 0 else min(first, size)
    last = max(0, last + size) if last < 0 else min(last, size)
    return first, max(first, last)


def index(base: Any, key: Any) -> Any:
    """`base[key]`. Raises Problem."""
    if isinstance(key, str) and isinstance(base, dict | None):
        return base.get(key) if base is not None else None
    if kind(key) == "number" and isinstance(base, list | None):
        if base is None:
            return None
        place = int(key // 1)
        return base[place] if -len(base) <= place < len(base) else None
    if isinstance(key, dict) and isinstance(base, list | str | None):
        if base is None:
            return None
        first, last = _bounds(key, len(base))
        return base[first:last]
    if isinstance(key, list) and isinstance(base, list):
        return [at for at in range(len(base)) if key and base[at : at + len(key)] == key]
    if isinstance(key, str):
        raise Problem(f'Cannot index {kind(base)} with "{key}"')
    raise Problem(f"Cannot index {kind(base)} with {kind(key)}")


def at(value: Any, path: Path) -> Any:
    """What lies at a path."""
    if not isinstance(path, list):
        raise Problem("Path must be specified as an array")
    for key in path:
        value = index(value, key)
    return value


MAX_INDEX = 100_000
"""Items that an assignment may make of an array."""


def put(value: Any, path: Path, fresh: Any) -> Any:
    """The value with something else at a path."""
    if not path:
        return fresh
    key, rest = path[0], path[1:]
    inner = put(index(value, key), rest, fresh)
    if isinstance(key, str):
        return {**(value or {}), key: inner}
    items = list(value or [])
    if isinstance(key, dict):
        if not isinstance(inner, list):
            raise Problem("A slice of an array can only be assigned another array")
        first, last = _bounds(key, len(items))
        return [*items[:first], *inner, *items[last:]]
    place = int(key // 1)
    if place < 0:
        place += len(items)
        if place < 0:
            raise Problem("Out of bounds negative array index")
    if place > MAX_INDEX:
        raise Problem("Array index too large")
    items += [None] * (place + 1 - len(items))
    items[place] = inner
    return items


def removed(value: Any, paths: list[Path]) -> Any:
    """The value without what lies at some paths: the last ones first."""
    for path in sorted(paths, key=order, reverse=True):
        value = _without(value, path)
    return value


def _without(value: Any, path: Path) -> Any:
    if value is None:
        return None
    if not path:
        return None
    key, rest = path[0], path[1:]
    if rest:
        inner = index(value, key)
        return value if inner is None else put(value, [key], _without(inner, rest))
    if isinstance(value, dict) and isinstance(key, str):
        return {name: each for name, each in value.items() if name != key}
    if isinstance(value, list) and isinstance(key, dict):
        first, last = _bounds(key, len(value))
        return [*value[:first], *value[last:]]
    if isinstance(value, list) and kind(key) == "number":
        place = int(key // 1)
        if -len(value) <= place < len(value):
            place %= len(value)
            return [*value[:place], *value[place + 1 :]]
        return value
    raise Problem(f"Cannot delete field at {kind(key)} index of {kind(value)}")
