"""The store as etcd's own clients see it: keys below ``/registry``, to be read.

Models k8s.io/apiserver/pkg/registry/generic/registry (the keys of objects),
pkg/kubeapiserver/default_storage_factory_builder.go (SpecialDefaultResourcePrefixes) and etcd's server/storage/mvcc.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.etcd.members import cluster_id, member_id
from cluster_engine.etcd.store import Compacted, Store
from cluster_engine.etcd.table import WatchEvent

KEYS_LIMIT = 5_000
"""Keys, or changes, that one answer holds."""
VALUES_LIMIT = 262_144
"""Bytes of values that one answer holds."""
QUOTA_BYTES = 2 * 1024**3
"""How large etcd lets its file become (DefaultQuotaBytes)."""

_SPECIAL = {
    "services": "services/specs",
    "endpoints": "services/endpoints",
    "nodes": "minions",
    "replicationcontrollers": "controllers",
    "ingresses.networking.k8s.io": "ingress",
    "customresourcedefinitions.apiextensions.k8s.io": "apiextensions.k8s.io/customresourcedefinitions",
}
_COMPACTED = "etcdserver: mvcc: required revision has been compacted"
_FUTURE = "etcdserver: mvcc: required revision is a future revision"
_FROM_KEY = "\0"
_TERM = 2
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


class _Pair(NamedTuple):
    """A key as it is at some moment; one that is gone has no object."""

    key: str
    object: JSON | None
    create: int
    mod: int
    version: int

    def value(self) -> str:
        """The object without its revision, which etcd keeps beside it."""
        if self.object is None:
            return ""
        meta = {name: value for name, value in self.object["metadata"].items() if name != "resourceVersion"}
        return orjson.dumps({**self.object, "metadata": meta}).decode("latin-1")

    def told(self, value: str) -> JSON:
        """As JSON."""
        return {
            "key": self.key,
            "value": value,
            "create": self.create,
            "mod": self.mod,
            "version": self.version,
        }


_SORTS: dict[str, Callable[[_Pair], Any]] = {
    "CREATE": lambda pair: pair.create,
    "KEY": lambda pair: pair.key,
    "MODIFY": lambda pair: pair.mod,
    "VALUE": _Pair.value,
    "VERSION": lambda pair: pair.version,
}


class Keys:
    """Answers what an etcd member on a node is asked. ``own`` names the built-in resources; others stand below their
    group.

    A pair is ``{"key", "value", "create", "mod", "version"}``, texts are byte texts. When a key was made, and how often
    it was written, is counted from the oldest change on that is known.
    """

    def __init__(self, store: Store, own: frozenset[str]) -> None:
        self._store = store
        self._own = own

    def answer(self, asked: Any) -> JSON:
        """Whatever is asked names ``op`` and ``node``, and every answer has a ``header``. Raises nothing:
        ``{"error": etcd's words}`` tells what cannot be answered.

        - ``range`` (``{"key", "end", "limit", "revision", "by", "order", "values", "count"}``; ``end`` is "" for one
          key and a zero byte for all that follow): ``{"kvs", "count", "more", "cut"}``; ``cut``: some of it is missing.
        - ``watch`` (``{"key", "end", "since"}``; None: from now on): ``{"events": [[PUT or DELETE, pair, pair before]],
          "upto"}``, the changes after one revision up to another.
        - ``status``: ``{"size", "quota", "leader"}``.
        """
        header = self._header(asked["node"])
        try:
            match asked["op"]:
                case "range":
                    return {"header": header, **self._range(asked)}
                case "watch":
                    return {"header": header, **self._watch(asked)}
        except Compacted:
            return {"header": header, "error": _COMPACTED}
        return {"header": header, "size": self._store.size(), "quota": QUOTA_BYTES, "leader": self._leader()}

    # ---- members -----------------------------------------------------------------------------------------

    def _members(self) -> dict[str, str]:
        """How peers call the members on the control plane's nodes, by the nodes' names."""
        found = {}
        for node in self._store.range("nodes"):
            meta = node["metadata"]
            for address in (node.get("status") or {}).get("addresses") or ():
                if address["type"] == "InternalIP" and _CONTROL_PLANE in (meta.get("labels") or {}):
                    found[meta["name"]] = f"https://{address['address']}:2380"
        return found

    def _header(self, node: str) -> JSON:
        members = self._members()
        return {
            "cluster_id": cluster_id(list(members.values())),
            "member_id": member_id(members.get(node, "")),
            "revision": self._store.revision,
            "raft_term": _TERM,
        }

    def _leader(self) -> int:
        return member_id(next(iter(self._members().values()), ""))

    # ---- ranges ------------------------------------------------------------------------------------------

    def _base(self, resource: str) -> str:
        plural, _, group = resource.partition(".")
        place = _SPECIAL.get(resource) or (plural if resource in self._own else f"{group}/{plural}")
        return f"/registry/{place}/"

    def _concerned(self, start: str, end: str) -> Iterator[tuple[str, str]]:
        """(resource, what its keys begin with) of those that may have keys in the range."""
        for resource in sorted({*self._store.resources(), *self._store.past()}):
            base = self._base(resource)
            if end:
                concerned = start < f"{base[:-1]}0" and (end == _FROM_KEY or base < end)
            else:
                concerned = start.startswith(base)
            if concerned:
                yield resource, base

    def _range(self, asked: Any) -> JSON:
        if asked["revision"] > self._store.revision:
            return {"error": _FUTURE}
        found = [
            pair
            for resource, base in self._concerned(asked["key"], asked["end"])
            for pair in self._pairs(resource, base, asked["revision"])
            if _within(pair.key, asked["key"], asked["end"])
        ]
        found.sort(key=lambda pair: pair.key)
        found.sort(key=_SORTS[asked["by"]], reverse=asked["order"] == "DESCEND")
        wanted = [] if asked["count"] else found[: asked["limit"] or len(found)]
        kvs: list[JSON] = []
        left = VALUES_LIMIT
        for pair in wanted[:KEYS_LIMIT]:
            value = pair.value() if asked["values"] else ""
            left -= len(value)
            if left < 0:
                break
            kvs.append(pair.told(value))
        more, cut = 0 < len(wanted) < len(found), len(kvs) < len(wanted)
        return {"kvs": kvs, "count": len(found), "more": more, "cut": cut}

    def _pairs(self, resource: str, base: str, revision: int) -> list[_Pair]:
        objects = self._store.range_at(resource, revision) if revision else self._store.range(resource)
        lives = {
            now.key: now
            for _before, now in _lives(base, self._store.changes(resource))
            if not revision or now.mod <= revision
        }
        unknown = [_Pair(base + key_of(obj), obj, _revision(obj), _revision(obj), 1) for obj in objects]
        return [lives.get(pair.key, pair)._replace(object=pair.object, mod=pair.mod) for pair in unknown]

    # ---- watches -----------------------------------------------------------------------------------------

    def _watch(self, asked: Any) -> JSON:
        since = self._store.revision if asked["since"] is None else asked["since"]
        events: list[tuple[int, str, JSON, JSON | None]] = []
        for resource, base in self._concerned(asked["key"], asked["end"]):
            changes, late = self._store.changes(resource), self._store.since(resource, since)
            last = changes[-1].revision if changes else 0
            for before, now in _lives(base, [*changes, *(event for event in late if event.revision > last)]):
                if now.mod > since and _within(now.key, asked["key"], asked["end"]):
                    known = None if before is None else before.told(before.value())
                    events.append((now.mod, "PUT" if now.version else "DELETE", now.told(now.value()), known))
        events.sort(key=lambda event: event[0])
        told = events[:KEYS_LIMIT]
        upto = told[-1][0] if len(told) < len(events) else self._store.revision
        return {"events": [list(event[1:]) for event in told], "upto": upto}


def _lives(base: str, changes: Iterable[WatchEvent]) -> Iterator[tuple[_Pair | None, _Pair]]:
    """A key before and after each change, the oldest first; one that is gone has the version 0."""
    known: dict[str, _Pair] = {}
    for event in changes:
        key = base + key_of(event.object)
        before = None
        if event.previous is not None:
            mod = _revision(event.previous)
            before = known.get(key, _Pair(key, None, mod, mod, 1))._replace(object=event.previous, mod=mod)
        if event.type == "DELETED":
            now = _Pair(key, None, 0, event.revision, 0)
        elif before is None:
            now = _Pair(key, event.object, event.revision, event.revision, 1)
        else:
            now = before._replace(object=event.object, mod=event.revision, version=before.version + 1)
        known[key] = now
        yield before, now


def _within(key: str, start: str, end: str) -> bool:
    if not end:
        return key == start
    return key >= start and (end == _FROM_KEY or key < end)


def _revision(obj: JSON) -> int:
    return int(obj["metadata"]["resourceVersion"])
