"""Servers without an engine: what Python, its event loop and HTTP cost before anything is simulated.

Each holds one object. A PUT is parsed, kept, told to who watches, and answered, in JSON; nothing is authenticated,
checked, owned or journaled. `asgi` stands where `serving/application.py` stands: behind uvicorn, on uvloop, a task for
each request. `protocol` is the least that can be written: uvloop hands the bytes to a class that reads them in place.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import orjson

_FIRST = b'{"type":"ADDED","object":{}}\n'
"""What a watch begins with."""


def _announced() -> socket.socket:
    """A listener on a free port, which is printed. It says that it is TCP: only then asyncio sets TCP_NODELAY."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    return listener


def _stored(body: bytes, revision: int) -> bytes:
    """The object as it is kept, in bytes: read, given its revision, written."""
    obj = orjson.loads(body)
    obj["metadata"]["resourceVersion"] = str(revision)
    return orjson.dumps(obj)


def asgi() -> None:
    """A server of one object as an ASGI application."""
    import uvicorn
    import uvloop

    revision = 0
    waiting: list[asyncio.Future[bytes]] = []

    async def app(scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        nonlocal revision
        if scope["type"] != "http":
            return
        body = (await receive())["body"]
        headers = [(b"content-type", b"application/json")]
        if scope["method"] == "GET":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": _FIRST, "more_body": True})
            while True:
                told: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
                waiting.append(told)
                await send({"type": "http.response.body", "body": await told, "more_body": True})
        revision += 1
        stored = _stored(body, revision)
        frame = b'{"type":"MODIFIED","object":' + stored + b"}\n"
        for told in waiting:
            told.set_result(frame)
        waiting.clear()
        headers.append((b"content-length", str(len(stored)).encode()))
        await asyncio.sleep(0)  # who watches first
        status = 201 if scope["method"] == "POST" else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": stored})

    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
    uvloop.run(uvicorn.Server(config).serve(sockets=[_announced()]))


def protocol() -> None:
    """A server of one object as a protocol of uvloop: a request comes whole, or is waited for."""
    import uvloop

    revision = 0
    watching: list[asyncio.Transport] = []

    class Protocol(asyncio.Protocol):
        def __init__(self) -> None:
            self._got = b""
            self._transport: Any = None

        def connection_made(self, transport: Any) -> None:
            self._transport = transport
            transport.set_write_buffer_limits(high=0)  # written at once, not when the loop comes round

        def data_received(self, data: bytes) -> None:
            nonlocal revision
            self._got += data
            head, end, body = self._got.partition(b"\r\n\r\n")
            if head.startswith(b"GET "):
                watching.append(self._transport)
                begin = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n"
                self._transport.write(begin % (len(_FIRST), _FIRST))
                self._got = b""
                return
            lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
            if not end or len(body) < int(lines[b"Content-Length"]):
                return
            self._got = b""
            revision += 1
            stored = _stored(body, revision)
            frame = b'{"type":"MODIFIED","object":' + stored + b"}\n"
            for transport in watching:
                transport.write(b"%x\r\n%b\r\n" % (len(frame), frame))
            status = b"201 Created" if head.startswith(b"POST ") else b"200 OK"
            answer = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            self._transport.write(answer % (status, len(stored), stored))

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Protocol, sock=_announced())
        await server.serve_forever()

    uvloop.run(run())
