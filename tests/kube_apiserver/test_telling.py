"""Streams are told in the step that changes something; requests are begun in the step that brings them."""

from __future__ import annotations

import asyncio
import contextvars
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
import uvicorn

from cluster_engine.serving import ClusterApp, eager
from cluster_engine.serving.http import Http
from cluster_engine.serving.telling import CHUNK, Telling
from tests.kube_apiserver.test_edge import MAPS, run, small_cluster


class Said:
    """A stream of which each `say` is one change."""

    content_type, timeout = "application/json", None

    def __init__(self, polled: bool = False) -> None:
        self.polled, self.closed, self.fails = polled, False, False
        self.ready = b""
        self.notify: Callable[[], None] = lambda: None

    def subscribe(self, notify: Callable[[], None]) -> None:
        self.notify = notify

    def say(self, data: bytes) -> None:
        self.ready += data
        self.notify()

    def take(self) -> bytes:
        if self.fails:
            raise RuntimeError("cannot be encoded")
        data, self.ready = self.ready, b""
        return data

    def tick(self) -> bytes:
        return b""

    def cancel(self) -> None:
        self.closed = True


class Reader:
    """A client: what it was sent; `full` is a socket that takes nothing."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.room = asyncio.Event()
        self.room.set()

    async def send(self, message: Any) -> None:
        await self.room.wait()
        self.parts.append(message["body"])


async def told(
    stream: Said, at_once: bool, use: Callable[[Reader, dict[str, int]], Awaitable[None]]
) -> tuple[Reader, list[str]]:
    """What a reader has got when `use` is over and the stream has ended."""
    reader, failures, act = Reader(), list[str](), {"number": 1}
    telling = Telling(
        stream, reader.send, lambda error: not failures.append(str(error)), lambda: act["number"], at_once
    )
    pump = asyncio.ensure_future(telling.pump())
    await settled()
    await use(reader, act)
    stream.closed = True
    stream.notify()
    reader.room.set()
    await pump
    return reader, failures


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("at_once", "polled", "in_step"),
    [
        pytest.param(True, False, [b"a", b"d"], id="the first change of each request at once"),
        pytest.param(False, False, [], id="a transport that writes later"),
        pytest.param(True, True, [], id="a stream that is looked at again and again"),
    ],
)
def test_what_is_told_in_the_step_that_changes_it(at_once: bool, polled: bool, in_step: list[bytes]) -> None:
    stream, seen = Said(polled), list[bytes]()

    async def use(reader: Reader, act: dict[str, int]) -> None:
        for texts in (b"abc", b"de"):
            before = len(reader.parts)
            for text in texts:
                stream.say(bytes([text]))
            seen.extend(reader.parts[before:])
            act["number"] += 1
            await settled()

    async def main() -> None:
        reader, _ = await told(stream, at_once, use)
        assert b"".join(reader.parts) == b"abcde"

    run(main)
    assert seen == in_step


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_doubled_or_overtaken(seed: int) -> None:
    """Requests that change one thing or many, and a socket that is full now and then, whatever it is given."""
    chance, stream, wanted = random.Random(seed), Said(), list[bytes]()

    async def use(reader: Reader, act: dict[str, int]) -> None:
        for number in range(60):
            act["number"] += chance.random() < 0.6
            chance.choice([reader.room.set, reader.room.set, reader.room.clear])()
            size = CHUNK + 9 if chance.random() < 0.03 else 3
            wanted.append(str(number).encode().ljust(size, b"."))
            stream.say(wanted[-1])
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
        reader.room.set()
        await settled()

    async def main() -> None:
        reader, _ = await told(stream, True, use)
        assert b"".join(reader.parts) == b"".join(wanted)
        assert max(map(len, reader.parts)) <= CHUNK

    run(main)


def test_a_stream_that_fails_within_a_write_ends_and_the_write_does_not() -> None:
    stream = Said()

    async def use(reader: Reader, act: dict[str, int]) -> None:
        stream.fails = True
        stream.say(b"a")

    async def main() -> None:
        reader, failures = await told(stream, True, use)
        assert (reader.parts, failures) == ([], ["cannot be encoded"])

    run(main)


@pytest.mark.parametrize("ends", ["at once", "later", "cancelled", "failed"])
def test_a_coroutine_that_is_begun_in_place(ends: str) -> None:
    steps: list[str] = []

    async def main() -> None:
        gate = asyncio.Event()
        if ends == "at once":
            gate.set()

        async def work() -> None:
            steps.append("begun")
            try:
                await gate.wait()
                if ends != "at once":
                    await asyncio.sleep(0)
                if ends == "failed":
                    raise KeyError(ends)
                steps.append("done")
            except asyncio.CancelledError:
                steps.append("cancelled")
                raise

        rest = eager.begin(work())
        steps.append("back")
        if rest is None:
            return
        task = asyncio.ensure_future(eager.finish(rest))
        await asyncio.sleep(0)
        task.cancel() if ends == "cancelled" else gate.set()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        steps.append(type(result).__name__)

    run(main)
    assert (
        steps
        == {
            "at once": ["begun", "done", "back"],
            "later": ["begun", "back", "done", "NoneType"],
            "cancelled": ["begun", "back", "cancelled", "CancelledError"],
            "failed": ["begun", "back", "KeyError"],
        }[ends]
    )


def test_a_request_has_one_context() -> None:
    """What it sets for itself it can take back when it has waited, and no other sees it."""
    name = contextvars.ContextVar("name", default="nobody")
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(name.get())
        mark = name.set("somebody")
        await asyncio.sleep(0)
        name.reset(mark)
        seen.append(name.get())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def main() -> None:
        async with served(app) as address:
            reader, writer = await asyncio.open_connection(*address)
            for _ in range(2):
                writer.write(_request("GET", "/"))
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
            writer.close()

    run(main)
    assert seen == ["nobody"] * 4


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[Any]:
    """An application on a port of its own: the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=Http, log_level="error", lifespan="off"))
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    yield listener.getsockname()
    server.should_exit = True
    await serving


