"""Objects as bytes, kept while the object stands: a list of 1,000 Pods is a join, a watch frame a prefix.

The bytes are a comma and the object without kind and apiVersion, which is how list items look behind another one; the
two come first in every other place, as upstream's encoder writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.identity_cache import IdentityCache
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.etcd import Store

SLACK = 4_096
"""Entries beyond twice the number of stored objects that a cluster's cache may have."""


class ObjectBytes:
    """One cluster's serialised objects."""

    def __init__(self, store: Store, cache: IdentityCache) -> None:
        self._store = store
        self._cache = cache

    def _item(self, kind: Kind, obj: JSON) -> bytes:
        """A stored object as an item of its list that is not the first, in the version of ``kind``."""
        key = (kind, id(obj))
        known: bytes | None = self._cache.get(key)
        if known is not None:
            return known
        shown = kind.shown(obj)
        data = b"," + orjson.dumps(
            {name: value for name, value in shown.items() if name not in ("kind", "apiVersion")}
        )
        if not kind.passing:
            self._cache.limit = 2 * len(self._store) + SLACK
            self._cache.put(key, data, obj)
        return data

    def whole(self, kind: Kind, obj: JSON) -> bytes:
        """The object as it stands alone."""
        start = f'{{"kind":"{kind.kind}","apiVersion":"{kind.api_version}",'.encode()
        return start + self._item(kind, obj)[2:]

    def list(self, kind: Kind, objects: Sequence[JSON], meta: JSON) -> Iterator[bytes]:
        """A whole list, in pieces, none of which is a copy: joined, many megabytes are copied once."""
        yield (
            f'{{"kind":"{kind.list_kind}","apiVersion":"{kind.api_version}","metadata":'.encode()
            + orjson.dumps(meta)
            + b',"items":['
        )
        for obj in objects[:1]:
            yield self._item(kind, obj)[1:]
        for obj in objects[1:]:
            yield self._item(kind, obj)
        yield b"]}\n"
