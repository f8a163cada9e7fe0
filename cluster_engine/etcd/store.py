"""The key-value store behind the API server.

Objects are JSON-shaped dicts that are shared by reference with everyone who reads them and are never
mutated; each write stores a new one. Keys are ``namespace/name`` (or ``name``) within a resource.

Models etcd's mvcc store as k8s.io/apiserver/pkg/storage/etcd3 uses it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from cluster_engine.apimachinery.cow import JSON, freeze
from cluster_engine.sim import SECOND, Clock

COMPACTION_INTERVAL = 300 * SECOND
"""Every so often all that is older than the last time is compacted: five to ten minutes can be read back.

Models k8s.io/apiserver/pkg/storage/etcd3/compact.go (DefaultCompactInterval).
"""
HISTORY_LIMIT = 2_000
"""Changes kept per resource, for reads of the past and for watches that start there; the oldest go first."""


_VERBS = {"ADDED": "create", "MODIFIED": "update", "DELETED": "delete"}


class CompareFailed(Exception):
    """A write expected another revision than the stored one; ``current`` is what is stored, or None."""

    def __init__(self, current: JSON | None) -> None:
        super().__init__("compare failed")
        self.current = current


class Compacted(Exception):
    """The revision asked for is older than the history kept. ``oldest`` is the oldest revision still served."""

    def __init__(self, wanted: int, oldest: int) -> None:
        super().__init__(f"too old resource version: {wanted} ({oldest})")
        self.wanted = wanted
        self.oldest = oldest


class WatchEvent(NamedTuple):
    """A change: ``type`` is ADDED, MODIFIED or DELETED; ``previous`` the object before it, if any."""

    type: str
    object: JSON
    previous: JSON | None
    revision: int


Sink = Callable[[WatchEvent], None]


class Watcher:
    """A running watch; ``cancel`` ends it."""

    __slots__ = ("_sink", "_table")

    def __init__(self, table: _Table, sink: Sink) -> None:
        self._table = table
        self._sink = sink

    def cancel(self) -> None:
        """Stops delivery; calling it twice is fine."""
        if self._sink in self._table.watchers:
            self._table.watchers = [sink for sink in self._table.watchers if sink is not self._sink]


class _Table:
    """One resource: its objects, their keys in order, its recent history and who listens."""

    __slots__ = ("compacted", "history", "keys", "objects", "shared", "subscribers", "watchers")

    def __init__(self) -> None:
        self.objects: dict[str, JSON] = {}
        self.keys: list[str] = []
        self.history: deque[WatchEvent] = deque()
        self.compacted = 0  # changes up to this revision may be missing from the history
        self.shared = False  # whether a fork holds the very same objects, keys and history
        self.subscribers: list[Sink] = []
        self.watchers: list[Sink] = []

    def own(self) -> None:
        """Before a write: what a fork holds too is copied (references only)."""
        if self.shared:
            self.objects, self.keys, self.history = dict(self.objects), self.keys[:], self.history.copy()
            self.shared = False

    def share(self, other: _Table) -> None:
        """Takes over what ``other`` holds; neither copies it before it writes."""
        self.objects, self.keys, self.history = other.objects, other.keys, other.history
        self.compacted = other.compacted
        self.shared = other.shared = True

    def since(self, revision: int) -> list[WatchEvent]:
        """The changes after that revision, newest first."""
        found = []
        for event in reversed(self.history):
            if event.revision <= revision:
                break
            found.append(event)
        return found


class Store:
    """All objects of one cluster."""

    def __init__(self, clock: Clock, freezing: bool = False) -> None:
        self.revision = 1
        self.clock = clock
        self._freezing = freezing
        self._tables: dict[str, _Table] = {}
        self._count = 0
        self._compacted = 0
        self._intervals: list[
            tuple[int, int]
        ] = []  # (number of an interval, revision before its first write)
        clock.register("etcd/lease-expired", self._lease_expired)

    def __len__(self) -> int:
        return self._count

    def _table(self, resource: str) -> _Table:
        table = self._tables.get(resource)
        if table is None:
            table = self._tables[resource] = _Table()
        return table

    def count(self, resource: str) -> int:
        """How many objects of the resource there are."""
        return len(self._table(resource).keys)

    def resources(self) -> list[str]:
        """The resources that hold at least one object, sorted."""
        return sorted(name for name, table in self._tables.items() if table.keys)

    def get(self, resource: str, key: str) -> JSON | None:
        """The stored object itself (shared: do not mutate), or None."""
        return self._table(resource).objects.get(key)

    def range(self, resource: str, namespace: str | None = None) -> list[JSON]:
        """The objects in order of their keys, of one namespace or of all."""
        table = self._table(resource)
        keys = table.keys
        if namespace:
            # "/" sorts right below "0": the half-open range holds just this namespace's keys.
            keys = keys[bisect_left(keys, namespace + "/") : bisect_left(keys, namespace + "0")]
        objects = table.objects
        return [objects[key] for key in keys]

    def get_at(self, resource: str, key: str, revision: int) -> JSON | None:
        """The object as it was at that revision, or None. Raises Compacted."""
        found = self.get(resource, key)
        for event in self._later(resource, revision):
            if _key_of(event) == key:
                found = event.previous
        return found

    def range_at(self, resource: str, revision: int, namespace: str | None = None) -> list[JSON]:
        """As ``range``, at that revision. Raises Compacted."""
        later = self._later(resource, revision)
        if not later:
            return self.range(resource, namespace)
        objects = dict(self._table(resource).objects)
        for event in later:
            if event.previous is not None:
                objects[_key_of(event)] = event.previous
            else:
                del objects[_key_of(event)]
        prefix = f"{namespace}/" if namespace else ""
        return [objects[key] for key in sorted(objects) if key.startswith(prefix)]

    def _later(self, resource: str, revision: int) -> list[WatchEvent]:
        """The changes after that revision, newest first. Raises Compacted when not all of them are known."""
        table = self._table(resource)
        oldest = max(table.compacted, self._compacted_by_now())
        if revision < oldest:
            raise Compacted(revision, oldest)
        return table.since(revision)

    def _compacted_by_now(self) -> int:
        """The revision up to which the compactor has forgotten everything.

        Worked out when somebody asks: events of its own would be all that an idle cluster does.
        """
        last = self.clock.now // COMPACTION_INTERVAL - 1
        known = [before for number, before in self._intervals if number >= last]
        if known:
            self._compacted = max(self._compacted, known[0])
        elif self._intervals:
            self._compacted = self.revision
        return self._compacted

    def _advance(self) -> None:
        """Takes the next revision, and notes it when it is the first of its interval."""
        number = self.clock.now // COMPACTION_INTERVAL
        if not self._intervals or self._intervals[-1][0] != number:
            self._compacted_by_now()
            kept = [interval for interval in self._intervals if interval[0] == number - 1]
            self._intervals = [*kept, (number, self.revision)]
        self.revision += 1

    def put(
        self, resource: str, key: str, obj: JSON, expect: int | None = None, ttl: float | None = None
    ) -> JSON:
        """Stores ``obj`` under a new revision, set as its ``metadata.resourceVersion``; returns what is stored.

        ``expect``: 0, the key must be new; a revision, the stored object must still have it; None, whatever.
        ``ttl``: seconds after which the key goes away unless it is written again (an etcd lease).
        Raises CompareFailed.
        """
        table = self._table(resource)
        previous = table.objects.get(key)
        if expect is not None:
            found = int(previous["metadata"]["resourceVersion"]) if previous is not None else 0
            if found != expect:
                raise CompareFailed(previous)
        revision = self.revision + 1
        stored: JSON = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(revision)}}
        if self._freezing:
            stored = freeze(stored)
        # From here on nothing can fail: a write is whole or not at all.
        self._advance()
        table.own()
        table.objects[key] = stored
        if previous is None:
            insort(table.keys, key)
            self._count += 1
        if ttl is not None:
            self.clock.call_later(ttl, "etcd/lease-expired", resource, key, revision, background=True)
        self._commit(
            resource,
            table,
            WatchEvent("ADDED" if previous is None else "MODIFIED", stored, previous, revision),
        )
        return stored

    def delete(self, resource: str, key: str, expect: int | None = None) -> JSON:
        """Removes the key; returns its last state stamped with the revision of the deletion.

        Raises KeyError when it is not there, CompareFailed when ``expect`` does not hold.
        """
        table = self._table(resource)
        previous = table.objects[key]
        if expect is not None and int(previous["metadata"]["resourceVersion"]) != expect:
            raise CompareFailed(previous)
        revision = self.revision + 1
        last: JSON = {**previous, "metadata": {**previous["metadata"], "resourceVersion": str(revision)}}
        if self._freezing:
            last = freeze(last)
        self._advance()
        table.own()
        del table.objects[key]
        del table.keys[bisect_left(table.keys, key)]
        self._count -= 1
        self._commit(resource, table, WatchEvent("DELETED", last, previous, revision))
        return last

    def _commit(self, resource: str, table: _Table, event: WatchEvent) -> None:
        history = table.history
        history.append(event)
        if len(history) > HISTORY_LIMIT:
            table.compacted = history.popleft().revision
        causes = self.clock.causes
        roots = causes.wrote(self.clock.now, _VERBS[event.type], resource, _key_of(event), event.revision)
        # The write stands: what those who are told of it make of it cannot undo it.
        for sink in table.subscribers:
            try:
                sink(event)
            except Exception as error:
                if not self.clock.failed("etcd/subscriber", _key_of(event), error):
                    raise
        for sink in table.watchers:
            try:
                sink(event)
            except Exception as error:
                if not self.clock.failed("etcd/watch", _key_of(event), error, replayed=False):
                    raise
        causes.roots = roots

    def _lease_expired(self, resource: str, key: str, revision: int) -> None:
        obj = self.get(resource, key)
        if obj is not None and int(obj["metadata"]["resourceVersion"]) == revision:
            self.delete(resource, key)

    def subscribe(self, resource: str, sink: Sink) -> None:
        """For informers: ``sink`` sees each change right after the write, before any watcher."""
        self._table(resource).subscribers.append(sink)

    def watch(self, resource: str, since: int | None, sink: Sink) -> Watcher:
        """Delivers each change after revision ``since`` (None: from now on) to ``sink``, history first.

        Raises Compacted when ``since`` lies before the history kept.
        """
        table = self._table(resource)
        if since is not None:
            if since < table.compacted:
                raise Compacted(since, table.compacted)
            for event in reversed(table.since(since)):
                sink(event)
        table.watchers = [*table.watchers, sink]
        return Watcher(table, sink)

    def compact(self, revision: int) -> None:
        """Forgets history up to and including ``revision``."""
        for table in self._tables.values():
            table.own()
            while table.history and table.history[0].revision <= revision:
                table.history.popleft()
            table.compacted = max(table.compacted, min(revision, self.revision))

    def share(self, other: Store) -> None:
        """Takes over all that ``other`` holds, its history too, by reference."""
        self.revision, self._count = other.revision, other._count
        self._compacted, self._intervals = other._compacted, other._intervals
        for resource, table in other._tables.items():
            self._table(resource).share(table)

    def state(self) -> dict[str, Any]:
        """Revision and objects (by reference); history is not part of it: watches start anew."""
        return {
            "revision": self.revision,
            "objects": {
                resource: {key: self._tables[resource].objects[key] for key in self._tables[resource].keys}
                for resource in self.resources()
            },
        }

    def load(self, state: dict[str, Any]) -> None:
        self.revision = state["revision"]
        self._count = 0
        self._compacted, self._intervals = self.revision, []
        for table in self._tables.values():
            table.objects, table.keys, table.history, table.shared = {}, [], deque(), False
            table.compacted = self.revision
        for resource, objects in state["objects"].items():
            table = self._table(resource)
            table.objects = (
                {key: freeze(obj) for key, obj in objects.items()} if self._freezing else dict(objects)
            )
            table.keys = sorted(objects)
            table.compacted = self.revision
            self._count += len(objects)


def _key_of(event: WatchEvent) -> str:
    meta = event.object["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"
