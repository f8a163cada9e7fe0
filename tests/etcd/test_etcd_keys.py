"""The store as etcd's clients see it: where each resource stands, ranges, bounds."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine.api import KINDS
from cluster_engine.etcd import Store
from cluster_engine.etcd.keys import KEYS_LIMIT, VALUES_LIMIT, Keys
from cluster_engine.sim import Clock, parse_rfc3339

# resource: its first key
PLACES = {
    "pods": "/registry/pods/a/x",
    "services": "/registry/services/specs/a/x",
    "endpoints": "/registry/services/endpoints/a/x",
    "nodes": "/registry/minions/x",
    "replicationcontrollers": "/registry/controllers/a/x",
    "deployments.apps": "/registry/deployments/a/x",
    "ingresses.networking.k8s.io": "/registry/ingress/a/x",
    "leases.coordination.k8s.io": "/registry/leases/a/x",
    "clusterroles.rbac.authorization.k8s.io": "/registry/clusterroles/x",
    "customresourcedefinitions.apiextensions.k8s.io": (
        "/registry/apiextensions.k8s.io/customresourcedefinitions/x"
    ),
    "boats.shop.example.com": "/registry/shop.example.com/boats/a/x",
}
CLUSTERED = (
    "nodes",
    "clusterroles.rbac.authorization.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
)


def put(store: Store, resource: str, name: str = "x", **more: Any) -> None:
    namespace = "" if resource in CLUSTERED else "a"
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    store.put(resource, f"{namespace}/{name}" if namespace else name, {"metadata": meta, **more}, expect=0)


@pytest.fixture
def store() -> Store:
    return Store(Clock(parse_rfc3339("2026-01-01T00:00:00Z")))


def ask(store: Store, key: str, prefix: bool = True, limit: int = 0, values: bool = False) -> Any:
    keys = Keys(store, frozenset(kind.group_resource for kind in KINDS))
    end = key[:-1] + chr(ord(key[-1]) + 1) if prefix else ""
    chosen = {"limit": limit, "revision": 0, "by": "KEY", "order": "ASCEND", "values": values, "count": False}
    return keys.answer({"op": "range", "node": "n", "key": key, "end": end, **chosen})


def pairs(found: Any) -> list[tuple[str, str]]:
    return [(pair["key"], pair["value"]) for pair in found["kvs"]]


@pytest.mark.parametrize(("resource", "key"), PLACES.items(), ids=PLACES)
def test_where_a_resource_stands(store: Store, resource: str, key: str) -> None:
    put(store, resource)
    for asked in ("/", "/registry", key.rsplit("/", 1)[0] + "/", key):
        assert pairs(ask(store, asked)) == [(key, "")]
    assert pairs(ask(store, key, prefix=False)) == [(key, "")]
    assert ask(store, key[:-1], prefix=False)["kvs"] == []
    assert ask(store, "/registry/other/")["kvs"] == []


def test_keys_are_sorted_and_limited(store: Store) -> None:
    for name in ("c", "a", "b"):
        put(store, "pods", name)
    put(store, "configmaps", "z")
    found = ask(store, "/registry/")
    assert [key for key, _ in pairs(found)] == [
        "/registry/configmaps/a/z", "/registry/pods/a/a", "/registry/pods/a/b", "/registry/pods/a/c",
    ]  # fmt: skip
    few = ask(store, "/registry/pods/", limit=2)
    assert (len(few["kvs"]), few["count"], few["cut"]) == (2, 3, False)


def test_values_are_bytes_without_the_revision(store: Store) -> None:
    put(store, "configmaps", "m", data={"word": "größe"})
    [(_, value)] = pairs(ask(store, "/registry/configmaps/a/m", prefix=False, values=True))
    assert orjson.loads(value.encode("latin-1")) == {
        "metadata": {"name": "m", "namespace": "a"}, "data": {"word": "größe"},
    }  # fmt: skip


def test_an_answer_is_bounded(store: Store) -> None:
    for number in range(KEYS_LIMIT + 1):
        put(store, "configmaps", f"{number:05}")
    found = ask(store, "/registry/")
    assert (len(found["kvs"]), found["count"], found["cut"]) == (KEYS_LIMIT, KEYS_LIMIT + 1, True)
    for number in range(3):
        put(store, "secrets", f"{number}", data="x" * (VALUES_LIMIT // 2 - 500))
    found = ask(store, "/registry/secrets/", values=True)
    assert (len(found["kvs"]), found["cut"]) == (2, True)
