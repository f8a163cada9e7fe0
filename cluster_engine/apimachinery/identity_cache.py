"""What was found out about objects, found again by the very objects.

A thousand Pods of one template share its parts by reference, and nobody may change a shared object. So what was
checked, defaulted, encoded or counted once is recognised by identity. An entry keeps its objects alive, hence no
other object can come to have an id that stands in a key.

Content alone decides what is remembered, so remembering changes no result: a cluster, its forks and its
neighbours in one process may share `RULE_CACHE`, where a fork finds what its original found out. What belongs to one
cluster (bytes, field sets) is in a cache of its own (`Registry.cache`).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


class IdentityCache:
    """A bounded map from keys that hold ids of objects to what was made from the objects, never None.

    It has two generations: when the young one is full, the old one goes and the young one ages. What is asked
    for stays young, so nothing that is in use is lost with the rest.
    """

    __slots__ = ("_old", "_young", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        """Entries of both generations together."""
        self._young: dict[Hashable, tuple[Any, ...]] = {}
        self._old: dict[Hashable, tuple[Any, ...]] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: Hashable) -> Any:
        """What was made, or None."""
        found = self._young.get(key)
        if found is not None:
            return found[0]
        found = self._old.pop(key, None)
        if found is None:
            return None
        self._add(key, found)
        return found[0]

    def put(self, key: Hashable, made: Any, *held: Any) -> None:
        """Remember what was made from ``held``, the objects whose ids stand in the key."""
        self._add(key, (made, *held))

    def of(self, what: str, obj: Any) -> Any:
        """What was made of one object, or None."""
        return self.get((what, id(obj)))

    def keep(self, what: str, obj: Any, made: Any = True) -> None:
        """Remember what was made of one object."""
        self._add((what, id(obj)), (made, obj))

    def clear(self) -> None:
        """Forget everything."""
        self._young.clear()
        self._old.clear()

    def _add(self, key: Hashable, entry: tuple[Any, ...]) -> None:
        if 2 * len(self._young) >= self.limit:
            self._old, self._young = self._young, {}
        self._young[key] = entry


RULE_CACHE_LIMIT = 32_768
"""Entries of ``RULE_CACHE``; a Pod's template has about twenty."""

RULE_CACHE = IdentityCache(RULE_CACHE_LIMIT)
"""What the rules of kinds found out about parts of objects: pure functions of them."""
