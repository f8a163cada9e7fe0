"""What deletes much does it in portions: over HTTP, with a namespace, with a definition."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.controlplane import custom_resources
from cluster_engine.kube_apiserver import ADMIN, Request, Response
from cluster_engine.kube_controller_manager import namespace
from cluster_engine.serving import ClusterApp, Driver
from cluster_engine.serving.portions import PORTION
from cluster_engine.sim import Entry

MAPS = "/api/v1/namespaces/default/configmaps"
MANY = 2 * PORTION + 20


def fill(cluster: Cluster, count: int, namespace: str = "default") -> list[str]:
    """So many ConfigMaps; their names, in order."""
    names = [f"m{number:05}" for number in range(count)]
    for name in names:
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        body = orjson.dumps({"metadata": {"name": name, "labels": {"even": str(int(name[1:]) % 2 == 0)}}})
        answer = cluster.request(Request("POST", path, [], {"content-type": "application/json"}, body, ADMIN))
        assert answer.status == 201, answer.body
    return names


def names_of(answer: Response) -> list[str]:
    return [item["metadata"]["name"] for item in orjson.loads(answer.body)["items"]]


class Stage:
    """A cluster behind its application, and what goes through its journal."""

    def __init__(self, count: int) -> None:
        self.cluster = Cluster(nodes=1, freezing=True)
        self.names = fill(self.cluster, count)
        self.before = len(self.cluster.journal.entries)
        self.revisions: list[int] = []
        self.rounds = 0

    def delete(self, *query: tuple[str, str], **headers: str) -> Response:
        return asyncio.run(self._delete(query, headers))

    async def _delete(self, query: tuple[tuple[str, str], ...], headers: dict[str, str]) -> Response:
        app = ClusterApp(self.cluster, driver=Driver(self.cluster, speed=0), sink=self._sink)
        beside = asyncio.ensure_future(self._beside())
        answer = await app.respond(Request("DELETE", MAPS, list(query), headers, b"", ADMIN))
        beside.cancel()
        return answer

    async def _sink(self, entry: Entry) -> None:
        self.revisions.append(self.cluster.store.revision)

    async def _beside(self) -> None:
        while True:
            self.rounds += 1
            await asyncio.sleep(0)

    def deletions(self) -> list[Entry]:
        return self.cluster.journal.entries[self.before :]


def test_a_collection_goes_in_portions_at_one_time() -> None:
    stage = Stage(MANY)
    at, mapped = stage.cluster.clock.now, stage.cluster.store.revision
    answer = stage.delete()
    assert names_of(answer) == [*sorted(["kube-root-ca.crt", *stage.names])]
    assert orjson.loads(answer.body)["metadata"] == {"resourceVersion": str(mapped)}
    entries = stage.deletions()
    assert [entry.at for entry in entries] == [at] * 3
    steps = [after - before for before, after in zip(stage.revisions, stage.revisions[1:], strict=False)]
    assert steps == [PORTION, PORTION]
    assert stage.rounds >= len(entries) - 1
    assert Cluster.replay(stage.cluster.journal).state_hash() == stage.cluster.state_hash()


def test_portions_leave_what_one_step_leaves() -> None:
    stage, whole = Stage(MANY), Stage(MANY)
    query = ("labelSelector", "even=True")
    answer = stage.delete(query)
    once = whole.cluster.request(Request("DELETE", MAPS, [query], {}, b"", ADMIN))
    assert (answer.status, answer.headers, answer.body) == (once.status, once.headers, once.body)
    assert stage.cluster.list("configmaps", "default") == whole.cluster.list("configmaps", "default")
    assert stage.cluster.store.revision == whole.cluster.store.revision


def test_the_portions_of_a_collection_go_by_one_id() -> None:
    stage = Stage(MANY)
    answer = stage.delete()
    found = stage.cluster.requests(resource="configmaps", user=ADMIN.username, writes=True)
    ids = [record["id"] for record in found if record["verb"] == "deletecollection"]
    assert ids == [answer.headers["audit-id"]] * 3


@pytest.mark.parametrize(
    ("query", "gone", "more"),
    [
        pytest.param([("limit", "3")], 3, True, id="one-portion"),
        pytest.param([("limit", str(PORTION + 7))], PORTION + 7, True, id="more-than-a-portion"),
        pytest.param([("limit", "10000")], MANY + 1, False, id="more-than-there-is"),
        pytest.param([("limit", "-1")], MANY + 1, False, id="negative-is-all"),
        pytest.param([("dryRun", "All")], 0, False, id="dry-run"),
    ],
)
def test_limits(query: list[tuple[str, str]], gone: int, more: bool) -> None:
    stage = Stage(MANY)
    answer = stage.delete(*query)
    assert answer.status == 200
    left = len(stage.cluster.list("configmaps", "default"))
    assert MANY + 1 - left == gone
    meta = orjson.loads(answer.body)["metadata"]
    assert ("continue" in meta, meta.get("remainingItemCount", 0)) == (more, left if more else 0)


def test_where_it_ended_it_goes_on() -> None:
    stage = Stage(MANY)
    token = orjson.loads(stage.delete(("limit", "60")).body)["metadata"]["continue"]
    answer = stage.delete(("continue", token))
    assert len(names_of(answer)) == MANY + 1 - 60
    assert stage.cluster.list("configmaps", "default") == []


@pytest.mark.parametrize(
    ("query", "code", "reason"),
    [
        (("limit", "x"), 400, "BadRequest"),
        (("labelSelector", "a=="), 400, "BadRequest"),
        (("continue", "?"), 400, "BadRequest"),
        (("propagationPolicy", "Sideways"), 422, "Invalid"),
    ],
)
def test_what_is_refused_is_refused_whole(query: tuple[str, str], code: int, reason: str) -> None:
    stage = Stage(3)
    if query == ("labelSelector", "a=="):
        query = ("labelSelector", "a==,,")
    answer = stage.delete(query)
    assert (answer.status, orjson.loads(answer.body)["reason"]) == (code, reason)
    assert len(stage.cluster.list("configmaps", "default")) == 4


def test_the_answer_is_in_the_form_asked_for() -> None:
    stage = Stage(PORTION + 1)
    answer = stage.delete(accept="application/yaml")
    assert answer.headers["content-type"] == "application/yaml"
    assert answer.body.count(b"\n- ") + answer.body.count(b"\n  - ") >= PORTION + 1


def test_more_than_the_store_remembers() -> None:
    stage = Stage(2_200)
    answer = stage.delete()
    assert len(names_of(answer)) == 2_201
    assert stage.cluster.list("configmaps", "default") == []
    assert Cluster.replay(stage.cluster.journal).state_hash() == stage.cluster.state_hash()


def largest_step(cluster: Cluster) -> int:
    """The most objects that one event of the clock deleted until the cluster was settled."""
    most, clock = 0, cluster.clock
    for _ in range(20_000):
        if not clock.busy:
            return most
        before = len(cluster.store)
        clock.step()
        most = max(most, before - len(cluster.store))
    raise AssertionError("it does not settle")


def test_a_namespace_is_emptied_in_portions() -> None:
    cluster = Cluster(nodes=1, freezing=True)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "full"}})
    fill(cluster, 3 * namespace.PORTION, "full")
    assert cluster.settle()
    cluster.delete("namespaces", "full")
    assert 0 < largest_step(cluster) <= namespace.PORTION
    assert cluster.get("namespaces", "full") is None
    assert cluster.list("configmaps", "full") == []


def crate(number: int) -> dict[str, Any]:
    return {"apiVersion": "dock.example.com/v1", "kind": "Crate", "metadata": {"name": f"c{number}"}}


def test_a_definition_takes_its_objects_along_in_portions() -> None:
    cluster = Cluster(nodes=1, freezing=True)
    names = {"plural": "crates", "singular": "crate", "kind": "Crate", "listKind": "CrateList"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    cluster.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "crates.dock.example.com"},
            "spec": {
                "group": "dock.example.com",
                "scope": "Namespaced",
                "names": names,
                "versions": [version],
            },
        }
    )
    assert cluster.settle()
    for number in range(3 * custom_resources.PORTION):
        cluster.apply(crate(number))
    cluster.delete("customresourcedefinitions", "crates.dock.example.com")
    assert 0 < largest_step(cluster) <= custom_resources.PORTION
    assert cluster.get("customresourcedefinitions", "crates.dock.example.com") is None
