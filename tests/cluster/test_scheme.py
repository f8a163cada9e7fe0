"""Kinds come and go in a running cluster, and everything that depends on them follows."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.scheme import Kind, Scheme
from cluster_engine.kube_apiserver import ADMIN, Request, Stream

POLICIES = Kind(
    group="resource.k8s.io",
    version="v1",
    kind="ResourceClaim",
    resource="resourceclaims",
    singular="resourceclaim",
    namespaced=True,
    short_names=("rclaim",),
)
POLICY: dict[str, Any] = {
    "apiVersion": "resource.k8s.io/v1",
    "kind": "ResourceClaim",
    "metadata": {"name": "deny"},
    "spec": {"devices": {}},
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
        cluster.apply(POLICY)
    assert asked(cluster, "/apis/resource.k8s.io/v1")[0] == 404
    assert "apis/resource.k8s.io/v1" not in asked(cluster, "/openapi/v3")[1]["paths"]
    cluster.scheme.register(POLICIES)
    assert cluster.apply(POLICY)[0]["spec"]["devices"] == {}
    assert [r["name"] for r in asked(cluster, "/apis/resource.k8s.io/v1")[1]["resources"]] == [
        "resourceclaims"
    ]
    groups = asked(cluster, "/apis")[1]["groups"]
    assert "resource.k8s.io" in [group["name"] for group in groups]
    assert "apis/resource.k8s.io/v1" in asked(cluster, "/openapi/v3")[1]["paths"]
    assert cluster.kind_of("rclaim") is POLICIES
    assert cluster.get("rclaim", "deny") is not None


def test_an_unregistered_kind_is_gone(cluster: Cluster) -> None:
    cluster.scheme.register(POLICIES)
    cluster.apply(POLICY)
    cluster.scheme.unregister(POLICIES.group_resource)
    assert asked(cluster, "/apis/resource.k8s.io/v1/resourceclaims") == (404, "404 page not found\n")
    assert asked(cluster, "/apis/resource.k8s.io/v1")[0] == 404
    with pytest.raises(KeyError, match='a resource type "rclaim"'):
        cluster.get("rclaim", "deny")
    with pytest.raises(KeyError):
        cluster.scheme.unregister(POLICIES.group_resource)


def test_watches_end_with_their_kind(cluster: Cluster) -> None:
    cluster.scheme.register(POLICIES)

    def watch(path: str) -> tuple[Stream, list[str]]:
        told: list[str] = []
        stream = cluster.request(Request("GET", path, [("watch", "true")], {}, b"", ADMIN)).stream
        assert stream is not None
        stream.take()
        stream.subscribe(lambda: told.append("told"))
        return stream, told

    gone, told = watch("/apis/resource.k8s.io/v1/resourceclaims")
    stays, told_nothing = watch("/api/v1/configmaps")
    cluster.scheme.unregister(POLICIES.group_resource)
    assert (gone.closed, told, gone.take()) == (True, ["told"], b"")
    assert (stays.closed, told_nothing) == (False, [])


def test_the_garbage_collector_follows(cluster: Cluster) -> None:
    cluster.scheme.register(POLICIES)
    owner = cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}})[0]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    cluster.apply({**POLICY, "metadata": {"name": "deny", "ownerReferences": [reference]}})
    cluster.delete("configmaps", "owner")
    cluster.settle()
    assert cluster.get("rclaim", "deny") is None


def test_a_namespace_is_emptied_of_it(cluster: Cluster) -> None:
    cluster.scheme.register(POLICIES)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "away"}})
    cluster.apply(POLICY, namespace="away")
    cluster.delete("namespaces", "away")
    cluster.settle()
    assert cluster.get("namespaces", "away") is None
    assert cluster.get("rclaim", "deny", "away") is None


def test_a_fork_serves_what_its_original_serves(cluster: Cluster) -> None:
    cluster.scheme.register(POLICIES)
    twin = cluster.fork()
    twin.apply(POLICY)
    assert twin.get("rclaim", "deny") is not None
    assert cluster.get("rclaim", "deny") is None
    twin.scheme.unregister(POLICIES.group_resource)
    assert cluster.kind_of("rclaim") is POLICIES


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param({"kind": "Other"}, "two kinds are called resourceclaims.resource.k8s.io", id="resource"),
        pytest.param(
            {"resource": "others"},
            "two kinds of the group 'resource.k8s.io' are called ResourceClaim",
            id="kind",
        ),
    ],
)
def test_a_name_is_taken_once(second: dict[str, str], expected: str) -> None:
    facts = {"kind": "ResourceClaim", "resource": "resourceclaims", **second}
    with pytest.raises(ValueError, match=expected):
        Scheme(
            [POLICIES, Kind(group="resource.k8s.io", version="v1", singular="x", namespaced=True, **facts)]
        )
