"""The key-value store behind the API server.

Objects are JSON-shaped dicts that are shared by reference with everyone who reads them and are never
mutated; each write stores a new one. Keys are ``namespace/name`` (or ``name``) within a resource.

Models etcd's mvcc store as k8s.io/apiserver/pkg/storage/etcd3 uses it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from cluster_engine.apimachinery.cow import JSON, freeze, key_of, unshared
from cluster_engine.etcd.renewals import RENEWAL_PERIOD, Renewal, Renewals, Stamp
from cluster_engine.etcd.table import Sink, Table, WatchEvent
from cluster_engine.sim import SECOND, Clock

COMPACTION_INTERVAL = 300 * SECOND
"""Every so often all that is older than the last time is compacted: five to ten minutes can be read back.

Models k8s.io/apiserver/pkg/storage/etcd3/compact.go (DefaultCompactInterval).
"""
HISTORY_LIMIT = 2_000
"""Changes kept per resource, for reads of the past and for watches that start there; the oldest go first."""

Standing = Mapping[str, tuple[dict[str, JSON], list[str]]]
"""Objects that a store begins with, at its first revision: resource -> (key -> object, keys in order).

Stores share it: it is never changed, and what is unchanged of it need not be saved.
"""
NOTHING: Standing = {}
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


class Watcher:
    """A running watch; ``cancel`` ends it."""

    __slots__ = ("_sink", "_table")

    def __init__(self, table: Table, sink: Sink) -> None:
        self._table = table
        self._sink = sink

    def cancel(self) -> None:
        """Stops delivery; calling it twice is fine."""
        if self._sink in self._table.watchers:
            self._table.watchers = [sink for sink in self._table.watchers if sink is not self._sink]


class Store:
    """All objects of one cluster."""

    def __init__(
        self,
        clock: Clock,
        freezing: bool = False,
        stamps: Mapping[str, Stamp] | None = None,
        standing: Standing = NOTHING,
    ) -> None:
        """``stamps``: how a renewal of each resource looks that can be renewed; ``standing``: what it begins with."""
        self.clock = clock
        self._revision = 1
        self._stamps = stamps or {}
        self.populations = 0
        """Moves whenever a resource gets its first object or loses its last one."""
        self._renewals = Renewals()
        self._renewed: tuple[int, dict[tuple[str, str], JSON]] = (0, {})  # how many are due, what they leave
        self._freezing = freezing
        self._tables: dict[str, Table] = {}
        self._count = 0
        self._standing = standing
        self._compacted = 0
        # (number of a compaction interval, revision before its first write)
        self._intervals: list[tuple[int, int]] = []
        clock.register("etcd/lease-expired", self._lease_expired)

    def begin(self) -> None:
        """Holds from now on what it begins with, by reference; to be called before anything is written, or loaded."""
        for resource, (objects, keys) in self._standing.items():
            table = self._table(resource)
            table.hold(objects, keys)
            table.shared = True
            self._count += len(keys)

    def __len__(self) -> int:
        return self._count

    @property
    def revision(self) -> int:
        """The revision of the last write, renewals included."""
        if self.clock.now < self._renewals.due:
            return self._revision
        return self._revision + self._renewals.count(self.clock.now)

    def _table(self, resource: str) -> Table:
        table = self._tables.get(resource)
        if table is None:
            table = self._tables[resource] = Table()
        return table

    def count(self, resource: str) -> int:
        """How many objects of the resource there are."""
        return len(self._table(resource).objects)

    def size(self) -> int:
        """Bytes of all objects, as JSON."""
        return sum(
            len(orjson.dumps(obj)) for table in self._tables.values() for obj in table.objects.values()
        )

    def resources(self) -> list[str]:
        """The resources that hold at least one object, sorted."""
        return sorted(name for name, table in self._tables.items() if table.objects)

    def get(self, resource: str, key: str) -> JSON | None:
        """The stored object itself (shared: do not mutate), or None."""
        table = self._tables.get(resource)
        if table is None:
            return None
        if table.renewed and self.clock.now >= self._renewals.due:
            return self._left(resource, key) or table.objects.get(key)
        return table.objects.get(key)

    def of_keys(self, resource: str, keys: Iterable[str]) -> list[JSON]:
        """The stored objects of these keys. Raises KeyError when one is not there."""
        table = self._table(resource)
        objects = table.objects
        if table.renewed and self.clock.now >= self._renewals.due:
            return [self._left(resource, key) or objects[key] for key in keys]
        return [objects[key] for key in keys]

    def range(self, resource: str, namespace: str | None = None) -> list[JSON]:
        """The objects in order of their keys, of one namespace or of all."""
        table = self._table(resource)
        keys = table.keys
        if namespace:
            # "/" sorts right below "0": the half-open range holds just this namespace's keys.
            keys = keys[bisect_left(keys, namespace + "/") : bisect_left(keys, namespace + "0")]
        return self.of_keys(resource, keys)

    def get_at(self, resource: str, key: str, revision: int) -> JSON | None:
        """The object as it was at that revision, or None. Raises Compacted."""
        found = self.get(resource, key)
        for event in self._later(resource, revision):
            if key_of(event.object) == key:
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
                objects[key_of(event.object)] = event.previous
            else:
                del objects[key_of(event.object)]
        prefix = f"{namespace}/" if namespace else ""
        return [objects[key] for key in sorted(objects) if key.startswith(prefix)]

    def changes(self, resource: str) -> list[WatchEvent]:
        """The last changes, oldest first, at most HISTORY_LIMIT: compacted or not.

        For who looks at the past from outside. A store that was loaded knows those since then.
        """
        return list(self._table(resource).history)

    def since(self, resource: str, revision: int) -> list[WatchEvent]:
        """The changes after that revision, renewals included, oldest first. Raises Compacted."""
        return [*reversed(self._later(resource, revision)), *self.renewals_after(resource, revision)]

    def past(self) -> dict[str, list[WatchEvent]]:
        """``changes`` of every resource that has any."""
        return {resource: list(table.history) for resource, table in self._tables.items() if table.history}

    def remember(self, past: dict[str, list[WatchEvent]]) -> None:
        """Takes over the ``past`` of a store with the same objects, for ``changes``; watches start anew."""
        for resource, events in past.items():
            table = self._table(resource)
            table.own()
            table.history = deque(events)

    def change(self, resource: str, revision: int) -> WatchEvent | None:
        """The change of that revision, if it is known; the later it was, the sooner it is found."""
        for event in reversed(self._table(resource).history):
            if event.revision <= revision:
                return event if event.revision == revision else None
        return None

    def known_since(self, resource: str) -> int:
        """The revision after which all its changes are among ``changes``."""
        return self._table(resource).compacted

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
            self._compacted = self._revision
        return self._compacted

    def _advance(self) -> None:
        """Takes the next revision, and notes it when it is the first of its interval."""
        number = self.clock.now // COMPACTION_INTERVAL
        if not self._intervals or self._intervals[-1][0] != number:
            self._compacted_by_now()
            kept = [interval for interval in self._intervals if interval[0] == number - 1]
            self._intervals = [*kept, (number, self._revision)]
        self._revision += 1

    def put(
        self,
        resource: str,
        key: str,
        obj: JSON,
        expect: int | None = None,
        ttl: float | None = None,
        fresh: bool = False,
    ) -> JSON:
        """Stores ``obj`` under a new revision, set as its ``metadata.resourceVersion``; returns what is stored.

        ``fresh``: nobody else has the object and its metadata, so they are what is stored, without a copy.
        ``expect``: 0, the key must be new; a revision, the stored object must still have it; None, whatever.
        ``ttl``: seconds after which the key goes away unless it is written again (an etcd lease).
        Raises CompareFailed.
        """
        if self.clock.now >= self._renewals.due:
            self._fold()
        table = self._table(resource)
        previous = table.objects.get(key)
        if expect is not None:
            found = int(previous["metadata"]["resourceVersion"]) if previous is not None else 0
            if found != expect:
                raise CompareFailed(previous)
        revision = self._revision + 1
        if fresh:
            stored = obj
            stored["metadata"]["resourceVersion"] = str(revision)
        else:
            stored = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(revision)}}
        if self._freezing:
            stored = freeze(stored)
            if previous is not None and (parts := unshared(stored, previous)):
                raise TypeError(f"{resource} {key}: an unchanged part must stay the same object: {parts}")
        # From here on nothing can fail: a write is whole or not at all.
        self._advance()
        table.own()
        if table.renewed:
            self._renewals.drop(resource, key)
        table.objects[key] = stored
        if previous is None:
            table.added(key)
            self._count += 1
            if len(table.objects) == 1:
                self.populations += 1
        if ttl is not None:
            self.clock.call_later(ttl, "etcd/lease-expired", resource, key, revision, background=True)
        what = "ADDED" if previous is None else "MODIFIED"
        self._commit(resource, key, table, WatchEvent(what, stored, previous, revision))
        return stored

    def delete(self, resource: str, key: str, expect: int | None = None) -> JSON:
        """Removes the key; returns its last state stamped with the revision of the deletion.

        Raises KeyError when it is not there, CompareFailed when ``expect`` does not hold.
        """
        if self.clock.now >= self._renewals.due:
            self._fold()
        table = self._table(resource)
        previous = table.objects[key]
        if expect is not None and int(previous["metadata"]["resourceVersion"]) != expect:
            raise CompareFailed(previous)
        revision = self._revision + 1
        last: JSON = {**previous, "metadata": {**previous["metadata"], "resourceVersion": str(revision)}}
        if self._freezing:
            last = freeze(last)
        self._advance()
        table.own()
        if table.renewed:
            self._renewals.drop(resource, key)
        del table.objects[key]
        table.removed(key)
        self._count -= 1
        if not table.objects:
            self.populations += 1
        self._commit(resource, key, table, WatchEvent("DELETED", last, previous, revision))
        return last

    # ---- renewals --------------------------------------------------------------------------------------

    def keep_renewed(self, resource: str, key: str, by: str, period: int = RENEWAL_PERIOD) -> None:
        """From now on the key is written again each ``period`` (µs), with the time alone changed.

        Until it is deleted or anybody else writes it. Raises KeyError when it is not there, or has no stamp.
        """
        table = self._table(resource)
        if key not in table.objects or resource not in self._stamps:
            raise KeyError(f"{resource} {key}")
        if self.clock.now >= self._renewals.due:
            self._fold()
        self._renewals.add(Renewal(resource, key, self.clock.now + period, by, period))
        table.renewed = True

    def stop_renewing(self, resource: str, key: str) -> None:
        """It is not, from now on; informers are told of the object as its last renewal left it."""
        if (resource, key) not in self._renewals:
            return
        if self.clock.now >= self._renewals.due:
            self._fold()
        self._renewals.drop(resource, key)
        table = self._table(resource)
        last = table.objects[key]
        event = WatchEvent("MODIFIED", last, last, int(last["metadata"]["resourceVersion"]))
        self._tell(event, table.subscribers, "etcd/subscriber")

    def is_renewed(self, resource: str, key: str) -> bool:
        """Whether the key is renewed by itself."""
        return (resource, key) in self._renewals

    def has_renewed(self, resource: str) -> bool:
        """Whether any key of the resource is: its watchers are not told of renewals, they ask ``renewals_after``."""
        return resource in self._renewals.resources()

    def renewals_after(self, resource: str, revision: int) -> list[WatchEvent]:
        """The renewals after that revision that are due and not folded yet, oldest first."""
        if self.clock.now < self._renewals.due:
            return []
        return [
            event for name, event in self._renewal_events() if name == resource and event.revision > revision
        ]

    def _renewal_events(self) -> list[tuple[str, WatchEvent]]:
        """(resource, event) of the renewals that are due, at most HISTORY_LIMIT, the last ones."""
        now = self.clock.now
        due = self._renewals.all(now, HISTORY_LIMIT)
        first = self._revision + self._renewals.count(now) - len(due) + 1
        known: dict[tuple[str, str], JSON] = {}
        events = []
        for revision, renewal in enumerate(due, first):
            place = (renewal.resource, renewal.key)
            before = known.get(place) or self._tables[renewal.resource].objects[renewal.key]
            known[place] = after = self._stamped(renewal, before, revision)
            events.append((renewal.resource, WatchEvent("MODIFIED", after, before, revision)))
        return events

    def _stamped(self, renewal: Renewal, before: JSON, revision: int) -> JSON:
        after = self._stamps[renewal.resource](before, renewal.due, renewal.by)
        after = {**after, "metadata": {**after["metadata"], "resourceVersion": str(revision)}}
        return freeze(after) if self._freezing else after

    def _left(self, resource: str, key: str) -> JSON | None:
        """What the renewals that are due have left of that key; None when none was of it."""
        now = self.clock.now
        count = self._renewals.count(now)
        if self._renewed[0] != count:
            left = {}
            for place, renewal in self._renewals.last(now):
                before = self._tables[renewal.resource].objects[renewal.key]
                left[renewal.resource, renewal.key] = self._stamped(
                    renewal, before, self._revision + 1 + place
                )
            self._renewed = (count, left)
        return self._renewed[1].get((resource, key))

    def _fold(self) -> None:
        """Writes what the renewals that are due have left, before anything else is written."""
        now = self.clock.now
        watched = any(self._table(resource).watchers for resource in self._renewals.resources())
        told = self._renewal_events() if watched else []
        folded = []
        for _place, renewal in self._renewals.last(now):
            after = self._left(renewal.resource, renewal.key)
            assert after is not None
            table = self._table(renewal.resource)
            table.own()
            before, table.objects[renewal.key] = table.objects[renewal.key], after
            folded.append(
                (
                    renewal,
                    table,
                    WatchEvent("MODIFIED", after, before, int(after["metadata"]["resourceVersion"])),
                )
            )
        self._revision += self._renewals.count(now)
        self._renewals.fold(now)
        self._renewed = (0, {})
        for resource, event in told:
            self._tell(event, self._table(resource).watchers, "etcd/watch", replayed=False)
        for renewal, table, event in folded:
            self._remember(table, event)
            roots = self.clock.causes.renewed(
                renewal.due, renewal.by, renewal.resource, renewal.key, event.revision
            )
            self._tell(event, table.subscribers, "etcd/subscriber")
            self.clock.causes.roots = roots

    # ---- who is told -----------------------------------------------------------------------------------

    def _remember(self, table: Table, event: WatchEvent) -> None:
        table.history.append(event)
        if len(table.history) > HISTORY_LIMIT:
            table.compacted = table.history.popleft().revision

    def _commit(self, resource: str, key: str, table: Table, event: WatchEvent) -> None:
        self._remember(table, event)
        causes = self.clock.causes
        roots = causes.wrote(self.clock.now, _VERBS[event.type], resource, key, event.revision)
        # Who watches from outside is told while the informers are.
        if table.watchers:
            self._tell(event, table.watchers, "etcd/watch", replayed=False)
        self._tell(event, table.subscribers, "etcd/subscriber")
        causes.roots = roots

    def _tell(self, event: WatchEvent, sinks: list[Sink], who: str, *, replayed: bool = True) -> None:
        # The write stands: what those who are told of it make of it cannot undo it.
        for sink in sinks:
            try:
                sink(event)
            except Exception as error:
                if not self.clock.failed(who, key_of(event.object), error, replayed=replayed):
                    raise

    def _lease_expired(self, resource: str, key: str, revision: int) -> None:
        obj = self.get(resource, key)
        if obj is not None and int(obj["metadata"]["resourceVersion"]) == revision:
            self.delete(resource, key)

    def subscribe(self, resource: str, sink: Sink) -> None:
        """For informers: ``sink`` sees each change right after the write, in the same instant."""
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
            table.compacted = max(table.compacted, min(revision, self._revision))

    def share(self, other: Store) -> None:
        """Takes over all that ``other`` holds, its history too, by reference."""
        self._revision, self._count, self._standing = other._revision, other._count, other._standing
        self.populations += 1
        self._renewals.share(other._renewals)
        self._renewed = (0, {})
        self._compacted, self._intervals = other._compacted, other._intervals
        for resource, table in other._tables.items():
            self._table(resource).share(table)

    def state(self) -> dict[str, Any]:
        """Revision and objects (by reference); history is not part of it: watches start anew.

        What stands unchanged from the first revision on is left out; ``gone``, if there is any: what of it was deleted.
        """
        objects: dict[str, dict[str, JSON]] = {}
        gone: dict[str, list[str]] = {}
        for resource, table in sorted(self._tables.items()):
            standing = self._standing[resource][0] if resource in self._standing else {}
            if standing is table.objects:
                continue
            changed = {k: table.objects[k] for k in table.keys if table.objects[k] is not standing.get(k)}
            if changed:
                objects[resource] = changed
            if missing := sorted(standing.keys() - table.objects.keys()):
                gone[resource] = missing
        state = {"revision": self._revision, "renewals": self._renewals.state(), "objects": objects}
        return {**state, "gone": gone} if gone else state

    def load(self, state: dict[str, Any]) -> None:
        self._revision = state["revision"]
        self.populations += 1
        self._renewals.load(state["renewals"])
        self._renewed = (0, {})
        self._count = 0
        self._compacted, self._intervals = self._revision, []
        for table in self._tables.values():
            table.hold({}, [])
            table.history, table.shared = deque(), False
            table.compacted = self._revision
        self.begin()
        for resource, gone in state.get("gone", {}).items():
            table = self._table(resource)
            table.own()
            for key in gone:
                del table.objects[key]
            table.hold(table.objects, sorted(table.objects))
            self._count -= len(gone)
        for resource, objects in state["objects"].items():
            table = self._table(resource)
            table.own()
            self._count -= len(table.objects)
            table.objects.update(
                {key: freeze(obj) for key, obj in objects.items()} if self._freezing else objects
            )
            table.hold(table.objects, sorted(table.objects))
            table.compacted = self._revision
            self._count += len(table.objects)
        for resource in self._renewals.resources():
            self._table(resource).renewed = True
