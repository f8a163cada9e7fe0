"""A container's log over a WebSocket, as client libraries may ask for it."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.serving import ClusterApp, frames

POD = """
apiVersion: v1
kind: Pod
metadata: {name: talks}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, "echo container is alive; sleep 1d"]}]}
"""
PATH = "/api/v1/namespaces/default/pods/talks/log"


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=2, addons=False)
    cluster.apply(POD)
    cluster.settle()
    return cluster


async def exchange(
    app: ClusterApp, path: str, protocols: list[str], query: str = "", gone: bool = True
) -> list[Any]:
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    inbox.put_nowait({"type": "websocket.connect"})
    if gone:
        inbox.put_nowait({"type": "websocket.disconnect"})
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)
        if "follow" in query and message["type"] == "websocket.send":
            inbox.put_nowait({"type": "websocket.disconnect"})

    scope = {
        "type": "websocket", "path": path, "query_string": query.encode(), "headers": [],
        "subprotocols": protocols, "extensions": {"websocket.http.response": {}},
    }  # fmt: skip
    await asyncio.wait_for(app(scope, inbox.get, send), 60)
    return said


LINE = b"container is alive\n"
ACCEPTED = {
    "binary": (["binary.k8s.io"], "binary.k8s.io", {"bytes": LINE}),
    "none": ([], None, {"bytes": LINE}),
    "base64": (
        ["odd", "base64.binary.k8s.io"],
        "base64.binary.k8s.io",
        {"text": base64.b64encode(LINE).decode()},
    ),
}


@pytest.mark.parametrize(("protocols", "chosen", "frame"), ACCEPTED.values(), ids=ACCEPTED)
def test_a_log_comes_in_frames(
    cluster: Cluster, protocols: list[str], chosen: str | None, frame: dict[str, Any]
) -> None:
    said = asyncio.run(exchange(ClusterApp(cluster, admin=True), PATH, protocols))
    assert said == [
        {"type": "websocket.accept", "subprotocol": chosen},
        {"type": "websocket.send", **frame},
        {"type": "websocket.close", "code": 1000},
    ]


REFUSED = {
    "a protocol that nobody speaks": (["v5.channel.k8s.io"], PATH, True, 403, b"are not supported"),
    "a Pod that is not there": (
        [],
        PATH.replace("talks", "nobody"),
        True,
        404,
        b'pods \\"nobody\\" not found',
    ),
    "who may not": ([], PATH, False, 403, b"forbidden"),
}


@pytest.mark.parametrize(("protocols", "path", "admin", "status", "text"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(
    cluster: Cluster, protocols: list[str], path: str, admin: bool, status: int, text: bytes
) -> None:
    begun, *rest = asyncio.run(exchange(ClusterApp(cluster, admin=admin), path, protocols))
    assert (begun["type"], begun["status"]) == ("websocket.http.response.start", status)
    assert text in b"".join(message["body"] for message in rest)


def test_a_log_is_followed_until_the_client_goes(cluster: Cluster) -> None:
    said = asyncio.run(exchange(ClusterApp(cluster, admin=True), PATH, [], "follow=true", gone=False))
    assert said[1] == {"type": "websocket.send", "bytes": LINE}


def test_a_long_log_comes_in_pieces(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "PIECE", 5)
    said = asyncio.run(exchange(ClusterApp(cluster, admin=True), PATH, []))
    assert [message["bytes"] for message in said[1:-1]] == [b"conta", b"iner ", b"is al", b"ive\n"]
