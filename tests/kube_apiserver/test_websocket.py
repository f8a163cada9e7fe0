"""Sessions over WebSocket: input becomes few journal entries, limits are crossed, bugs and full disks are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver.sessions import Sessions
from cluster_engine.serving import ClusterApp, websocket
from cluster_engine.serving.websocket import CLOSE, ERROR, RESIZE, STDIN, STDOUT, entries
from cluster_engine.sim.journal import pack_bytes, unpack_bytes

POD = """
apiVersion: v1
kind: Pod
metadata: {name: box}
spec: {containers: [{name: c, image: busybox, command: [sleep, 1d]}]}
"""


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, strict=False, addons=False)
    cluster.apply(POD)
    cluster.settle()
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


class Socket:
    """A client's side of one WebSocket."""

    def __init__(self, app: ClusterApp, command: str = "command=sh", tty: bool = False) -> None:
        self.app, self.frames, self.closed = app, [], 0  # type: tuple[ClusterApp, list[bytes], int]
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.inbox.put_nowait({"type": "websocket.connect"})
        self.slow: asyncio.Event | None = None
        self.protocol: str | None = ""
        self.refused = 0
        query = f"{command}&stdin=true&stdout=true&tty={str(tty).lower()}"
        self.scope = {
            "type": "websocket", "path": "/api/v1/namespaces/default/pods/box/exec", "query_string": query.encode(),
            "headers": [], "subprotocols": ["v5.channel.k8s.io"], "extensions": {},
        }  # fmt: skip

    def put(self, channel: int, data: bytes) -> None:
        self.inbox.put_nowait({"type": "websocket.receive", "bytes": bytes([channel]) + data})

    def go(self) -> None:
        self.inbox.put_nowait({"type": "websocket.disconnect"})

    async def send(self, message: dict[str, Any]) -> None:
        if self.slow is not None:
            await self.slow.wait()
        if message["type"] == "websocket.send":
            self.frames.append(message["bytes"])
        elif message["type"] == "websocket.accept":
            self.protocol = message["subprotocol"]
        elif message["type"] == "websocket.close":
            self.closed = message["code"]
        elif message["type"] == "websocket.http.response.start":
            self.refused = message["status"]

    async def serve(self) -> None:
        await self.app(self.scope, self.inbox.get, self.send)

    @property
    def screen(self) -> bytes:
        return b"".join(frame[1:] for frame in self.frames if frame[0] == STDOUT)

    @property
    def status(self) -> dict[str, Any]:
        return orjson.loads(next(frame[1:] for frame in self.frames if frame[0] == ERROR))


async def until(cluster: Cluster, goal: Callable[[], bool]) -> None:
    for _ in range(500):
        if goal():
            return
        cluster.clock.run_until(cluster.clock.now)
        await asyncio.sleep(0)
    raise AssertionError("it did not come to that")


def inputs(cluster: Cluster) -> list[bytes]:
    kept = [entry.payload for entry in cluster.journal.entries if entry.kind == "session/input"]
    return [unpack_bytes(payload["data"]) for payload in kept if "data" in payload]


FRAMES = {
    "keys": ([(STDIN, b"l"), (STDIN, b"s"), (STDIN, b"\r")], [("input", {"data": b"ls\r"})]),
    "keys and sizes": (
        [(STDIN, b"a"), (RESIZE, b'{"Width":80,"Height":24}'), (RESIZE, b'{"Width":90,"Height":30}'), (STDIN, b"b")],
        [("input", {"data": b"a"}), ("resize", {"columns": 90, "rows": 30}), ("input", {"data": b"b"})],
    ),
    "no sizes": ([(RESIZE, b"{"), (RESIZE, b"[]"), (RESIZE, b'{"Width":"8","Height":1}')], []),
    "the end": ([(STDIN, b"a"), (CLOSE, b"\0"), (STDIN, b"late")], [("input", {"data": b"a", "end": True})]),
    "nothing": ([(STDIN, b""), (CLOSE, b"\1"), (9, b"x")], []),
}  # fmt: skip


