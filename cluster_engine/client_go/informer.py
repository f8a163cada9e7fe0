"""Shared informers: one always-fresh, indexed view of each resource, for all components.

Upstream's informers lag behind the API server and controllers keep "expectations" to live with that. Here
the view is updated in the same instant as the write, so reads are never stale; handlers only enqueue keys.
A handler that raises harms neither the write nor the other handlers: it is told again after a back-off.

What a write changed is found out once (`Change`), and a handler that names the kinds of owner that concern it is told
of no other object: a Pod's event reaches its own owner's controller.

Each component has its own `Informer` of the shared one, as a `Reader`: an identity that must be allowed to list and
watch. One that may not (any more) stands still: it shows what it saw last and is told of nothing. When it may again, it
is told of all that it missed.

Models k8s.io/client-go/tools/cache.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cluster_engine.apimachinery.cow import JSON, controller_of, key_of
from cluster_engine.client_go.change import Change
from cluster_engine.client_go.reader import Reader
from cluster_engine.etcd import Store, WatchEvent
from cluster_engine.kube_apiserver.authorization import AuthorizerChain
from cluster_engine.sim.failures import backoff

Objects = list[JSON]  # a name of its own: inside the classes ``list`` is a method
IndexFunc = Callable[[JSON], Sequence[str]]
RETELL = "informer/retell"
RELIST = "informer/relist"
RELIST_FIRST, RELIST_LAST = 0.8, 30.0
"""Seconds until a refused list is tried again; each further wait is twice as long, up to the last.

Models the back-off of k8s.io/client-go/tools/cache/reflector.go.
"""
ORPHAN = ""
"""Stands among ``owners`` for objects that nobody controls."""
_ADD, _UPDATE, _DELETE = "add", "update", "delete"
_PLACES = {_ADD: 0, _UPDATE: 1, _DELETE: 2}
_OTHER = "*"


Tell = Callable[[Any], None]
Handler = tuple[Tell, frozenset[str] | None, str]
"""Somebody who is told, of added and deleted objects, or of a Change; the kinds of controllers whose objects concern it
(None: all objects do); and as whom it reads ("": nobody asks)."""
Registered = tuple[Tell | None, Tell | None, Tell | None, frozenset[str] | None, str]
"""Handlers of added, updated and deleted objects that came together. Every fork makes hundreds, so they are plain."""


def _component(tell: Tell) -> str:
    """The component that a handler belongs to."""
    name: str = getattr(getattr(tell, "__self__", None), "name", "")
    return name or tell.__module__.rpartition(".")[2]


class _Bucket:
    """The keys of one index value, sorted whatever the order of arrival."""

    __slots__ = ("keys", "owner")

    def __init__(self, owner: object, keys: Sequence[str] = ()) -> None:
        self.owner = owner
        self.keys = list(keys)


class _Index:
    """Buckets by index value. One that belongs to a fork too (another ``owner``) is copied before it is changed."""

    __slots__ = ("buckets", "owner", "parts", "values_of")

    def __init__(self, values_of: IndexFunc, parts: tuple[str, ...], other: _Index | None = None) -> None:
        """``other``: what it takes over."""
        self.values_of = values_of
        self.parts = parts
        self.owner = object()
        self.buckets: dict[str, _Bucket] = {}
        if other is not None and other.buckets:
            self.buckets, other.owner = other.buckets.copy(), object()

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
        for value in dict.fromkeys(before) if before else ():
            if value not in after:
                keys = self._own(value).keys
                del keys[bisect_left(keys, key)]
                if not keys:
                    del self.buckets[value]
        for value in dict.fromkeys(after) if after else ():
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


_OF_ALL: Mapping[str, tuple[IndexFunc, tuple[str, ...]]] = {
    "namespace": (_by_namespace, ()),
    "owner": (_by_owner, ("owners",)),
}
"""The indexes of every resource: what the values are, and on which parts of a Change they depend."""
_OF_PODS = {**_OF_ALL, "node": (_by_node, ("spec",))}


class Informer:
    """The view of one resource that a reader has. Lists are ordered by key."""

    # A cluster has some 75 of them: what is asked most is kept bound, the rest is found when it is asked.
    __slots__ = ("_reader", "_shared", "_view", "by_index", "get")

    def __init__(self, shared: SharedInformer, reader: Reader | None) -> None:
        self._shared = shared
        self._reader = reader
        self._view: SharedInformer | _Still = shared
        self.get, self.by_index = shared.get, shared.by_index

    def show(self, view: SharedInformer | _Still) -> None:
        """Reads are answered by that one from now on."""
        self._view, self.get, self.by_index = view, view.get, view.by_index

    @property
    def resource(self) -> str:
        """The group-resource."""
        return self._shared.resource

    def list(self, namespace: str | None = None) -> Objects:
        """All objects, or those of a namespace."""
        return self._view.list(namespace)

    def count_by_index(self, index: str, value: str) -> int:
        """How many `by_index` gives."""
        return self._view.count_by_index(index, value)

    def is_renewed(self, key: str) -> bool:
        """Whether the object is written again by itself, with nothing but the time changed, until further notice."""
        return self._shared.is_renewed(key)

    def add_index(self, name: str, values_of: IndexFunc, parts: Sequence[str]) -> None:
        """As `SharedInformer.add_index`."""
        self._shared.add_index(name, values_of, parts)

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
        self._shared.on(add, update, delete, owners, self._reader.name if self._reader is not None else "")


class _Still:
    """What a reader saw last: the shared informer's objects, but those that were changed since as they were."""

    def __init__(self, shared: SharedInformer, missed: dict[str, JSON | None]) -> None:
        self._shared = shared
        self.missed = missed

    def get(self, key: str) -> JSON | None:
        return self.missed[key] if key in self.missed else self._shared.get(key)

    def list(self, namespace: str | None = None) -> Objects:
        found = {key_of(obj): obj for obj in self._shared.list()}
        found |= {key: obj for key, obj in self.missed.items() if obj is not None}
        gone = {key for key, obj in self.missed.items() if obj is None}
        prefix = f"{namespace}/" if namespace else ""
        return [found[key] for key in sorted(found) if key not in gone and key.startswith(prefix)]

    def by_index(self, index: str, value: str) -> Objects:
        values_of = self._shared.values_of(index)
        return [obj for obj in self.list() if value in values_of(obj)]

    def count_by_index(self, index: str, value: str) -> int:
        return len(self.by_index(index, value))


