"""Several clients write at random, kinds come and go among them: Hypothesis looks for a history that breaks what holds.

Revisions strictly grow; a watch delivers exactly what follows, once; what was listed and watched is what the store
holds; no update is lost; every field that has an owner is there; the journal leads to the same state.
"""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sea import BOATS, CRDS, NAME, definition, schema, version

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request, Response, Stream
from tests.soak.size import size

JSON = dict[str, Any]
MAPS = "/api/v1/namespaces/default/configmaps"
HEADERS = {"content-type": "application/json", "accept": "application/json"}
CLIENTS, NAMES = st.sampled_from(("ann", "bob", "cleo")), st.sampled_from(("x", "y", "z"))
PLACES = st.sampled_from((MAPS, BOATS))
_OPEN = version(openapi=schema(**{name: {"type": "string"} for name in ("ann", "bob", "cleo")}))


class Follower:
    """Who listed and watches: what it believes is there, and the last revision that it heard of."""

    def __init__(self, listed: JSON, stream: Stream) -> None:
        self.known = {
            item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in listed["items"]
        }
        self.revision = int(listed["metadata"]["resourceVersion"])
        self.stream = stream

    def read(self) -> None:
        while data := self.stream.take():
            for line in data.splitlines():
                event = orjson.loads(line)
                meta = event["object"]["metadata"]
                assert int(meta["resourceVersion"]) > self.revision, "an event came twice, or out of order"
                self.revision = int(meta["resourceVersion"])
                assert (meta["name"] in self.known) == (event["type"] != "ADDED")
                self.known[meta["name"]] = meta["resourceVersion"]
                if event["type"] == "DELETED":
                    del self.known[meta["name"]]