@pytest.mark.parametrize(("frames", "expected"), FRAMES.values(), ids=FRAMES)
def test_frames_become_entries(
    frames: list[tuple[int, bytes]], expected: list[tuple[str, dict[str, Any]]]
) -> None:
    found = entries(frames)
    packed = [
        (f"session/{kind}", {**each, **({"data": pack_bytes(each["data"])} if "data" in each else {})})
        for kind, each in expected
    ]
    assert found == packed


def test_what_is_typed_at_once_is_one_entry(cluster: Cluster) -> None:
    async def story() -> Socket:
        gate = asyncio.Event()
        gate.set()

        async def sink(entry: Any) -> None:
            await gate.wait()

        socket = Socket(ClusterApp(cluster, admin=True, sink=sink), tty=True)
        served = asyncio.ensure_future(socket.serve())
        for key in b"echo a$((1+1))\r":
            socket.put(STDIN, bytes([key]))
        await until(cluster, lambda: b"a2" in socket.screen)
        gate.clear()  # the disk is slow: what is typed meanwhile waits, and is one entry
        socket.put(STDIN, b"e")
        await until(cluster, socket.inbox.empty)
        for _ in range(5):
            await asyncio.sleep(0)
        for key in b"xit\r":
            socket.put(STDIN, bytes([key]))
            for _ in range(5):
                await asyncio.sleep(0)
        gate.set()
        await until(cluster, served.done)
        await served
        return socket

    socket = asyncio.run(story())
    assert inputs(cluster) == [b"echo a$((1+1))\r", b"e", b"xit\r"]
    assert (socket.status["status"], socket.closed) == ("Success", 1000)
    cluster.advance(1)
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_too_much_that_is_not_journaled_yet_waits(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "INPUT_LIMIT", 3)

    async def story() -> None:
        gate = asyncio.Event()

        async def sink(entry: Any) -> None:
            if entry.kind == "session/input":
                await gate.wait()

        socket = Socket(ClusterApp(cluster, admin=True, sink=sink), "command=cat")
        served = asyncio.ensure_future(socket.serve())
        for number in range(10):
            socket.put(STDIN, b"%d\n" % number)
            for _ in range(5):
                await asyncio.sleep(0)
        assert socket.inbox.qsize() > 3  # they stay in the socket
        gate.set()
        await until(cluster, lambda: socket.screen.count(b"\n") == 10)
        socket.go()
        await served

    asyncio.run(story())
    assert b"".join(inputs(cluster)) == b"".join(b"%d\n" % number for number in range(10))
    assert cluster.server.sessions.open_names() == []


@pytest.mark.parametrize("limit", ["FRAME_LIMIT", "OUTPUT_LIMIT"])
def test_whoever_sends_or_leaves_too_much_is_cut_off(
    cluster: Cluster, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, limit, 100)

    async def story() -> None:
        socket = Socket(ClusterApp(cluster, admin=True), "command=cat")
        socket.slow = asyncio.Event()
        socket.slow.set()
        served = asyncio.ensure_future(socket.serve())
        socket.put(STDIN, b"x\n")
        await until(cluster, lambda: socket.screen == b"x\n")
        socket.slow.clear()
        if limit == "FRAME_LIMIT":
            socket.put(STDIN, b"x" * 101)
        else:
            for _ in range(4):
                socket.put(STDIN, b"y" * 40)
                await asyncio.sleep(0.001)
                cluster.clock.run_until(cluster.clock.now)
            socket.slow.set()
        await until(cluster, served.done)
        await served

    asyncio.run(story())
    assert cluster.server.sessions.open_names() == []