def _request(method: str, path: str, name: str = "") -> bytes:
    body = orjson.dumps({"metadata": {"name": name}}) if name else b""
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


_POST = _request("POST", MAPS, "a")
_HEAD_ENDS = _POST.index(b"\r\n\r\n") + 4


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([_POST], id="whole"),
        pytest.param([_POST[:_HEAD_ENDS], _POST[_HEAD_ENDS:]], id="the body later"),
        pytest.param([bytes([byte]) for byte in _POST], id="byte by byte"),
        pytest.param(
            [_POST + _request("GET", f"{MAPS}/a") + _request("DELETE", f"{MAPS}/a")], id="pipelined"
        ),
        pytest.param(
            [_POST + _request("GET", f"{MAPS}/a")[:20], _request("GET", f"{MAPS}/a")[20:]], id="half"
        ),
    ],
)
def test_requests_however_they_come(pieces: list[bytes]) -> None:
    """And whoever watches has got the change before the writer gets its answer."""
    codes: list[int] = []
    wanted = b"".join(pieces).count(b" HTTP/1.1\r\n")

    async def main() -> None:
        async with served(ClusterApp(small_cluster(), admin=True)) as address:
            codes.extend(await asked(address))

    async def asked(address: Any) -> list[int]:
        watch, watching = await asyncio.open_connection(*address)
        watching.write(_request("GET", f"{MAPS}?watch=1"))
        assert (await watch.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        reader, writer = await asyncio.open_connection(*address)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        found = []
        for number in range(wanted):
            head = await reader.readuntil(b"\r\n\r\n")
            if number == 0:
                assert b'"ADDED"' in await watch.readuntil(b"}\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            found.append(int(head.split()[1]))
        watching.close()
        writer.close()
        return found

    run(main)
    assert codes == [201, 200, 200][:wanted]