class SeveralClients(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.cluster = Cluster(nodes=0, addons=False, freezing=True, strict=True)
        self.copies: dict[tuple[str, str, str], JSON] = {}
        """By client, place and name: the object as the client read it last."""
        self.followers: dict[str, list[Follower]] = {MAPS: [], BOATS: []}
        self.last = 0
        self.defined = False
        self.count = 0

    # ---- requests ------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: Any = None, query: Any = (), kind: str = "") -> Response:
        data = b"" if body is None else orjson.dumps(body)
        headers = {**HEADERS, "content-type": kind or HEADERS["content-type"]}
        return self.cluster.request(Request(method, path, list(query), headers, data, ADMIN))

    def wrote(self, reply: Response) -> JSON:
        """The object that a write gave, of a revision above all before."""
        obj: JSON = orjson.loads(reply.body)
        revision = int(obj["metadata"]["resourceVersion"])
        assert revision > self.last
        self.last = revision
        return obj

    def live(self, place: str, name: str) -> JSON | None:
        reply = self.call("GET", f"{place}/{name}")
        return orjson.loads(reply.body) if reply.status == 200 else None

    def filled(self, place: str, name: str, client: str) -> JSON:
        self.count += 1
        field = "data" if place == MAPS else "spec"
        head = ("v1", "ConfigMap") if place == MAPS else ("shop.example.com/v1", "Boat")
        return {
            "apiVersion": head[0],
            "kind": head[1],
            "metadata": {"name": name},
            field: {client: str(self.count)},
        }

    # ---- what clients do -----------------------------------------------------------------------------

    @rule(client=CLIENTS, place=PLACES, name=NAMES)
    def create(self, client: str, place: str, name: str) -> None:
        before = self.live(place, name)
        reply = self.call("POST", place, self.filled(place, name, client), [("fieldManager", client)])
        expected = 404 if place == BOATS and not self.defined else 409 if before else 201
        assert reply.status == expected, reply.body
        if expected == 201:
            self.copies[client, place, name] = self.wrote(reply)

    @rule(client=CLIENTS, place=PLACES, name=NAMES)
    def read(self, client: str, place: str, name: str) -> None:
        found = self.live(place, name)
        if found is not None:
            self.copies[client, place, name] = found

    @rule(client=CLIENTS, place=PLACES, name=NAMES)
    def update(self, client: str, place: str, name: str) -> None:
        copy, live = self.copies.get((client, place, name)), self.live(place, name)
        if copy is None:
            return
        field = "data" if place == MAPS else "spec"
        self.count += 1
        changed = {**copy, field: {**(copy.get(field) or {}), client: str(self.count)}}
        reply = self.call("PUT", f"{place}/{name}", changed, [("fieldManager", client)])
        if live is None:
            assert reply.status == 404
        elif live["metadata"]["resourceVersion"] != copy["metadata"]["resourceVersion"]:
            assert reply.status == 409, "an update was lost"
        else:
            assert reply.status == 200, reply.body
            self.copies[client, place, name] = self.wrote(reply)

    @rule(client=CLIENTS, place=PLACES, name=NAMES)
    def apply(self, client: str, place: str, name: str) -> None:
        body = self.filled(place, name, client)
        query = [("fieldManager", client), ("force", "true")]
        reply = self.call("PATCH", f"{place}/{name}", body, query, "application/apply-patch+yaml")
        if place == BOATS and not self.defined:
            assert reply.status == 404
            return
        assert reply.status in (200, 201), reply.body
        made = self.wrote(reply)
        field = "data" if place == MAPS else "spec"
        assert made[field][client] == body[field][client]

    @rule(place=PLACES, name=NAMES)
    def delete(self, place: str, name: str) -> None:
        live = self.live(place, name)
        reply = self.call("DELETE", f"{place}/{name}")
        assert reply.status == (200 if live is not None else 404)

    @precondition(lambda self: len(self.followers[MAPS]) + len(self.followers[BOATS]) < 6)
    @rule(place=PLACES)
    def follow(self, place: str) -> None:
        reply = self.call("GET", place)
        if reply.status != 200:
            assert place == BOATS
            assert not self.defined
            return
        listed = orjson.loads(reply.body)
        query = [("watch", "1"), ("resourceVersion", listed["metadata"]["resourceVersion"])]
        stream = self.call("GET", place, None, query).stream
        assert stream is not None
        self.followers[place].append(Follower(listed, stream))

    @rule()
    def define_or_not(self) -> None:
        if self.defined:
            assert self.call("DELETE", f"{CRDS}/{NAME}").status == 200
            self.cluster.settle()
            for follower in self.followers[BOATS]:
                follower.read()
                assert follower.known == {}, "an object went with its definition, and nobody was told"
                follower.stream.cancel()
            self.followers[BOATS] = []
        else:
            assert self.call("POST", CRDS, definition(_OPEN)).status == 201
            self.cluster.settle()
        self.defined = not self.defined
        assert (self.call("GET", BOATS).status == 200) == self.defined

    # ---- what holds ----------------------------------------------------------------------------------

    @invariant()
    def followers_know_what_is_there(self) -> None:
        for place, followers in self.followers.items():
            reply = self.call("GET", place)
            items = orjson.loads(reply.body)["items"] if reply.status == 200 else []
            there = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in items}
            for follower in followers:
                follower.read()
                assert follower.known == there
            for item in items:
                field = "data" if place == MAPS else "spec"
                for entry in item["metadata"]["managedFields"]:
                    owned = entry["fieldsV1"].get(f"f:{field}", {})
                    assert {name[2:] for name in owned if name.startswith("f:")} <= {*item[field]}

    def teardown(self) -> None:
        for followers in self.followers.values():
            for follower in followers:
                follower.stream.cancel()
        assert Cluster.replay(self.cluster.journal).state_hash() == self.cluster.state_hash()


TestSeveralClients = SeveralClients.TestCase
TestSeveralClients.settings = settings(
    max_examples=size(15, 500),
    stateful_step_count=size(25, 60),
    deadline=None,
    derandomize=bool(size(1, 0)),  # the slice is the same each time
    suppress_health_check=list(HealthCheck),
)