class SharedInformer:
    """The view of one resource that all readers share. Lists are ordered by key."""

    def __init__(self, resource: str, store: Store) -> None:
        self.resource = resource
        self._store = store
        self._clock = store.clock
        self._declared = _OF_PODS if resource == "pods" else _OF_ALL
        self._indexes: dict[str, _Index] = {}  # those that somebody has asked
        self._lent = (
            False  # whether a fork has these very indexes, so that they are copied before they are changed
        )
        self._registered: list[Registered] = []
        self._named: frozenset[str] = frozenset()  # the kinds of owner that any handler names
        self._routes: dict[tuple[str, str, str], list[Handler]] = {}
        self._authorizer: AuthorizerChain | None = None
        self._readers: dict[str, Reader] = {}
        self._views: dict[str, Informer] = {}
        self._asked_at = -1
        self._still: dict[str, _Still] = {}  # by the names of readers that may not read
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
        bucket = self._index(index).buckets.get(value)
        return self._store.of_keys(self.resource, bucket.keys) if bucket is not None else []

    def count_by_index(self, index: str, value: str) -> int:
        bucket = self._index(index).buckets.get(value)
        return len(bucket.keys) if bucket is not None else 0

    def _index(self, name: str) -> _Index:
        """The index, made when it is asked for the first time. Raises KeyError."""
        found = self._indexes.get(name)
        if found is None:
            if self._lent:
                self._own_indexes()
            found = self._indexes[name] = _Index(*self._declared[name])
            for obj in self._store.range(self.resource):
                found.apply(key_of(obj), None, obj)
        return found

    def _own_indexes(self) -> None:
        self._indexes = {
            name: _Index(*self._declared[name], index)
            for name, index in self._indexes.items()
            if name in self._declared
        }
        self._lent = False

    def values_of(self, index: str) -> IndexFunc:
        """What an index goes by. Raises KeyError."""
        return self._declared[index][0]

    def view(self, reader: Reader | None) -> Informer:
        """A reader's informer."""
        if reader is None:
            return Informer(self, None)
        found = self._views.get(reader.name)
        if found is None:
            self._readers[reader.name], self._authorizer = reader, reader.authorizer
            found = self._views[reader.name] = Informer(self, reader)
            self._asked_at = -1
            if self._clock.halts and reader.halted:
                self._stand_still(reader.name, {})
        return found

    def add_index(self, name: str, values_of: IndexFunc, parts: Sequence[str]) -> None:
        """Adds an index; the same name again is ignored (components share informers).

        ``parts`` are the parts of a Change that the values depend on, beyond what never changes.
        """
        if name not in self._declared:
            self._declared = {**self._declared, name: (values_of, tuple(parts))}

    def on(
        self,
        add: Callable[[JSON], None] | None = None,
        update: Callable[[Change], None] | None = None,
        delete: Callable[[JSON], None] | None = None,
        owners: Sequence[str] | None = None,
        reader: str = "",
    ) -> None:
        """As `Informer.on`, for the reader of that name."""
        kinds = None
        if owners is not None:
            kinds = frozenset(owners)
            self._named |= kinds
        self._routes.clear()
        self._registered.append((add, update, delete, kinds, reader))

    def _handlers(self, what: str) -> Sequence[Handler]:
        """Those of one sort of event, in the order of registration."""
        place = _PLACES[what]
        return [
            (tell, each[3], each[4]) for each in self._registered if (tell := each[:3][place]) is not None
        ]

    def _event(self, event: WatchEvent) -> None:
        new, old = event.object, event.previous
        key = key_of(new)
        returning = self._ask()
        if self._lent:
            self._own_indexes()
        for still in self._still.values():
            still.missed.setdefault(key, old)
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
        self._tell(self._route(what, former, owner) if route is None else route, what, told, key, old, new)
        for name in returning:
            self._go_on(name)  # told of this event too, as of one that it has missed

    def _tell(
        self, handlers: Sequence[Handler], what: str, told: Any, key: str, old: JSON | None, new: JSON
    ) -> None:
        for handler in handlers:
            try:
                handler[0](told)
            except Exception as error:
                if not self._clock.failed(_component(handler[0]), f"{self.resource}/{key}", error):
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
            for handler in self._handlers(what)
            for _tell, owners, reader in (handler,)
            if (owners is None or former in owners or owner in owners) and reader not in self._still
        ]
        return found

    # ---- who may read ----------------------------------------------------------------------------------

    def _ask(self) -> Sequence[str]:
        """When the authorizers have changed each reader is asked for again; who stood still and may read again."""
        if self._authorizer is None or self._authorizer.generation == self._asked_at:
            return ()
        self._asked_at = self._authorizer.generation
        returning = []
        for name, reader in self._readers.items():
            if reader.halted:
                continue
            refusal = reader.refusal(self.resource)
            if refusal and name not in self._still:
                self._stand_still(name, {})
                self._refused(reader, refusal, 0)
            elif not refusal and name in self._still:
                returning.append(name)
        return returning

    def relist(self, name: str, attempt: int) -> None:
        """Clock event: a reader that was refused tries again."""
        reader = self._readers[name]
        refusal = reader.refusal(self.resource)
        if name not in self._still or reader.halted:
            return
        if refusal:
            self._refused(reader, refusal, attempt)
        else:
            self._go_on(name)

    def halt(self, process: str) -> None:
        """The process's readers stand still."""
        for name, reader in self._readers.items():
            if reader.process == process and name not in self._still:
                self._stand_still(name, {})

    def resume(self, process: str) -> None:
        """The process lists and watches again, if it may."""
        for name, reader in self._readers.items():
            if reader.process == process and name in self._still:
                self.relist(name, 0)

    def _refused(self, reader: Reader, refusal: str, attempt: int) -> None:
        reader.log(self.resource, refusal)
        seconds = min(RELIST_FIRST * (1 << min(attempt, 10)), RELIST_LAST)
        self._clock.call_later(seconds, RELIST, self.resource, reader.name, attempt + 1, background=True)

    def _stand_still(self, name: str, missed: dict[str, JSON | None]) -> None:
        self._still[name] = _Still(self, missed)
        self._views[name].show(self._still[name])
        self._routes.clear()

    def _go_on(self, name: str) -> None:
        """The reader's handlers are told of what it missed."""
        missed = self._still.pop(name).missed
        self._views[name].show(self)
        self._routes.clear()
        for key, old in missed.items():
            new = self.get(key)
            replaced = (
                old is not None and new is not None and old["metadata"]["uid"] != new["metadata"]["uid"]
            )
            if old is not None and (new is None or replaced):
                self._tell_reader(name, _DELETE, old)
            if new is not None and (old is None or replaced):
                self._tell_reader(name, _ADD, new)
            elif old is not None and new is not None and old is not new:
                self._tell_reader(name, _UPDATE, Change(key, old, new))

    def _tell_reader(self, name: str, what: str, told: Any) -> None:
        new, old = (told.new, told.old) if what == _UPDATE else (told, told)
        route = self._route(what, self._owner_kind(old), self._owner_kind(new))
        self._tell([each for each in route if each[2] == name], what, told, key_of(new), old, new)

    @property
    def stands_still(self) -> bool:
        """Whether any reader may not read."""
        return bool(self._still)

    def state(self) -> dict[str, JSON]:
        """What readers that stand still have missed: reader -> key -> the object as it was, or None."""
        return {name: dict(still.missed) for name, still in self._still.items()}

    def load(self, state: dict[str, JSON]) -> None:
        for name in [*self._still]:
            self._views[name].show(self)
            del self._still[name]
        for name, missed in state.items():
            self._stand_still(name, dict(missed))

    def _tell_again(self, what: str, handler: Handler, key: str, old: JSON | None, new: JSON) -> None:
        """Has a handler that failed told again, after its back-off."""
        place = self._handlers(what).index(handler)
        args = (key, old if what == _UPDATE else None, new if what == _DELETE else None)
        self._clock.call_later(backoff(0), RETELL, self.resource, what, place, *args)

    def retell(self, what: str, place: int, key: str, old: JSON | None, gone: JSON | None) -> None:
        """Tells a handler again what it failed at, about the object as it is by now."""
        tell, new = self._handlers(what)[place][0], self.get(key)
        if gone is not None:
            tell(gone)
        elif new is None or (old is not None and old["metadata"].get("uid") != new["metadata"].get("uid")):
            return  # deleted meanwhile, of which it was told
        else:
            tell(new if old is None else Change(key, old, new))

    def share(self, other: SharedInformer) -> None:
        """Takes over the indexes of ``other``, whose store this informer's store shares."""
        if self._still or other._still:
            self.load(other.state())
        if self._indexes or other._indexes:
            self._indexes, self._lent, other._lent = other._indexes, True, True

    def rebuild(self) -> None:
        """What was read from the store is read anew, without calling handlers (after a restore)."""
        self._indexes, self._lent = {}, False


