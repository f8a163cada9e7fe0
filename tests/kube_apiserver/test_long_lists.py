"""A long list is made in pieces whatever its form: the bytes are those of the whole, and others have their turn."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery import table, yaml
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.serving import ClusterApp, application

MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/{};as=Table;g=meta.k8s.io;v=v1"
PARTIAL = "application/{};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
FORMS = {
    "json": ("application/json", "ConfigMapList", "items"),
    "yaml": ("application/yaml", "ConfigMapList", "items"),
    "table": (TABLE.format("json"), "Table", "rows"),
    "table in yaml": (TABLE.format("yaml"), "Table", "rows"),
    "metadata": (PARTIAL.format("json"), "PartialObjectMetadataList", "items"),
    "metadata in yaml": (PARTIAL.format("yaml"), "PartialObjectMetadataList", "items"),
}
"""Accept, the kind that comes, and where its parts are."""


def filled(count: int, **options: bool) -> Cluster:
    cluster = Cluster(nodes=1, freezing=True, **options)
    for number in range(count):
        meta = {"name": f"m{number:03}", "labels": {"here": ""}}
        body = orjson.dumps({"metadata": meta, "data": {"text": "two\nlines", "brackets": "[]\\n]"}})
        answer = cluster.request(Request("POST", MAPS, [], {"content-type": "application/json"}, body, ADMIN))
        assert answer.status == 201, answer.body
    return cluster


@pytest.fixture(scope="module", params=[0, 1, 30])
def some(request: pytest.FixtureRequest) -> tuple[Cluster, int]:
    return filled(request.param), request.param


@pytest.mark.parametrize("pretty", ["false", "true"])
@pytest.mark.parametrize("form", FORMS)
def test_the_pieces_are_the_whole(form: str, some: tuple[Cluster, int], pretty: str) -> None:
    cluster, count = some
    accept, kind, parts = FORMS[form]
    query = [("pretty", pretty), ("labelSelector", "here")]
    answer = cluster.request(Request("GET", MAPS, query, {"accept": accept}, b"", ADMIN))
    assert answer.status == 200
    if "yaml" in accept:
        value = yaml.load(answer.body)
        assert yaml.dump(value).encode() == answer.body
    else:
        value = orjson.loads(answer.body)
        indent = orjson.OPT_INDENT_2 if pretty == "true" else 0
        assert orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE | indent) == answer.body
    assert value["kind"] == kind
    assert len(value[parts]) == count


class Listened:
    """What came of a request over ASGI, and how often the loop came round meanwhile."""

    def __init__(self, cluster: Cluster, accept: str) -> None:
        self.app = ClusterApp(cluster, admin=True)
        self.accept = accept
        self.status, self.body, self.rounds = 0, b"", 0
        self.headers: dict[bytes, bytes] = {}

    async def ask(self) -> Listened:
        beside = asyncio.ensure_future(self._beside())
        scope = {
            "type": "http", "method": "GET", "path": MAPS, "query_string": b"",
            "headers": [(b"accept", self.accept.encode())],
        }  # fmt: skip
        await self.app(scope, self._receive, self._send)
        beside.cancel()
        return self

    async def _beside(self) -> None:
        while True:
            self.rounds += 1
            await asyncio.sleep(0)

    async def _receive(self) -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b""}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        self.body += message.get("body", b"")


@pytest.mark.parametrize("form", FORMS)
def test_others_have_their_turn_between_the_pieces(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "SLICE", -1)
    accept, _kind, parts = FORMS[form]
    seen = asyncio.run(Listened(filled(30), accept).ask())
    assert seen.status == 200
    assert len(yaml.load(seen.body)[parts]) >= 30
    assert int(seen.headers[b"content-length"]) == len(seen.body)
    assert seen.rounds > 30


def test_a_bug_in_a_piece_is_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = filled(3, strict=False)

    def broken(obj: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(table, "partial_metadata", broken)
    seen = asyncio.run(Listened(cluster, FORMS["table"][0]).ask())
    assert seen.status == 500
    assert orjson.loads(seen.body)["reason"] == "InternalError"
