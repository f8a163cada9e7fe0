"""Kinds come and go in a running cluster, and everything that depends on them follows."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.scheme import Kind, Scheme
from cluster_engine.kube_apiserver import ADMIN, Request, Stream

BERTHS = Kind(
    group="harbour.example.com",
    version="v1",
    kind="Berth",
    resource="berths",
    singular="berth",
    namespaced=True,
    short_names=("dock",),
    openapi={
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"metres": {"type": "integer"}}}},
    },
)
BERTH: dict[str, Any] = {
    "apiVersion": "harbour.example.com/v1",
    "kind": "Berth",
    "metadata": {"name": "first"},
    "spec": {"metres": 12},
}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(nodes=1, seed=3, control_plane=False, freezing=True)


def asked(cluster: Cluster, path: str, method: str = "GET") -> tuple[int, Any]:
    response = cluster.request(Request(method, path, [], {"accept": "application/json"}, b"", ADMIN))
    body = response.body
    return response.status, orjson.loads(body) if body.startswith(b"{") else body.decode()


def test_a_kind_is_served_from_when_it_is_registered(cluster: Cluster) -> None:
    with pytest.raises(ApiError, match="no matches for kind"):
        cluster.apply(BERTH)
    assert asked(cluster, "/apis/harbour.example.com/v1")[0] == 404
    assert "apis/harbour.example.com/v1" not in asked(cluster, "/openapi/v3")[1]["paths"]
    cluster.scheme.register(BERTHS)
    assert cluster.apply(BERTH)[0]["spec"]["metres"] == 12
    assert [r["name"] for r in asked(cluster, "/apis/harbour.example.com/v1")[1]["resources"]] == ["berths"]
    groups = asked(cluster, "/apis")[1]["groups"]
    assert "harbour.example.com" in [group["name"] for group in groups]
    assert "apis/harbour.example.com/v1" in asked(cluster, "/openapi/v3")[1]["paths"]
    assert cluster.kind_of("dock") is BERTHS
    assert cluster.get("dock", "first") is not None


def test_an_unregistered_kind_is_gone(cluster: Cluster) -> None:
    cluster.scheme.register(BERTHS)
    cluster.apply(BERTH)
    cluster.scheme.unregister(BERTHS.group_resource)
    assert asked(cluster, "/apis/harbour.example.com/v1/berths") == (404, "404 page not found\n")
    assert asked(cluster, "/apis/harbour.example.com/v1")[0] == 404
    with pytest.raises(KeyError, match='a resource type "dock"'):
        cluster.get("dock", "first")
    with pytest.raises(KeyError):
        cluster.scheme.unregister(BERTHS.group_resource)


def test_watches_end_with_their_kind(cluster: Cluster) -> None:
    cluster.scheme.register(BERTHS)

    def watch(path: str) -> tuple[Stream, list[str]]:
        told: list[str] = []
        stream = cluster.request(Request("GET", path, [("watch", "true")], {}, b"", ADMIN)).stream
        assert stream is not None
        stream.take()
        stream.subscribe(lambda: told.append("told"))
        return stream, told

    gone, told = watch("/apis/harbour.example.com/v1/berths")
    stays, told_nothing = watch("/api/v1/configmaps")
    cluster.scheme.unregister(BERTHS.group_resource)
    assert (gone.closed, told, gone.take()) == (True, ["told"], b"")
    assert (stays.closed, told_nothing) == (False, [])


def test_the_garbage_collector_follows(cluster: Cluster) -> None:
    cluster.scheme.register(BERTHS)
    owner = cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}})[0]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    cluster.apply({**BERTH, "metadata": {"name": "first", "ownerReferences": [reference]}})
    cluster.delete("configmaps", "owner")
    cluster.settle()
    assert cluster.get("dock", "first") is None


def test_a_namespace_is_emptied_of_it(cluster: Cluster) -> None:
    cluster.scheme.register(BERTHS)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "away"}})
    cluster.apply(BERTH, namespace="away")
    cluster.delete("namespaces", "away")
    cluster.settle()
    assert cluster.get("namespaces", "away") is None
    assert cluster.get("dock", "first", "away") is None


def test_a_fork_serves_what_its_original_serves(cluster: Cluster) -> None:
    cluster.scheme.register(BERTHS)
    twin = cluster.fork()
    twin.apply(BERTH)
    assert twin.get("dock", "first") is not None
    assert cluster.get("dock", "first") is None
    twin.scheme.unregister(BERTHS.group_resource)
    assert cluster.kind_of("dock") is BERTHS


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param({"kind": "Other"}, "two kinds are called berths.harbour.example.com", id="resource"),
        pytest.param(
            {"resource": "others"},
            "two kinds of the group 'harbour.example.com' are called Berth",
            id="kind",
        ),
    ],
)
def test_a_name_is_taken_once(second: dict[str, str], expected: str) -> None:
    facts = {"kind": "Berth", "resource": "berths", **second}
    with pytest.raises(ValueError, match=expected):
        Scheme(
            [BERTHS, Kind(group="harbour.example.com", version="v1", singular="x", namespaced=True, **facts)]
        )
