"""Faults over HTTP: who may, what is asked, and that they are in the journal."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request, UserInfo
from cluster_engine.serving import ClusterApp
from cluster_engine.serving.application import FAULTS_PATH

JANE = UserInfo("jane", "", ("system:authenticated",))
OFF = {"kind": "node/power", "node": "worker-1", "up": False}


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=2, seed=1, freezing=True)


@pytest.mark.parametrize(
    ("body", "user", "status", "message"),
    [
        pytest.param(orjson.dumps(OFF), ADMIN, 201, None, id="done"),
        pytest.param(
            orjson.dumps(OFF),
            JANE,
            403,
            'forbidden: User "jane" cannot post path "/drydock/faults"',
            id="who may not",
        ),
        pytest.param(b"{", ADMIN, 400, "unexpected end of data", id="no JSON"),
        pytest.param(b"[]", ADMIN, 400, 'expected an object with a "kind"', id="a list"),
        pytest.param(
            b'{"kind": ["a"]}', ADMIN, 400, 'expected an object with a "kind"', id="a list of kinds"
        ),
        pytest.param(
            b'{"kind": "node/fire"}', ADMIN, 400, "a fault is one of node/power", id="no such fault"
        ),
        pytest.param(
            orjson.dumps({**OFF, "node": "control-plane"}),
            ADMIN,
            400,
            "carries the control plane",
            id="refused",
        ),
    ],
)
def test_a_fault_is_asked_for(
    base: Cluster, body: bytes, user: UserInfo, status: int, message: str | None
) -> None:
    cluster, kept = base.fork(), []

    async def sink(entry: object) -> None:
        kept.append(entry)

    app = ClusterApp(cluster, sink=sink)
    request = Request("POST", FAULTS_PATH, [], {"accept": "application/json"}, body, user)
    reply = asyncio.run(app.respond(request))
    assert reply.status == status, reply.body
    assert message is None or message in orjson.loads(reply.body)["message"]
    assert len(kept) == (1 if status == 201 else 0)
    assert kept == [entry for entry in cluster.journal if entry.kind.startswith("node/")]
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_only_post_makes_things_fail(base: Cluster) -> None:
    app = ClusterApp(base.fork())
    reply = asyncio.run(app.respond(Request("GET", FAULTS_PATH, [], {}, b"", ADMIN)))
    assert reply.status == 404
