"""Shared informers: one always-fresh, indexed view of each resource, for all components.

Upstream's informers lag behind the API server and controllers keep "expectations" to live with that. Here
the view is updated in the same instant as the write, so reads are never stale; handlers only enqueue keys.
A handler that raises harms neither the write nor the other handlers: it is told again after a back-off.

Models k8s.io/client-go/tools/cache.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from typing import Any

from cluster_engine.apimachinery.cow import JSON, controller_of, key_of
from cluster_engine.etcd import Store, WatchEvent
from cluster_engine.sim.failures import backoff

Objects = list[JSON]  # a name of its own: inside the classes ``list`` is a method
IndexFunc = Callable[[JSON], Sequence[str]]
RETELL = "informer/retell"


def _owner(handler: Callable[..., None]) -> str:
    """The component that a handler belongs to."""
    name: str = getattr(getattr(handler, "__self__", None), "name", "")
    return name or handler.__module__.rpartition(".")[2]


class _Bucket:
    """The keys of one index value, sorted whatever the order of arrival."""

    __slots__ = ("keys", "owner")

    def __init__(self, owner: object, keys: Sequence[str] = ()) -> None:
        self.owner = owner
        self.keys = list(keys)


class _Index:
    """Buckets by index value. One that belongs to a fork too (another ``owner``) is copied before it is changed."""

    __slots__ = ("buckets", "owner", "values_of")

    def __init__(self, values_of: IndexFunc) -> None:
        self.values_of = values_of
        self.owner = object()
        self.buckets: dict[str, _Bucket] = {}

    def share(self, other: _Index) -> None:
        """Takes over what ``other`` holds."""
        self.buckets, self.owner, other.owner = other.buckets.copy(), object(), object()

    def _own(self, value: str) -> _Bucket:
        bucket = self.buckets.get(value)
        if bucket is None:
            bucket = self.buckets[value] = _Bucket(self.owner)
        elif bucket.owner is not self.owner:
            bucket = self.buckets[value] = _Bucket(self.owner, bucket.keys)
        return bucket

    def apply(self, key: str, old: JSON | None, new: JSON | None) -> None:
        before = self.values_of(old) if old is not None else ()
        after = self.values_of(new) if new is not None else ()
        if before == after:
            return
        for value in dict.fromkeys(before):
            if value not in after:
                keys = self._own(value).keys
                del keys[bisect_left(keys, key)]
                if not keys:
                    del self.buckets[value]
        for value in dict.fromkeys(after):
            if value not in before:
                insort(self._own(value).keys, key)


def _by_owner(obj: JSON) -> Sequence[str]:
    reference = controller_of(obj)
    return (reference["uid"],) if reference is not None else ()


def _by_namespace(obj: JSON) -> Sequence[str]:
    namespace = obj["metadata"].get("namespace")
    return (namespace,) if namespace else ()


def _by_node(obj: JSON) -> Sequence[str]:
    node = obj["spec"].get("nodeName")
    return (node,) if node else ()


class Informer:
    """The view of one resource. Lists are ordered by key."""

    def __init__(self, resource: str, store: Store) -> None:
        self.resource = resource
        self._store = store
        self._clock = store.clock
        self._indexes: dict[str, _Index] = {}
        self._on_add: list[Callable[[JSON], None]] = []
        self._on_update: list[Callable[[JSON, JSON], None]] = []
        self._on_delete: list[Callable[[JSON], None]] = []
        self.add_index("namespace", _by_namespace)
        self.add_index("owner", _by_owner)
        if resource == "pods":
            self.add_index("node", _by_node)
        store.subscribe(resource, self._event)

    def get(self, key: str) -> JSON | None:
        """The object of that key (``namespace/name`` or ``name``), or None."""
        return self._store.get(self.resource, key)

    def is_renewed(self, key: str) -> bool:
        """Whether the object is written again by itself, with nothing but the time changed, until further notice."""
        return self._store.is_renewed(self.resource, key)

    def list(self, namespace: str | None = None) -> Objects:
        return self._store.range(self.resource, namespace)

    def by_index(self, index: str, value: str) -> Objects:
        """The objects for which the index function gave ``value``. Raises KeyError for an unknown index."""
        bucket = self._indexes[index].buckets.get(value)
        return self._store.of_keys(self.resource, bucket.keys) if bucket is not None else []

    def count_by_index(self, index: str, value: str) -> int:
        bucket = self._indexes[index].buckets.get(value)
        return len(bucket.keys) if bucket is not None else 0

    def add_index(self, name: str, values_of: IndexFunc) -> None:
        """Adds an index; the same name again is ignored (components share informers)."""
        if name in self._indexes:
            return
        index = self._indexes[name] = _Index(values_of)
        for obj in self._store.range(self.resource):
            index.apply(key_of(obj), None, obj)

    def on(
        self,
        add: Callable[[JSON], None] | None = None,
        update: Callable[[JSON, JSON], None] | None = None,
        delete: Callable[[JSON], None] | None = None,
    ) -> None:
        """Adds handlers. They run inside the write and must only enqueue keys."""
        if add is not None:
            self._on_add.append(add)
        if update is not None:
            self._on_update.append(update)
        if delete is not None:
            self._on_delete.append(delete)

    def _event(self, event: WatchEvent) -> None:
        new, old = event.object, event.previous
        key = key_of(new)
        if event.type == "DELETED":
            for index in self._indexes.values():
                index.apply(key, old, None)
            for removed in self._on_delete:
                try:
                    removed(new)
                except Exception as error:
                    if not self._failed(removed, error, key, None, new):
                        raise
            return
        for index in self._indexes.values():
            index.apply(key, old, new)
        if old is None:
            for added in self._on_add:
                try:
                    added(new)
                except Exception as error:
                    if not self._failed(added, error, key, None, None):
                        raise
        else:
            for updated in self._on_update:
                try:
                    updated(old, new)
                except Exception as error:
                    if not self._failed(updated, error, key, old, None):
                        raise

    def _failed(
        self,
        handler: Callable[..., None],
        error: Exception,
        key: str,
        old: JSON | None,
        gone: JSON | None,
    ) -> bool:
        """Notes what a handler raised and has it told again. False: it must go through."""
        if not self._clock.failed(_owner(handler), f"{self.resource}/{key}", error):
            return False
        handlers: Sequence[Callable[..., None]]
        kind, handlers = "add", self._on_add
        if gone is not None:
            kind, handlers = "delete", self._on_delete
        elif old is not None:
            kind, handlers = "update", self._on_update
        place = next(i for i, known in enumerate(handlers) if known is handler)
        self._clock.call_later(backoff(0), RETELL, self.resource, kind, place, key, old, gone)
        return True

    def retell(self, kind: str, place: int, key: str, old: JSON | None, gone: JSON | None) -> None:
        """Tells a handler again what it failed at, about the object as it is by now."""
        if gone is not None:
            self._on_delete[place](gone)
            return
        new = self.get(key)
        if new is None or (old is not None and old["metadata"].get("uid") != new["metadata"].get("uid")):
            return  # deleted meanwhile, of which it was told
        if old is not None:
            self._on_update[place](old, new)
        else:
            self._on_add[place](new)

    def share(self, other: Informer) -> None:
        """Takes over the indexes of ``other``, whose store this informer's store shares."""
        for name, index in self._indexes.items():
            index.share(other._indexes[name])

    def rebuild(self) -> None:
        """Reads everything anew from the store, without calling handlers (after a restore)."""
        for index in self._indexes.values():
            index.buckets.clear()
            for obj in self._store.range(self.resource):
                index.apply(key_of(obj), None, obj)


class SharedInformerFactory:
    """One informer per resource, made on first use."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._informers: dict[str, Informer] = {}
        store.clock.register(RETELL, self._retell)

    def of(self, resource: str) -> Informer:
        """The informer of a group-resource such as ``pods`` or ``deployments.apps``."""
        informer = self._informers.get(resource)
        if informer is None:
            informer = self._informers[resource] = Informer(resource, self._store)
        return informer

    def _retell(self, resource: str, *event: Any) -> None:
        self.of(resource).retell(*event)

    def share(self, other: SharedInformerFactory) -> None:
        """Takes over what the informers of ``other`` know."""
        for resource, informer in other._informers.items():
            self.of(resource).share(informer)

    def rebuild(self) -> None:
        for informer in self._informers.values():
            informer.rebuild()
