"""Whatever a fresh cluster holds can be labelled over HTTP: no component writes what the API would write otherwise."""

from __future__ import annotations

import json

import pytest

from cluster_engine.cluster import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request

HEADERS = {"content-type": "application/merge-patch+json", "accept": "application/json"}
BODY = json.dumps({"metadata": {"labels": {"seen": "yes"}}}).encode()


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    made = Cluster(nodes=2, freezing=True)
    box = {"name": "c", "image": "nginx"}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [box]}}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    made.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
    made.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        }
    )
    made.settle()
    return made


def test_all_of_it(cluster: Cluster) -> None:
    refused, tried = [], 0
    for kind in cluster.scheme.kinds:
        if kind.computed is not None or "patch" not in kind.verbs:
            continue
        for obj in cluster.store.range(kind.group_resource):
            meta = obj["metadata"]
            scope = f"/namespaces/{meta['namespace']}" if kind.namespaced else ""
            path = f"{kind.forms[0].path}{scope}/{kind.resource}/{meta['name']}"
            response = cluster.request(Request("PATCH", path, [], HEADERS, BODY, ADMIN))
            tried += 1
            if response.status != 200:
                refused.append((path, json.loads(response.body)["message"][:300]))
    assert refused == []
    assert tried > 100
