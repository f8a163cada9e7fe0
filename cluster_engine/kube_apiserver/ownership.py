"""managedFields of objects that components create by the thousand, without walking each of them.

Which fields a create owns follows from the object's shape alone: the names that are there, which values are
empty, and the keys of its lists. A thousand Pods of one template share the parts of their spec by reference
and differ in values, not in shape; so do the Events of one component. The first one is walked, the others
look it up.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from cluster_engine.apimachinery import managed_fields
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.identity_cache import IdentityCache
from cluster_engine.apimachinery.schema import Struct


class _NoShape(Exception):
    """The object has a list whose keys this does not look at."""


class CreateOwners:
    """Remembers the field sets of creates. Content alone decides, so remembering changes no result."""

    def __init__(self, cache: IdentityCache) -> None:
        self._cache = cache
        self._second = ""
        # The managedFields of that second, by the id of the entry that they repeat.
        self._made: dict[int, tuple[JSON, list[JSON]]] = {}

    def own(
        self,
        obj: JSON,
        *,
        manager: str,
        schema: Struct,
        time: str,
        reset: tuple[str, ...],
        shape: Hashable = None,
    ) -> JSON:
        """`obj` with the managedFields of its creation by `manager`; `shape` when the caller knows it already.

        Nobody else has its metadata: they get the field.
        """
        try:
            key = (manager, obj["kind"], obj["apiVersion"], _shape(obj) if shape is None else shape)
        except _NoShape:
            return managed_fields.update(None, obj, manager=manager, schema=schema, time=time, reset=reset)
        known = self._cache.get(key)
        if known is not None:
            obj["metadata"]["managedFields"] = self._entries(known, time)
            return obj
        made = managed_fields.update(None, obj, manager=manager, schema=schema, time=time, reset=reset)
        entries = made["metadata"].get("managedFields")
        if entries is not None and len(entries) == 1:
            # The spec holds the parts whose ids stand in the shape.
            self._cache.put(key, entries[0], obj.get("spec"))
        return made

    def _entries(self, known: JSON, time: str) -> list[JSON]:
        """The managedFields of all that are created alike in one second."""
        if time != self._second:
            self._second, self._made = time, {}
        made = self._made.get(id(known))
        if made is None or made[0] is not known:
            made = self._made[id(known)] = known, [{**known, "time": time}]
        return made[1]


def _shape(obj: JSON) -> tuple[Any, ...]:
    """Everything that decides the field set. The parts of the spec are recognised by identity."""
    shape: list[Any] = []
    for name, value in obj.items():
        shape.append(name)
        if name == "metadata":
            shape.append(_meta_shape(value))
        elif name == "spec" and isinstance(value, dict):
            shape.append(tuple([(part, _part_shape(item)) for part, item in value.items()]))
        else:
            shape.append(_value_shape(value))
    return tuple(shape)


def _part_shape(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return id(value)
    return None if value is None else not value


def _meta_shape(meta: JSON) -> tuple[Any, ...]:
    if "managedFields" in meta:
        raise _NoShape
    owners = meta.get("ownerReferences")
    if owners is None:
        return _dict_shape(meta)
    rest = {name: value for name, value in meta.items() if name != "ownerReferences"}
    return *_dict_shape(rest), *[reference.get("uid") for reference in owners]


def _value_shape(value: Any) -> Any:
    if isinstance(value, dict):
        return _dict_shape(value)
    if isinstance(value, list):
        raise _NoShape
    return None if value is None else not value


def _dict_shape(value: JSON) -> tuple[Any, ...]:
    # Most values are texts: they are told apart first, and names and shapes lie side by side in one tuple.
    shape: list[Any] = []
    for name, item in value.items():
        shape.append(name)
        shape.append(not item if item.__class__ is str else _value_shape(item))
    return tuple(shape)


def same_but_times(new: JSON, old: JSON) -> bool:
    """Whether an update that shares what it leaves (cow.sharing) changes nothing but times in managedFields."""
    meta, before = new["metadata"], old["metadata"]
    if not (_same_but(new, old, "metadata") and _same_but(meta, before, "managedFields")):
        return False
    times = [[{**entry, "time": ""} for entry in m.get("managedFields") or ()] for m in (meta, before)]
    return bool(times[0] == times[1])


def _same_but(new: JSON, old: JSON, left_out: str) -> bool:
    if len(new) != len(old):
        return False
    for name, value in new.items():  # noqa: SIM110  (a generator takes twice as long)
        if value is not old.get(name) and name != left_out:
            return False
    return True
