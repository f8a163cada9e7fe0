"""Shared informers: one always-fresh, indexed view of each resource, for all components.

Upstream's informers lag behind the API server and controllers keep "expectations" to live with that. Here
the view is updated in the same instant as the write, so reads are never stale; handlers only enqueue keys.
A handler that raises harms neither the write nor the other handlers: it is told again after a back-off.

What a write changed is found out once (`Change`), and a handler that names the kinds of owner that concern it is told
of no other object: a Pod's event reaches its own owner's controller.

Models k8s.io/client-go/tools/cache.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cluster_engine.apimachinery.cow import JSON, controller_of, key_of
from cluster_engine.client_go.change import Change
from cluster_engine.etcd import Store, WatchEvent
from cluster_engine.sim.failures import backoff

Objects = list[JSON]  # a name of its own: inside the classes ``list`` is a method
IndexFunc = Callable[[JSON], Sequence[str]]
RETELL = "informer/retell"
ORPHAN = ""
"""Stands among ``owners`` for objects that nobody controls."""
_ADD, _UPDATE, _DELETE = "add", "update", "delete"
_OTHER = "*"


@dataclass(slots=True)
class Handler:
    """Somebody who is told: of added and deleted objects, or of a Change."""

    tell: Callable[[Any], None]
    owners: frozenset[str] | None
    """Kinds of controllers whose objects concern it; None: all objects do."""

    @property
    def component(self) -> str:
        """The component that it belongs to."""
        name: str = getattr(getattr(self.tell, "__self__", None), "name", "")
        return name or self.tell.__module__.rpartition(".")[2]


class _Bucket:
    """The keys of one index value, sorted whatever the order of arrival."""

    __slots__ = ("keys", "owner")

    def __init__(self, owner: object, keys: Sequence[str] = ()) -> None:
        self.owner = owner
        self.keys = list(keys)


class _Index:
    """Buckets by index value. One that belongs to a fork too (another ``owner``) is copied before it is changed."""

    __slots__ = ("buckets", "owner", "parts", "values_of")

    def __init__(self, values_of: IndexFunc, parts: tuple[str, ...]) -> None:
        self.values_of = values_of
        self.parts = parts
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
        self._handlers: dict[str, list[Handler]] = {_ADD: [], _UPDATE: [], _DELETE: []}
        self._named: set[str] = set()  # the kinds of owner that any handler names
        self._routes: dict[tuple[str, str, str], list[Handler]] = {}
        self.add_index("namespace", _by_namespace, ())
        self.add_index("owner", _by_owner, ("owners",))
        if resource == "pods":
            self.add_index("node", _by_node, ("spec",))
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

    def add_index(self, name: str, values_of: IndexFunc, parts: Sequence[str]) -> None:
        """Adds an index; the same name again is ignored (components share informers).

        ``parts`` are the parts of a Change that the values depend on, beyond what never changes.
        """
        if name in self._indexes:
            return
        index = self._indexes[name] = _Index(values_of, tuple(parts))
        for obj in self._store.range(self.resource):
            index.apply(key_of(obj), None, obj)

    def on(
        self,
        add: Callable[[JSON], None] | None = None,
        update: Callable[[Change], None] | None = None,
        delete: Callable[[JSON], None] | None = None,
        owners: Sequence[str] | None = None,
    ) -> None:
        """Adds handlers. They run inside the write and must only enqueue keys.

        ``owners``: only objects that a controller of these kinds has (or had, before an update); ORPHAN: nobody.
        """
        kinds = frozenset(owners) if owners is not None else None
        self._named |= kinds or set()
        self._routes.clear()
        for what, tell in ((_ADD, add), (_UPDATE, update), (_DELETE, delete)):
            if tell is not None:
                self._handlers[what].append(Handler(tell, kinds))

    def _event(self, event: WatchEvent) -> None:
        new, old = event.object, event.previous
        key = key_of(new)
        told: JSON | Change = new
        if event.type == "DELETED":
            what = _DELETE
            former = owner = self._owner_kind(new)
            for index in self._indexes.values():
                index.apply(key, old, None)
        elif old is None:
            what = _ADD
            former = owner = self._owner_kind(new)
            for index in self._indexes.values():
                index.apply(key, None, new)
        else:
            what, told = _UPDATE, Change(key, old, new)
            owner = self._owner_kind(new)
            former = self._owner_kind(old) if told.owners else owner
            for index in self._indexes.values():
                for part in index.parts:
                    if getattr(told, part):
                        index.apply(key, old, new)
                        break
        route = self._routes.get((what, former, owner))
        for handler in self._route(what, former, owner) if route is None else route:
            try:
                handler.tell(told)
            except Exception as error:
                if not self._clock.failed(handler.component, f"{self.resource}/{key}", error):
                    raise
                self._tell_again(what, handler, key, old, new)

    def _owner_kind(self, obj: JSON) -> str:
        """The kind of an object's controller, as far as any handler names it."""
        if not self._named:
            return _OTHER
        reference = controller_of(obj)
        if reference is None:
            return ORPHAN
        kind: str = reference["kind"]
        return kind if kind in self._named else _OTHER

    def _route(self, what: str, former: str, owner: str) -> Sequence[Handler]:
        """Who is told of such an event, in the order of registration."""
        found = self._routes[what, former, owner] = [
            handler
            for handler in self._handlers[what]
            if handler.owners is None or former in handler.owners or owner in handler.owners
        ]
        return found

    def _tell_again(self, what: str, handler: Handler, key: str, old: JSON | None, new: JSON) -> None:
        """Has a handler that failed told again, after its back-off."""
        place = next(i for i, known in enumerate(self._handlers[what]) if known is handler)
        args = (key, old if what == _UPDATE else None, new if what == _DELETE else None)
        self._clock.call_later(backoff(0), RETELL, self.resource, what, place, *args)

    def retell(self, what: str, place: int, key: str, old: JSON | None, gone: JSON | None) -> None:
        """Tells a handler again what it failed at, about the object as it is by now."""
        tell, new = self._handlers[what][place].tell, self.get(key)
        if gone is not None:
            tell(gone)
        elif new is None or (old is not None and old["metadata"].get("uid") != new["metadata"].get("uid")):
            return  # deleted meanwhile, of which it was told
        else:
            tell(new if old is None else Change(key, old, new))

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
