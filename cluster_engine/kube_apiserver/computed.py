"""Kinds whose objects follow from the rest of the cluster: read as if they were stored.

What they are is worked out when somebody asks (`Kind.computed`), so nothing of it is in the store, in snapshots or in
the journal. Older revisions and chunks of a list show what is so now.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.scheme import Kind, Scheme, World
from cluster_engine.etcd import Store
from cluster_engine.sim import Chance

_FIRST = "1"
"""The revision of what an API server makes when it starts."""


class ComputedStore:
    """The store of these kinds (selection.Readable)."""

    def __init__(self, store: Store, scheme: Scheme, chance: Chance) -> None:
        self._store = store
        self._scheme = scheme
        self._chance = chance

    @property
    def revision(self) -> int:
        """That of the cluster."""
        return self._store.revision

    def get(self, resource: str, key: str) -> JSON | None:
        """The object under that key, if there is one."""
        return next((obj for obj in self.range(resource) if key_of(obj) == key), None)

    def has(self, kind: Kind, key: str) -> bool:
        """Whether a computed kind has an object under that key."""
        return kind.computed is not None and self.get(kind.group_resource, key) is not None

    def get_at(self, resource: str, key: str, revision: int) -> JSON | None:
        """As ``get``."""
        return self.get(resource, key)

    def range(self, resource: str, namespace: str | None = None) -> list[JSON]:
        """All objects, in order of their keys."""
        kind = self._scheme.find(resource)
        if kind is None or kind.computed is None:
            return []
        found = kind.computed(
            World(self._store.range, self._scheme.forms, lambda name: self._meta(kind, name))
        )
        own = {"apiVersion": kind.api_version, "kind": kind.kind}
        made = sorted(({**own, **obj} for obj in found), key=key_of)
        return [obj for obj in made if not namespace or obj["metadata"].get("namespace") == namespace]

    def range_at(self, resource: str, revision: int, namespace: str | None = None) -> list[JSON]:
        """As ``range``."""
        return self.range(resource, namespace)

    def existing(self, kind: Kind, namespace: str, name: str) -> JSON:
        """The object of that name. Raises ApiError 404."""
        key = f"{namespace}/{name}" if namespace else name
        found = self.get(kind.group_resource, key)
        if found is None and kind.told_as:
            raise errors.not_found(kind.told_as, key)
        if found is None:
            raise errors.not_found(kind.group_resource, name)
        return found

    def _meta(self, kind: Kind, name: str) -> JSON:
        made = self._store.get("namespaces", "kube-system")
        return {
            "name": name,
            "uid": self._chance.uid("computed", kind.group_resource, name),
            "resourceVersion": _FIRST,
            "creationTimestamp": None if made is None else made["metadata"]["creationTimestamp"],
        }
