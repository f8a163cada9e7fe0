"""The garbage collector: what is owned goes with its last owner.

Models pkg/controller/garbagecollector. Upstream builds a graph from watches; here each informer is indexed by
owner uid, so the graph is always the store itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON, key_of, split_key, with_meta
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.scheme import SETS_KEPT, Kind
from cluster_engine.client_go import Change, Informer
from cluster_engine.component import Context, Controller

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
_OWNERS = "owners"
_IGNORED = frozenset({"events"})


class Owners(NamedTuple):
    """An object's owner references, sorted by what became of the owners."""

    solid: list[JSON]
    dangling: list[JSON]
    waiting: list[JSON]


def owner_uids(obj: JSON) -> Sequence[str]:
    """Index function: the uids of all owners."""
    references = obj["metadata"].get("ownerReferences")
    return tuple(reference["uid"] for reference in references) if references else ()


def has_finalizer(obj: JSON, name: str) -> bool:
    return name in (obj["metadata"].get("finalizers") or ())


def without_finalizer(obj: JSON, name: str) -> JSON:
    left = [finalizer for finalizer in obj["metadata"]["finalizers"] if finalizer != name]
    return with_meta(obj, finalizers=left or None)


def without_owners(obj: JSON, uids: Sequence[str]) -> JSON:
    left = [ref for ref in obj["metadata"].get("ownerReferences") or () if ref["uid"] not in uids]
    return with_meta(obj, ownerReferences=left or None)


@lru_cache(maxsize=SETS_KEPT)
def _collected(kinds: tuple[Kind, ...]) -> tuple[Mapping[tuple[str, str], Kind], tuple[str, ...]]:
    """Of these kinds those whose objects are collected, by (group, kind), and their group-resources."""
    found = [kind for kind in kinds if "delete" in kind.verbs and kind.group_resource not in _IGNORED]
    return {(kind.group, kind.kind): kind for kind in found}, tuple([kind.group_resource for kind in found])


