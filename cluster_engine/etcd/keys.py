"""The store as etcd's own clients see it: one range of keys below ``/registry``, to be read.

Models k8s.io/apiserver/pkg/registry/generic/registry (the keys of objects) and
pkg/kubeapiserver/default_storage_factory_builder.go (SpecialDefaultResourcePrefixes).
"""

from __future__ import annotations

from typing import Any

import orjson

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.etcd.store import Store

KEYS_LIMIT = 5_000
"""Keys that one answer holds."""
VALUES_LIMIT = 262_144
"""Bytes of values that one answer holds."""

_SPECIAL = {
    "services": "services/specs",
    "endpoints": "services/endpoints",
    "nodes": "minions",
    "replicationcontrollers": "controllers",
    "ingresses.networking.k8s.io": "ingress",
    "customresourcedefinitions.apiextensions.k8s.io": "apiextensions.k8s.io/customresourcedefinitions",
}


class Keys:
    """Answers ranges of keys. ``own`` names the built-in resources; others stand below their group."""

    def __init__(self, store: Store, own: frozenset[str]) -> None:
        self._store = store
        self._own = own

    def _base(self, resource: str) -> str:
        plural, _, group = resource.partition(".")
        place = _SPECIAL.get(resource) or (plural if resource in self._own else f"{group}/{plural}")
        return f"/registry/{place}/"

    def answer(self, asked: Any) -> JSON:
        """``{"key", "prefix", "limit", "values"}`` is answered by ``{"kvs": [[key, value]], "count", "cut"}``.

        Texts are byte texts. ``cut``: some of what was asked for is not in the answer.
        """
        start, prefix = asked["key"], asked["prefix"]
        found: list[tuple[str, JSON]] = []
        for resource in self._store.resources():
            base = self._base(resource)
            if not base.startswith(start) and not start.startswith(base):
                continue
            for obj in self._store.range(resource):
                meta = obj["metadata"]
                place = f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else meta["name"]
                key = base + place
                if key == start or (prefix and key.startswith(start)):
                    found.append((key, obj))
        found.sort(key=lambda pair: pair[0])
        wanted = found[: asked["limit"] or len(found)]
        kvs: list[list[str]] = []
        left = VALUES_LIMIT
        for key, obj in wanted[:KEYS_LIMIT]:
            value = _value(obj) if asked["values"] else ""
            left -= len(value)
            if left < 0:
                break
            kvs.append([key, value])
        return {"kvs": kvs, "count": len(found), "cut": len(kvs) < len(wanted)}


def _value(obj: JSON) -> str:
    meta = {name: value for name, value in obj["metadata"].items() if name != "resourceVersion"}
    return orjson.dumps({**obj, "metadata": meta}).decode("latin-1")
