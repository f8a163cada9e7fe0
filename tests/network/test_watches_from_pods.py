"""A client in a Pod watches: what happens comes to it as it happens, for as long as it wants."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.container_runtime import http_streams
from cluster_engine.kube_apiserver import ADMIN, Request
from tests.network.test_api_from_pods import API, CURL, OBJECTS, pod

MAPS = f"{API}/api/v1/namespaces/default/configmaps"


def watcher(name: str, query: str) -> dict[str, Any]:
    made = pod(name, "nicolaka/netshoot", "robot")
    made["spec"]["containers"][0]["command"] = [
        "sh",
        "-c",
        f"{CURL} -N '{MAPS}?{query}'; echo; echo over; sleep 1d",
    ]
    return made


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.apply(OBJECTS)
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def change(cluster: Cluster, name: str, text: str) -> None:
    meta = {"name": name, "namespace": "default"}
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"text": text}})


def seen(cluster: Cluster, name: str) -> list[str]:
    path = f"/api/v1/namespaces/default/pods/{name}/log"
    said = cluster.request(Request("GET", path, user=ADMIN)).body.decode()
    rows = []
    for line in filter(None, said.splitlines()):
        event = json.loads(line) if line.startswith("{") else None
        rows.append(line if event is None else f"{event['type']} {event['object']['metadata']['name']}")
    return rows


def test_what_happens_comes(cluster: Cluster) -> None:
    cluster.apply(watcher("watches", "watch=true&fieldSelector=metadata.name%3Dbig"))
    cluster.advance(5)
    assert seen(cluster, "watches") == ["ADDED big"]
    change(cluster, "big", "other")
    change(cluster, "unseen", "other")
    cluster.advance(3)
    cluster.delete("configmaps", "big", "default")
    cluster.advance(3)
    assert seen(cluster, "watches") == ["ADDED big", "MODIFIED big", "DELETED big"]


def test_it_ends_when_it_wants(cluster: Cluster) -> None:
    cluster.apply(watcher("watches", "watch=true&timeoutSeconds=10&fieldSelector=metadata.name%3Dbig"))
    cluster.advance(8)
    assert seen(cluster, "watches") == ["ADDED big"]
    cluster.advance(10)
    change(cluster, "big", "other")
    cluster.advance(3)
    assert seen(cluster, "watches") == ["ADDED big", "over"]


def test_where_it_is_cut_does_not_show(cluster: Cluster) -> None:
    cluster.apply(watcher("watches", "watch=true&fieldSelector=metadata.name%3Dbig"))
    cluster.advance(5)
    other = Cluster.resume(cluster.keyframe(), [])
    for each in (cluster, other):
        change(each, "big", "other")
        each.advance(4)
    assert seen(other, "watches") == seen(cluster, "watches") == ["ADDED big", "MODIFIED big"]
    assert other.state_hash() == cluster.state_hash()


def test_a_client_that_goes_is_forgotten(cluster: Cluster) -> None:
    def kept() -> bool:
        return "watch=true" in str(cluster.components["kubelet"].state())

    cluster.apply(watcher("watches", "watch=true"))
    cluster.advance(5)
    cluster.delete("pods", "watches", "default")
    assert kept()
    cluster.advance(40)
    assert not kept()


def test_so_many_watch(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_streams, "STREAMS", 1)
    for name in ("first", "second"):
        cluster.apply(watcher(name, "watch=true&fieldSelector=metadata.name%3Dbig"))
        cluster.advance(5)
    assert seen(cluster, "first") == ["ADDED big"]
    assert seen(cluster, "second") == ["Too many requests, please try again later.", "over"]
