"""Paths and what they ask for (as requestinfo_test.go)."""

import pytest

from cluster_engine.kube_apiserver import Request
from cluster_engine.kube_apiserver.requests import parse

CASES = {
    "list-namespaced": (
        "GET",
        "/api/v1/namespaces/other/pods",
        "",
        ("list", "", "v1", "other", "pods", "", ""),
    ),
    "get-namespaced": (
        "GET",
        "/api/v1/namespaces/other/pods/foo",
        "",
        ("get", "", "v1", "other", "pods", "", "foo"),
    ),
    "get-subresource": (
        "GET",
        "/apis/apps/v1/namespaces/other/deployments/foo/scale",
        "",
        ("get", "apps", "v1", "other", "deployments", "scale", "foo"),
    ),
    "list-all": ("GET", "/api/v1/pods", "", ("list", "", "v1", "", "pods", "", "")),
    "watch-all": ("GET", "/api/v1/pods", "true", ("watch", "", "v1", "", "pods", "", "")),
    "watch-off": ("GET", "/api/v1/pods", "false", ("list", "", "v1", "", "pods", "", "")),
    "old-watch": ("GET", "/api/v1/watch/pods", "", ("watch", "", "v1", "", "pods", "", "")),
    "namespace": (
        "GET",
        "/api/v1/namespaces/other",
        "",
        ("get", "", "v1", "other", "namespaces", "", "other"),
    ),
    "namespace-finalize": (
        "PUT",
        "/api/v1/namespaces/other/finalize",
        "",
        ("update", "", "v1", "other", "namespaces", "finalize", "other"),
    ),
    "delete-collection": (
        "DELETE",
        "/api/v1/namespaces/other/pods",
        "",
        ("deletecollection", "", "v1", "other", "pods", "", ""),
    ),
    "patch": ("PATCH", "/api/v1/nodes/n1/status", "", ("patch", "", "v1", "", "nodes", "status", "n1")),
    "create": ("POST", "/api/v1/namespaces", "", ("create", "", "v1", "", "namespaces", "", "")),
}


@pytest.mark.parametrize(("method", "path", "watch", "expected"), CASES.values(), ids=CASES.keys())
def test_resources(method: str, path: str, watch: str, expected: tuple[str, ...]) -> None:
    info = parse(Request(method, path, [("watch", watch)] if watch else []))
    assert info.is_resource
    found = (info.verb, info.group, info.version, info.namespace, info.resource, info.subresource, info.name)
    assert found == expected


@pytest.mark.parametrize("path", ["/", "/api", "/apis", "/apis/apps", "/apis/apps/v1", "/api/v1", "/healthz"])
def test_paths_that_are_no_resources(path: str) -> None:
    info = parse(Request("GET", path))
    assert not info.is_resource
    assert info.verb == "get"