class GarbageCollector(Controller):
    """Deletes dependents (background, foreground) or sets them free (orphan)."""

    name = "generic-garbage-collector"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.informers: dict[str, Informer] = {}
        self.resources: Mapping[tuple[str, str], Kind] = {}
        self._watched: set[str] = set()
        ctx.scheme.follow(self._kinds_changed)

    def _kinds_changed(self) -> None:
        self.resources, names = _collected(self.ctx.scheme.kinds)
        of = self.ctx.informers.of
        self.informers = {name: of(name) for name in names}
        added, updated, deleted = self._added, self._updated, self._deleted  # the same for all of them
        for resource, informer in self.informers.items():
            if resource not in self._watched:
                self._watched.add(resource)
                informer.add_index(_OWNERS, owner_uids, ("owners",))
                informer.on(add=added, update=updated, delete=deleted)

    def _added(self, obj: JSON) -> None:
        if "ownerReferences" in obj["metadata"] or "deletionTimestamp" in obj["metadata"]:
            self._look(obj)

    def _updated(self, change: Change) -> None:
        if change.owners:
            self._unblock(change.old)
        if change.owners or change.finalizers or change.going:
            self._look(change.new)

    def _deleted(self, obj: JSON) -> None:
        for name, dependent in self._dependents(obj):
            self.queue.add(f"{name}|{key_of(dependent)}")
        self._unblock(obj)

    def _unblock(self, obj: JSON) -> None:
        """An owner that waits for its dependents may now have lost the last one (addUnblockedOwnersToDeleteQueue)."""
        for reference in obj["metadata"].get("ownerReferences") or ():
            owner = self._owner(obj, reference)
            if owner is not None and has_finalizer(owner[1], FOREGROUND):
                self.queue.add(f"{owner[0]}|{key_of(owner[1])}")

    def _look(self, obj: JSON) -> None:
        """Enqueues what may need work: deleted with our finalizers on, or owned by somebody gone or going."""
        kind = self.resources.get((obj["apiVersion"].rpartition("/")[0], obj["kind"]))
        if kind is None:
            return  # it is served no more
        resource, meta = kind.group_resource, obj["metadata"]
        if meta.get("deletionTimestamp"):
            if has_finalizer(obj, ORPHAN) or has_finalizer(obj, FOREGROUND):
                self.queue.add(f"{resource}|{key_of(obj)}")
            return
        owners = self._sorted_owners(obj)
        if owners.dangling or owners.waiting:
            self.queue.add(f"{resource}|{key_of(obj)}")

    # ---- the graph -------------------------------------------------------------------------------------

    def _dependents(self, owner: JSON) -> Iterator[tuple[str, JSON]]:
        uid = owner["metadata"]["uid"]
        for resource, informer in self.informers.items():
            if informer.count_by_index(_OWNERS, uid):
                for dependent in informer.by_index(_OWNERS, uid):
                    yield resource, dependent

    def _owner(self, obj: JSON, reference: JSON) -> tuple[str, JSON] | None:
        """(resource, object) of a reference, or None when no such object with that uid exists."""
        kind = self.resources.get((reference["apiVersion"].rpartition("/")[0], reference["kind"]))
        if kind is None:
            return None
        namespace = obj["metadata"].get("namespace")
        if kind.namespaced and not namespace:
            return None  # a namespaced owner of a cluster-wide object: not to be found, as upstream
        key = f"{namespace}/{reference['name']}" if kind.namespaced else reference["name"]
        owner = self.informers[kind.group_resource].get(key)
        if owner is None or owner["metadata"]["uid"] != reference["uid"]:
            return None
        return kind.group_resource, owner

    def _sorted_owners(self, obj: JSON) -> Owners:
        owners = Owners([], [], [])
        for reference in obj["metadata"].get("ownerReferences") or ():
            if (reference["apiVersion"].rpartition("/")[0], reference["kind"]) not in self.resources:
                owners.solid.append(reference)  # a kind we do not know may well exist: leave it alone
                continue
            found = self._owner(obj, reference)
            if found is None:
                owners.dangling.append(reference)
            elif found[1]["metadata"].get("deletionTimestamp") and has_finalizer(found[1], FOREGROUND):
                owners.waiting.append(reference)
            else:
                owners.solid.append(reference)
        return owners

    # ---- what we do ------------------------------------------------------------------------------------

    def reconcile(self, key: str) -> None:
        resource, _, name = key.partition("|")
        informer = self.informers.get(resource)
        obj = informer.get(name) if informer is not None else None
        if obj is None:
            return
        try:
            if not obj["metadata"].get("deletionTimestamp"):
                self._collect(resource, obj)
            elif has_finalizer(obj, ORPHAN):
                self._set_dependents_free(resource, obj)
            elif has_finalizer(obj, FOREGROUND):
                self._delete_dependents(resource, obj)
        except ApiError as error:
            if error.code != 404:
                raise

    def _collect(self, resource: str, obj: JSON) -> None:
        """Deletes an object without owners left; drops references to those gone (attemptToDeleteItem)."""
        owners = self._sorted_owners(obj)
        if not (owners.dangling or owners.waiting):
            return
        if owners.solid:
            gone = [reference["uid"] for reference in (*owners.dangling, *owners.waiting)]
            self.client.update(resource, without_owners(obj, gone))
            return
        if owners.waiting and any(True for _ in self._dependents(obj)):
            policy = "Foreground"
        elif has_finalizer(obj, ORPHAN):
            policy = "Orphan"
        else:
            policy = "Foreground" if has_finalizer(obj, FOREGROUND) else "Background"
        namespace, name = split_key(key_of(obj))
        self.client.delete(resource, name, namespace, uid=obj["metadata"]["uid"], propagation=policy)

    def _delete_dependents(self, resource: str, owner: JSON) -> None:
        """Foreground: the owner stays until every dependent that blocks it is gone."""
        uid = owner["metadata"]["uid"]
        blocking = False
        for name, dependent in self._dependents(owner):
            references = dependent["metadata"]["ownerReferences"]
            if any(ref["uid"] == uid and ref.get("blockOwnerDeletion") for ref in references):
                blocking = True
                if not dependent["metadata"].get("deletionTimestamp"):
                    self.queue.add(f"{name}|{key_of(dependent)}")
        if not blocking:
            self.client.update(resource, without_finalizer(owner, FOREGROUND))

    def _set_dependents_free(self, resource: str, owner: JSON) -> None:
        """Orphan: the dependents forget the owner, then it goes."""
        uid = owner["metadata"]["uid"]
        for name, dependent in list(self._dependents(owner)):
            self.client.update(name, without_owners(dependent, [uid]))
        self.client.update(resource, without_finalizer(owner, ORPHAN))
