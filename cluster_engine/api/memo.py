"""Remembering what was already found valid.

A thousand Pods made from one template share its probes, environment and ports by reference, and nobody may
change a shared object. So what was checked once is recognised by identity. The memo keeps the object alive,
hence an identity cannot be taken over by another object while it is remembered.
"""

from __future__ import annotations

from typing import Any

_LIMIT = 4096


class Memo:
    """A bounded set of objects, by identity."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[int, Any] = {}

    def has(self, value: Any) -> bool:
        """Whether this very object was added."""
        return self._seen.get(id(value)) is value

    def add(self, value: Any) -> None:
        """Remember the object; a full memo starts anew."""
        if len(self._seen) >= _LIMIT:
            self._seen.clear()
        self._seen[id(value)] = value


class MemoMap:
    """A bounded map from an object, by identity, to what was made from it."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Any, Any]] = {}

    def get(self, value: Any) -> Any:
        """What was made from this very object, or None."""
        found = self._seen.get(id(value))
        return found[1] if found is not None and found[0] is value else None

    def put(self, value: Any, made: Any) -> None:
        """Remember what was made from the object; a full map starts anew."""
        if len(self._seen) >= _LIMIT:
            self._seen.clear()
        self._seen[id(value)] = (value, made)