class SharedInformerFactory:
    """One shared informer per resource, made on first use; each reader has its own view of it."""

    def __init__(self, store: Store, reader: Reader | None = None) -> None:
        self._store = store
        self._reader = reader
        self._informers: dict[str, SharedInformer] = {}
        self._readers: dict[str, Reader] = {}
        self._views: dict[str, Informer] = {}
        if reader is None:
            store.clock.register(RETELL, self._retell)
            store.clock.register(RELIST, self._relist)

    def read_as(self, reader: Reader) -> SharedInformerFactory:
        """The same informers, as that reader sees them."""
        found = SharedInformerFactory(self._store, reader)
        found._informers, found._readers = self._informers, self._readers
        self._readers[reader.name] = reader
        return found

    def of(self, resource: str) -> Informer:
        """The informer of a group-resource such as ``pods`` or ``deployments.apps``."""
        view = self._views.get(resource)
        if view is None:
            view = self._views[resource] = self._shared(resource).view(self._reader)
        return view

    def _shared(self, resource: str) -> SharedInformer:
        informer = self._informers.get(resource)
        if informer is None:
            informer = self._informers[resource] = SharedInformer(resource, self._store)
        return informer

    def _seen_by(self, resource: str, names: Iterable[str]) -> SharedInformer:
        """The shared informer of a resource, with these readers' views: some are made when first asked."""
        informer = self._shared(resource)
        for name in names:
            informer.view(self._readers[name])
        return informer

    def _retell(self, resource: str, *event: Any) -> None:
        self._shared(resource).retell(*event)

    def _relist(self, resource: str, *event: Any) -> None:
        self._shared(resource).relist(*event)

    def halt(self, process: str) -> None:
        """The readers of a process that has stopped see what they saw last, and are told of nothing."""
        for informer in self._informers.values():
            informer.halt(process)

    def resume(self, process: str) -> None:
        """They are told of what they missed."""
        for informer in self._informers.values():
            informer.resume(process)

    def share(self, other: SharedInformerFactory) -> None:
        """Takes over what the informers of ``other`` know."""
        for resource, informer in other._informers.items():
            if informer.stands_still:
                self._seen_by(resource, informer.state()).share(informer)
            else:
                self._shared(resource).share(informer)

    def state(self) -> dict[str, Any]:
        """What cannot be read from the store: what readers have missed that may not read."""
        found = {resource: informer.state() for resource, informer in self._informers.items()}
        return {resource: state for resource, state in sorted(found.items()) if state}

    def load(self, state: dict[str, Any]) -> None:
        """Reads everything anew from the store, without calling handlers."""
        for resource, missed in state.items():
            self._seen_by(resource, missed)
        for resource, informer in self._informers.items():
            informer.rebuild()
            informer.load(state.get(resource, {}))
