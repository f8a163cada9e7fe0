"""Watches in every form: whole objects, Tables, metadata; from a list, from nothing, with streamed lists; resumed
from the last event or bookmark; and through compactions, after which a client is told 410 and lists again.

Whatever the form, a client that has read all it is sent knows what the server knows, and each version that it is
told of is newer than the last.
"""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request

from .size import size
from .test_watch_model import JSON, PATH, write

pytestmark = pytest.mark.soak

HISTORIES = size(25, 1_000)
OPERATIONS = size(150, 1_000)
ACCEPTS = (
    "application/json",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
)
SELECTORS = ("", "app=a", "app!=a", "app in (a,b)", "!app", "name=c1")


class Client:
    """One client, which lists, watches, loses its connection and goes on."""

    def __init__(self, cluster: Cluster, chance: random.Random) -> None:
        self.cluster = cluster
        self.chance = chance
        self.accept = chance.choice(ACCEPTS)
        selector = chance.choice(SELECTORS)
        if selector == "name=c1":
            self.query = [("fieldSelector", "metadata.name=c1")]
        else:
            self.query = [("labelSelector", selector)] if selector else []
        self.known: dict[str, str] = {}
        self.version = 0
        self.expired = 0
        self.begin()

    def begin(self) -> None:
        """From nothing, in one of the ways that there are."""
        self.known, self.version = {}, 0
        way = self.chance.choice(("list", "streamed", "plain"))
        if way == "list":
            self.known, self.version = current(self.cluster, self.query)
            self.open([("resourceVersion", str(self.version))])
        elif way == "streamed":
            self.open([("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")])
        else:
            self.open([])

    def open(self, more: list[tuple[str, str]]) -> None:
        query = [*self.query, ("watch", "1"), ("allowWatchBookmarks", "true"), *more]
        headers = {**JSON, "accept": self.accept}
        response = self.cluster.request(Request("GET", PATH, query, headers, b"", ADMIN))
        assert response.status == 200, response.body
        assert response.stream is not None
        self.stream = response.stream
        # Existing objects are sent in order of their names: they are not the history.
        self.initial = not any(name == "resourceVersion" for name, _ in more)
        self.floor = self.cluster.store.revision

    def read(self, mark: bool = False) -> None:
        while data := self.stream.take():
            self.take(data)
        if mark:
            self.take(self.stream.tick())
            assert self.stream.closed or self.version == self.cluster.store.revision

    def take(self, data: bytes) -> None:
        for line in data.splitlines():
            event = orjson.loads(line)
            if event["type"] == "ERROR":
                assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
                self.expired += 1
                self.begin()
                self.read()
                return
            self.tell(event["type"], event["object"])

    def tell(self, kind: str, obj: dict[str, Any]) -> None:
        if obj["kind"] == "Table":
            assert len(obj["rows"]) == (kind != "BOOKMARK")
            meta = obj["metadata"] if kind == "BOOKMARK" else obj["rows"][0]["object"]["metadata"]
        else:
            meta = obj["metadata"]
        version = int(meta["resourceVersion"])
        if kind == "BOOKMARK":
            assert version >= self.version
            self.version, self.initial = version, False
            return
        name = meta["name"]
        if self.initial and version <= self.floor:
            assert kind == "ADDED"
            self.version = max(self.version, version)
        else:
            assert version > self.version, "an event came twice or out of order"
            self.version = version
        assert (kind == "ADDED") == (name not in self.known)
        if kind == "DELETED":
            del self.known[name]
        else:
            self.known[name] = meta["resourceVersion"]

    def resume(self) -> None:
        """The connection breaks; the client goes on from the last version that it was told of."""
        self.stream.cancel()
        # Existing objects alone do not tell how far a watch has come: their newest may be older than a deletion.
        if self.version and not (self.initial and self.version < self.floor):
            self.open([("resourceVersion", str(self.version))])
        else:
            self.begin()


def current(cluster: Cluster, query: list[tuple[str, str]]) -> tuple[dict[str, str], int]:
    """(name → version, version of the list) as a list has it."""
    listed = orjson.loads(cluster.request(Request("GET", PATH, query, JSON, b"", ADMIN)).body)
    known = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in listed["items"]}
    return known, int(listed["metadata"]["resourceVersion"])


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_clients_know_what_the_server_knows(seed: int) -> None:
    chance = random.Random(seed)
    cluster = Cluster(nodes=1, seed=seed, addons=False)
    clients: list[Client] = []
    for _ in range(OPERATIONS):
        roll = chance.random()
        if roll < 0.7:
            write(chance, cluster)
        elif roll < 0.78 and len(clients) < 12:
            clients.append(Client(cluster, chance))
        elif roll < 0.81:
            cluster.store.compact(cluster.store.revision - chance.randrange(12))
        elif clients and roll < 0.9:
            client = chance.choice(clients)
            if chance.random() < 0.7:
                client.read()  # else what was not read is lost with the connection
            client.resume()
        elif clients:
            chance.choice(clients).read(mark=chance.random() < 0.5)
    for client in clients:
        client.read()
        assert client.known == current(cluster, client.query)[0], f"seed {seed}"


def test_a_bookmark_is_never_ahead_of_what_was_sent() -> None:
    """A streamed list of more objects than one reading gives, read slowly."""
    cluster = Cluster(nodes=1, boot=False)
    for number in range(1_200):
        obj = {"metadata": {"name": f"c{number:04}", "namespace": "default"}}
        cluster.store.put("configmaps", f"default/c{number:04}", obj)
    query = [
        ("watch", "1"),
        ("allowWatchBookmarks", "true"),
        ("sendInitialEvents", "true"),
        ("resourceVersionMatch", "NotOlderThan"),
    ]
    stream = cluster.request(Request("GET", PATH, query, JSON, b"", ADMIN)).stream
    assert stream is not None
    seen = 0
    while data := stream.take():
        events = [orjson.loads(line) for line in data.splitlines()]
        seen += sum(event["type"] == "ADDED" for event in events)
        assert all(event["type"] == "ADDED" for event in events) or seen == 1_200
        assert seen == 1_200 or stream.tick() == b""
    assert seen == 1_200
    assert b"BOOKMARK" in stream.tick()