def test_how_many_sockets_one_cluster_has_is_bounded(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster_engine.serving.application.SOCKETS_LIMIT", 2)

    async def story() -> None:
        app = ClusterApp(cluster, admin=True)
        held = [Socket(app, "command=cat") for _ in range(2)]
        served = [asyncio.ensure_future(socket.serve()) for socket in held]
        await until(cluster, lambda: len(cluster.server.sessions.open_names()) == 2)
        more = Socket(app, "command=cat")
        more.scope["extensions"] = {"websocket.http.response": {}}
        await more.serve()
        assert (more.refused, len(cluster.server.sessions.open_names())) == (429, 2)
        held[0].go()
        await until(cluster, served[0].done)
        again = Socket(app, "command=cat")
        served.append(asyncio.ensure_future(again.serve()))
        again.put(STDIN, b"x\n")
        await until(cluster, lambda: again.screen == b"x\n")
        for socket in (held[1], again):
            socket.go()
        await asyncio.gather(*served)

    asyncio.run(story())


def test_input_that_meets_a_bug_ends_the_session(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Sessions.input

    def planted(self: Sessions, payload: dict[str, Any]) -> None:
        if payload.get("data") == pack_bytes(b"poison"):
            raise RuntimeError("planted")
        real(self, payload)

    monkeypatch.setattr(Sessions, "input", planted)

    async def story() -> Socket:
        socket = Socket(ClusterApp(cluster, admin=True))
        served = asyncio.ensure_future(socket.serve())
        socket.put(STDIN, b"poison")
        await until(cluster, served.done)
        await served
        return socket

    socket = asyncio.run(story())
    assert (socket.status["code"], socket.status["reason"]) == (500, "InternalError")
    assert cluster.server.sessions.open_names() == []
    (failure,) = cluster.failures
    assert (failure.component, failure.message) == ("journal", "planted")
    cluster.advance(1)
    assert Cluster.replay(cluster.journal).state_hash() == cluster.state_hash()


def test_a_bug_of_the_edge_is_counted_and_told(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(frames: Any) -> Any:
        raise RuntimeError("planted")

    monkeypatch.setattr(websocket, "entries", planted)

    async def story() -> Socket:
        socket = Socket(ClusterApp(cluster, admin=True))
        served = asyncio.ensure_future(socket.serve())
        socket.put(STDIN, b"x")
        await until(cluster, served.done)
        await served
        return socket

    socket = asyncio.run(story())
    assert (socket.status["code"], socket.closed) == (500, 1011)
    assert cluster.server.sessions.open_names() == []
    assert [each.component for each in cluster.failures] == ["kube-apiserver/session"]


def test_input_that_cannot_be_stored_ends_the_session(cluster: Cluster) -> None:
    class Full(Exception):
        pass

    async def sink(entry: Any) -> None:
        if entry.kind == "session/input":
            raise Full("the journal is full")

    async def story() -> Socket:
        socket = Socket(ClusterApp(cluster, admin=True, sink=sink))
        served = asyncio.ensure_future(socket.serve())
        socket.put(STDIN, b"x")
        await until(cluster, served.done)
        with pytest.raises(Full):  # the host decides what becomes of the run
            await served
        return socket

    socket = asyncio.run(story())
    assert socket.status["code"] == 503
    assert socket.status["message"].endswith("was not carried out: the journal is full")
    assert cluster.failures == []


OLDER = {"none": ([], None), "channel.k8s.io": (["channel.k8s.io"], "channel.k8s.io")}


@pytest.mark.parametrize(("offered", "chosen"), OLDER.values(), ids=OLDER)
@pytest.mark.parametrize(
    ("code", "told"),
    [(0, []), (3, [b"command terminated with non-zero exit code: command terminated with exit code 3"])],
)
def test_older_protocols_tell_the_end_in_words(
    cluster: Cluster, offered: list[str], chosen: str | None, code: int, told: list[bytes]
) -> None:
    async def story() -> None:
        socket = Socket(ClusterApp(cluster, admin=True), f"command=sh&command=-c&command=exit%20{code}")
        socket.scope["subprotocols"] = offered
        serving = asyncio.ensure_future(socket.serve())
        await until(cluster, serving.done)
        assert (socket.protocol, socket.closed) == (chosen, 1000)
        assert [frame[1:] for frame in socket.frames if frame[0] == ERROR] == told

    asyncio.run(story())
