"""The past of a cluster, moment by moment, for checks that ask whether something was always so.

The store keeps the last changes of each resource in memory (HISTORY_LIMIT of them), compacted or not. A moment is the
state of the asked kinds after one of these changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.cluster import Cluster
from cluster_engine.etcd import WatchEvent
from cluster_engine.kube_apiserver.selection import Selection
from cluster_engine.sim import Journal
from labs.kit.checking import Fail, Snapshot, View


class Moment:
    """Some kinds' objects as they were. A ``View``; it is the same object at every moment of one walk."""

    def __init__(self, cluster: Cluster, kinds: tuple[str, ...]) -> None:
        self._cluster = cluster
        self._objects: dict[str, dict[str, JSON]] = {}
        for name in kinds:
            resource = self.kind(name).group_resource
            self._objects[resource] = {key_of(obj): obj for obj in cluster.store.range(resource)}
        self.revision = cluster.store.revision

    def kind(self, resource: str) -> Kind:
        """The kind called so. Raises KeyError."""
        return self._cluster.kind_of(resource.lower())

    def get(self, resource: str, name: str, namespace: str = "default") -> JSON | None:
        """The object, or None. Raises KeyError for a kind that was not asked for."""
        kind = self.kind(resource)
        return self._objects[kind.group_resource].get(f"{namespace}/{name}" if kind.namespaced else name)

    def list(
        self, resource: str, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[JSON]:
        """As ``Reader.list``; fields are those that the kind lets one select by."""
        kind = self.kind(resource)
        selection = Selection.parse(kind, namespace, labels, fields)
        objects = self._objects[kind.group_resource]
        return [objects[key] for key in sorted(objects) if selection.matches(objects[key])]

    def undo(self, resource: str, event: WatchEvent) -> None:
        """Goes back to before the change."""
        self._put(resource, key_of(event.object), event.previous)

    def redo(self, resource: str, event: WatchEvent) -> None:
        """Goes on to after the change."""
        self._put(resource, key_of(event.object), None if event.type == "DELETED" else event.object)
        self.revision = event.revision

    def _put(self, resource: str, key: str, obj: JSON | None) -> None:
        if obj is None:
            self._objects[resource].pop(key, None)
        else:
            self._objects[resource][key] = obj


def failure(judge: Snapshot, view: View) -> Fail | None:
    """What is wrong at that moment, if anything."""
    try:
        judge.judge_view(view)
    except Fail as found:
        return found
    return None


def moments(cluster: Cluster, kinds: tuple[str, ...]) -> Iterator[Moment]:
    """The state of these kinds at the oldest moment that is known, then after each change, to now."""
    moment = Moment(cluster, kinds)
    resources = sorted({moment.kind(name).group_resource for name in kinds})
    changes = sorted(
        ((resource, event) for resource in resources for event in cluster.store.changes(resource)),
        key=lambda change: change[1].revision,
    )
    for resource, event in reversed(changes):
        moment.undo(resource, event)
        moment.revision = event.revision - 1
    yield moment
    for resource, event in changes:
        moment.redo(resource, event)
        yield moment


def lived(cluster: Cluster, revision: int) -> Cluster:
    """The cluster as it was right after the write of that revision: its journal, lived again so far.

    Raises ValueError when the journal lacks its beginning.
    """
    entries = cluster.journal.entries
    if entries and entries[0].seq != 1:
        raise ValueError(
            f"the journal begins at entry {entries[0].seq}: what was before cannot be lived again"
        )
    past = Cluster.replay(Journal(cluster.journal.header))
    for entry in entries:
        if _is_there(past, revision, entry.at):
            return past
        past.go_on([entry])
    _is_there(past, revision, cluster.clock.now)
    return past


def _is_there(past: Cluster, revision: int, goal: int) -> bool:
    """Lets it live on to the revision, or to that virtual time (µs); whether it got there."""
    while past.store.revision < revision:
        due = past.clock.next_due()
        if due is None or due > goal:
            return False
        past.clock.step()
    return True
