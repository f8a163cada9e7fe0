"""Clients that list and watch over HTTP, at random moments of random histories, always know what the server knows."""

from __future__ import annotations

import random

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request

from .size import size

pytestmark = pytest.mark.soak

HISTORIES = size(25, 1_000)
OPERATIONS = size(120, 1_000)
PATH = "/api/v1/namespaces/default/configmaps"
JSON = {"content-type": "application/json", "accept": "application/json"}


class Follower:
    """One client: what it believes, and what it has been told."""

    def __init__(self, cluster: Cluster, selector: str) -> None:
        self.cluster = cluster
        self.query = [("labelSelector", selector)] if selector else []
        listed = orjson.loads(cluster.request(Request("GET", PATH, self.query, JSON, b"", ADMIN)).body)
        self.known = {
            item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in listed["items"]
        }
        self.version = int(listed["metadata"]["resourceVersion"])
        self.stream = self.watch(self.version)

    def watch(self, version: int):
        query = [
            *self.query,
            ("watch", "1"),
            ("resourceVersion", str(version)),
            ("allowWatchBookmarks", "true"),
        ]
        response = self.cluster.request(Request("GET", PATH, query, JSON, b"", ADMIN))
        assert response.status == 200, response.body
        assert response.stream is not None
        return response.stream

    def read(self) -> None:
        while data := self.stream.take():
            for line in data.splitlines():
                self.take(orjson.loads(line))

    def take(self, event: dict) -> None:
        meta = event["object"]["metadata"]
        version = int(meta["resourceVersion"])
        if event["type"] == "BOOKMARK":
            assert version >= self.version
            return
        assert version > self.version, "an event came twice or out of order"
        self.version = version
        name = meta["name"]
        if event["type"] == "ADDED":
            assert name not in self.known
        else:
            assert name in self.known
        if event["type"] == "DELETED":
            del self.known[name]
        else:
            self.known[name] = meta["resourceVersion"]


def write(chance: random.Random, cluster: Cluster) -> None:
    name = f"c{chance.randrange(6)}"
    if chance.random() < 0.3:
        cluster.request(Request("DELETE", f"{PATH}/{name}", [], JSON, b"", ADMIN))
        return
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"app": chance.choice("ab")}},
        "data": {"n": str(chance.randrange(4))},
    }
    query = [("fieldManager", "model"), ("force", "true")]
    headers = {**JSON, "content-type": "application/apply-patch+yaml"}
    answer = cluster.request(Request("PATCH", f"{PATH}/{name}", query, headers, orjson.dumps(body), ADMIN))
    assert answer.status in (200, 201), answer.body


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_followers_know_what_the_server_knows(seed):
    chance = random.Random(seed)
    cluster = Cluster(nodes=1, seed=seed)
    followers: list[Follower] = []
    for _ in range(OPERATIONS):
        roll = chance.random()
        if roll < 0.75:
            write(chance, cluster)
        elif roll < 0.83 and len(followers) < 12:
            followers.append(Follower(cluster, chance.choice(["", "app=a", "app!=a"])))
        elif roll < 0.9 and followers:
            follower = chance.choice(followers)
            follower.read()
            follower.stream.cancel()  # the connection breaks; the client goes on from where it was
            follower.stream = follower.watch(follower.version)
        elif followers:
            chance.choice(followers).read()
    for follower in followers:
        follower.read()
        fresh = Follower(cluster, dict(follower.query).get("labelSelector", ""))
        assert follower.known == fresh.known, f"seed {seed}"


def test_a_watch_from_before_the_history_is_told_to_list_again():
    cluster = Cluster(nodes=1)
    follower = Follower(cluster, "")
    for number in range(3):
        write(random.Random(number), cluster)
    cluster.store.compact(cluster.store.revision)
    query = [("watch", "1"), ("resourceVersion", str(follower.version))]
    response = cluster.request(Request("GET", PATH, query, JSON, b"", ADMIN))
    told = orjson.loads(response.body or response.stream.take().splitlines()[0])
    status = told if response.status == 410 else told["object"]
    assert (status["code"], status["reason"]) == (410, "Expired")
