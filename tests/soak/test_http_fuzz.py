"""Random requests: never an exception, never a 5xx that the documentation does not name, never a broken cluster."""

from __future__ import annotations

import json
import random

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.api import KINDS
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.kube_apiserver import ADMIN, Request, UserInfo
from cluster_engine.sim import Journal

from .size import size

pytestmark = pytest.mark.soak

REQUESTS = 250  # a cluster's share; then it must still settle and replay to the same state
CLUSTERS = size(8, 400)

NASTY = [
    None, True, -1, 0, 2**31, 2**63, -(2**63) - 1, 1e308, 0.5, "", " ", "a" * 300, "a/b", "../..", "\x00", "中文", "{}",
    "1Gi", "-1", "0x1", "2026-01-01T00:00:00Z", "not-a-time", [], {}, [None], [[]], [{}], {"": ""}, {"a": None},
    {"name": 1}, [1, "2"], {"$patch": "delete"}, {"$patch": "bogus"}, "default", "kube-system", "true",
]  # fmt: skip
NAMES = [
    *"abcdabcdabcdabcdabcd",
    "web",
    "UPPER",
    "x" * 254,
    "a..b",
    "kube-dns",
    "coredns",
    "control-plane",
    "worker-1",
    "%2e%2e",
    "",
    "中",
]
NAMESPACES = ["default"] * 12 + ["kube-system", "nope", "UPPER", ""]
QUERIES = [
    "dryRun=All", "dryRun=Some", "fieldManager=x", "fieldManager=" + "m" * 200, "force=true", "force=maybe", "limit=1",
    "limit=-1", "limit=x", "continue=abc", "continue=eyJ2IjoxfQ==", "labelSelector=a%3Db", "labelSelector=a%20in%20(",
    "labelSelector=!", "fieldSelector=metadata.name%3Da", "fieldSelector=spec.nope%3D1", "resourceVersion=0",
    "resourceVersion=999999999", "resourceVersion=x", "resourceVersionMatch=Exact", "resourceVersionMatch=NotOlderThan",
    "fieldValidation=Strict", "fieldValidation=Ignore", "fieldValidation=Bogus", "watch=1", "watch=maybe",
    "timeoutSeconds=1", "allowWatchBookmarks=true", "sendInitialEvents=true", "gracePeriodSeconds=0",
    "gracePeriodSeconds=-5", "propagationPolicy=Foreground", "propagationPolicy=Bogus",
    "orphanDependents=true", "pretty=1",
    "tailLines=-1", "container=nope", "previous=true", "sinceSeconds=x", "command=ls", "includeObject=Object",
]  # fmt: skip
ACCEPTS = [
    "application/json", "*/*", "text/html", "application/yaml", "application/vnd.kubernetes.protobuf",
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "application/json;as=Nothing",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "application/json;stream=watch", "",
]  # fmt: skip
TYPES = [
    "application/json", "application/yaml", "application/json-patch+json", "application/merge-patch+json",
    "application/strategic-merge-patch+json", "application/apply-patch+yaml", "application/vnd.kubernetes.protobuf",
    "text/plain", "", "application/json; charset=utf-8",
]  # fmt: skip
METHODS = [
    *["GET", "POST", "PATCH", "PATCH"] * 4,
    "PUT",
    "PUT",
    "PUT",
    "DELETE",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "BREW",
]
SUBRESOURCES = [
    "status", "scale", "log", "exec", "binding", "eviction", "token", "finalize", "proxy", "attach", "portforward",
    "ephemeralcontainers", "resize", "nope",
]  # fmt: skip
POINTERS = ["/spec/replicas", "/metadata/labels/a", "/spec", "", "x", "/spec/containers/0/image"]
USERS = [ADMIN] * 14 + [UserInfo("eve", groups=("system:authenticated",)), UserInfo("system:anonymous")]
OTHER_PATHS = [
    "/",
    "/api",
    "/apis",
    "/version",
    "/healthz",
    "/openapi/v2",
    "/openapi/v3",
    "/metrics",
    "/apis/nope/v1",
    "//",
]
POD_SPEC = {"containers": [{"name": "c", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}]}
TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": POD_SPEC}
SPECS = {
    "Pod": {"spec": POD_SPEC},
    "Deployment": {"spec": {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE}},
    "ReplicaSet": {"spec": {"replicas": 1, "selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE}},
    "DaemonSet": {"spec": {"selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE}},
    "Service": {"spec": {"selector": {"app": "a"}, "ports": [{"port": 80}]}},
    "ConfigMap": {"data": {"k": "v"}},
    "Secret": {"stringData": {"k": "v"}},
    "EndpointSlice": {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.9"]}], "ports": []},
    "PriorityClass": {"value": 10},
    "Event": {
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "a"},
        "reason": "R",
        "message": "m",
    },
}


def spoil(chance: random.Random, value: object, depth: int = 0) -> object:
    """The value with something in it changed."""
    if depth > 6 or not isinstance(value, (dict, list)) or not value or chance.random() < 0.15:
        return chance.choice(NASTY)
    if isinstance(value, dict):
        name = chance.choice(sorted(value))
        kind = chance.random()
        if kind < 0.1:
            return {key: item for key, item in value.items() if key != name}
        if kind < 0.2:
            return {**value, "bogus": chance.choice(NASTY)}
        return {**value, name: spoil(chance, value[name], depth + 1)}
    index = chance.randrange(len(value))
    if chance.random() < 0.15:
        return [*value, value[index]]
    return [*value[:index], spoil(chance, value[index], depth + 1), *value[index + 1 :]]


def body_of(chance: random.Random, kind: Kind, name: str, content_type: str) -> bytes:
    """A body that is right, or nearly, or not at all."""
    obj: object = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name, "labels": {"app": "a"}},
        **SPECS.get(kind.kind, {}),
    }
    if "json-patch" in content_type:
        obj = [
            {"op": chance.choice(["add", "replace", "remove", "test", "move", "copy", "bogus"]),
             "path": chance.choice(POINTERS),
             "from": "/spec", "value": chance.choice(NASTY)}
            for _ in range(chance.randrange(4))
        ]  # fmt: skip
    for _ in range(chance.choice([0, 0, 0, 1, 1, 2, 4])):
        obj = spoil(chance, obj)
    text = json.dumps(obj).encode()
    kind_of_damage = chance.random()
    if kind_of_damage < 0.04:
        return text[: chance.randrange(len(text) + 1)]
    if kind_of_damage < 0.06:
        return bytes(chance.randrange(256) for _ in range(40))
    if kind_of_damage < 0.08:
        return b"k8s\x00" + text
    if kind_of_damage < 0.1:
        return b"[" * chance.choice([10, 119, 121, 5000])
    return text


def request_of(chance: random.Random) -> Request:
    kind = chance.choice(KINDS)
    method = chance.choice(METHODS)
    prefix = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
    name = chance.choice(NAMES)
    path = prefix
    if kind.namespaced and chance.random() < 0.9:
        path += f"/namespaces/{chance.choice(NAMESPACES)}"
    path += f"/{kind.resource}"
    if method not in ("POST",) or chance.random() < 0.2:
        path += f"/{name}" if chance.random() < 0.8 else ""
    if chance.random() < 0.15:
        path += "/" + chance.choice(SUBRESOURCES)
    if chance.random() < 0.05:
        path = chance.choice(OTHER_PATHS)
    query = [
        tuple(chance.choice(QUERIES).split("=", 1)) for _ in range(chance.choice([0, 0, 0, 0, 1, 1, 2, 3]))
    ]
    content_type = chance.choice(TYPES if method != "PATCH" else TYPES[2:6] * 3 + TYPES)
    if method == "PATCH" and "apply" in content_type:
        query.append(("fieldManager", "fuzz"))
    if method != "PATCH" and chance.random() < 0.8:
        content_type = "application/json"
    accept = "application/json" if chance.random() < 0.8 else chance.choice(ACCEPTS)
    headers = {"content-type": content_type, "accept": accept, "user-agent": "fuzz/1"}
    body = body_of(chance, kind, name, content_type) if method not in ("GET", "HEAD") else b""
    return Request(method, path, query, headers, body, chance.choice(USERS))


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_no_request_breaks_the_cluster(seed):
    chance = random.Random(seed)
    cluster = Cluster(nodes=2, seed=seed, freezing=True)
    for number in range(REQUESTS):
        request = request_of(chance)
        told = f"seed {seed}, request {number}: {request}"
        try:
            response = cluster.request(request)
        except Exception as error:
            raise AssertionError(told) from error
        # What is proxied to a node that no machine stands for is answered so by a real API server too.
        lost = response.status == 503 and b"error trying to reach service" in response.body
        # A version from the future: client-go lists anew by this very answer.
        lost = lost or (response.status == 504 and b"ResourceVersionTooLarge" in response.body)
        # Somebody has deleted all ServiceCIDRs: a real API server answers so, too.
        lost = lost or b"failed to allocate a serviceIP: range is full" in response.body
        assert response.status < 500 or response.status == 501 or lost, f"{told}\n{response.body[:600]!r}"
        if response.status >= 400 and response.headers.get("content-type", "").startswith("application/json"):
            status = orjson.loads(response.body)
            assert status["kind"] == "Status", told
            assert status["code"] == response.status, told
            assert status["message"], told
        if response.stream is not None:
            response.stream.take()
            response.stream.cancel()
        if chance.random() < 0.2:
            cluster.advance(chance.choice([0.01, 1.0, 15.0]))
    cluster.advance(60)
    again = Cluster.replay(Journal.from_dict(json.loads(json.dumps(cluster.journal.as_dict()))))
    assert again.state_hash() == cluster.state_hash(), f"seed {seed}: the journal replays to another state"
