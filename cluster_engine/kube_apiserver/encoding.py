"""Objects as bytes, kept while the object stands: a list of 1,000 Pods is a join, a watch frame a prefix.

The bytes are those of the object without kind and apiVersion, which is how list items look; the two come
first in every other place, as upstream's encoder writes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.etcd import Store

_SLACK = 1_000  # entries beyond twice the number of stored objects before the cache starts anew


class ObjectBytes:
    """One cluster's cache of serialised objects."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # By identity: an entry holds its object, so no other object can have its id while it is kept.
        self._cache: dict[int | tuple[int, Kind], tuple[JSON, bytes]] = {}

    def item(self, kind: Kind, obj: JSON) -> bytes:
        """A stored object as an item of its list, in the version of ``kind``."""
        key = id(obj) if kind.form is None else (id(obj), kind)
        found = self._cache.get(key)
        if found is not None:
            return found[1]
        shown = kind.shown(obj)
        data = orjson.dumps(
            {name: value for name, value in shown.items() if name not in ("kind", "apiVersion")}
        )
        if len(self._cache) > 2 * len(self._store) + _SLACK:
            self._cache.clear()
        self._cache[key] = (obj, data)
        return data

    def whole(self, kind: Kind, obj: JSON) -> bytes:
        """The object as it stands alone."""
        item = self.item(kind, obj)
        start = f'{{"kind":"{kind.kind}","apiVersion":"{kind.api_version}"'.encode()
        return start + (b"," + item[1:] if item != b"{}" else b"}")

    def list(self, kind: Kind, objects: Sequence[JSON], meta: JSON) -> bytes:
        """A whole list."""
        start = (
            f'{{"kind":"{kind.list_kind}","apiVersion":"{kind.api_version}","metadata":'.encode()
            + orjson.dumps(meta)
            + b',"items":['
        )
        # One join, so that four megabytes are copied once.
        items = [self.item(kind, obj) for obj in objects] or [b""]
        items[0] = start + items[0]
        items[-1] += b"]}\n"
        return b",".join(items)
