"""exec and attach over WebSocket (v5.channel.k8s.io, v4.channel.k8s.io): frames whose first byte is a channel.

Each frame that comes in is a journal entry of its session; what the session's process writes goes out as it is
written, while the virtual clock goes on.

Models k8s.io/apimachinery/pkg/util/remotecommand and k8s.io/apiserver/pkg/util/proxy/websocket.go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import orjson

from cluster_engine.kube_apiserver import Request, Response
from cluster_engine.kube_apiserver.requests import flag, parse
from cluster_engine.kube_apiserver.subresources.execute import exit_status
from cluster_engine.sim.journal import pack_bytes

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
FRAME_LIMIT = 1024 * 1024
"""Bytes of one frame that comes in; a client that sends more is cut off."""
OUTPUT_LIMIT = 16 * 1024 * 1024
"""Bytes that wait for a slow client; with more it is cut off."""
CHUNK = 1 << 15

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class App(Protocol):
    """What a session needs of the ClusterApp."""

    cluster: Any

    async def open_session(self, request: Request, listener: Outgoing) -> tuple[str, Response | None]: ...

    async def note(self, kind: str, payload: dict[str, Any]) -> Response | None: ...

    def waiting(self) -> AbstractContextManager[None]: ...


class _Gone(Exception):
    """The client hung up."""


class Outgoing:
    """Frames on their way out. It is the session's ``Listener``."""

    def __init__(self, tty: bool) -> None:
        self._tty = tty
        self._ready = asyncio.Event()
        self._frames: list[bytes] = []
        self._size = 0
        self.status: int | None = None
        """The exit status once the process has ended."""

    def output(self, fd: int, data: bytes) -> None:
        """What the process wrote; a terminal has one stream only."""
        channel = STDOUT if self._tty or fd == 1 else STDERR
        self._size += len(data)
        self._frames.append(bytes([channel]) + data)
        self._ready.set()

    def ended(self, status: int) -> None:
        """Nothing more comes."""
        self.status = status
        self._ready.set()

    async def take(self) -> list[bytes]:
        """The frames since the last call; waits for some, or for the end. Raises _Gone when there are too many."""
        if not self._frames and self.status is None:
            self._ready.clear()
            await self._ready.wait()
        if self._size > OUTPUT_LIMIT:
            raise _Gone
        frames, self._frames, self._size = self._frames, [], 0
        return frames


class StreamSession:
    """One WebSocket."""

    def __init__(self, app: App, request: Request) -> None:
        self._app = app
        self._request = request

    async def serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """From the handshake to the exit status."""
        self._send, self._receive = send, receive
        await receive()  # websocket.connect
        offered = scope.get("subprotocols") or []
        protocol = next((p for p in PROTOCOLS if p in offered), None)
        refused = self._app.cluster.server.refused_stream(self._request)
        if refused is not None:
            await self._refuse(scope, refused)
            return
        if protocol is None:
            text = b"unable to upgrade: the client speaks none of v5.channel.k8s.io, v4.channel.k8s.io"
            await self._refuse(scope, Response(400, {"content-type": "text/plain"}, text))
            return
        await send({"type": "websocket.accept", "subprotocol": protocol})
        outgoing = Outgoing(flag(self._request, "tty"))
        session, refusal = await self._app.open_session(self._request, outgoing)
        try:
            if refusal is not None:
                await self._frame(bytes([ERROR]) + refusal.body)
            else:
                with self._app.waiting():
                    await self._talk(session, outgoing)
            await send({"type": "websocket.close", "code": 1000})
        except _Gone:
            await self._app.note("session/close", {"session": session})

    async def _refuse(self, scope: MutableMapping[str, Any], response: Response) -> None:
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await self._send({"type": "websocket.close", "code": 1008})
            return
        headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in response.headers.items()]
        await self._send(
            {"type": "websocket.http.response.start", "status": response.status, "headers": headers}
        )
        await self._send({"type": "websocket.http.response.body", "body": response.body})

    async def _talk(self, session: str, outgoing: Outgoing) -> None:
        """Frames in both directions until the process ends or the client is gone (_Gone)."""
        incoming = asyncio.ensure_future(self._read(session))
        speaking = asyncio.ensure_future(self._speak(outgoing))
        try:
            await asyncio.wait({incoming, speaking}, return_when=asyncio.FIRST_COMPLETED)
            if not speaking.done():
                incoming.result()
                raise _Gone
            speaking.result()
        finally:
            incoming.cancel()
            speaking.cancel()
            await asyncio.gather(incoming, speaking, return_exceptions=True)

    async def _speak(self, outgoing: Outgoing) -> None:
        wanted = {STDOUT: flag(self._request, "stdout"), STDERR: flag(self._request, "stderr")}
        while True:
            for frame in await outgoing.take():
                if not wanted[frame[0]]:
                    continue
                for start in range(1, len(frame), CHUNK):
                    await self._frame(frame[:1] + frame[start : start + CHUNK])
            if outgoing.status is not None:
                break
        # An attachment ends well however the process ended; only exec tells a status.
        attached = parse(self._request).subresource == "attach"
        await self._frame(bytes([ERROR]) + orjson.dumps(exit_status(0 if attached else outgoing.status)))

    async def _frame(self, frame: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": frame})

    async def _read(self, session: str) -> None:
        """Journals what comes in. Raises _Gone."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                raise _Gone
            data = message.get("bytes") or (message.get("text") or "").encode()
            if len(data) > FRAME_LIMIT:
                raise _Gone
            if not data:
                continue
            channel, rest = data[0], data[1:]
            if channel == STDIN and rest:
                await self._app.note("session/input", {"session": session, "data": pack_bytes(rest)})
            elif channel == CLOSE and rest[:1] == b"\x00":
                await self._app.note("session/input", {"session": session, "end": True})
            elif channel == RESIZE:
                await self._resize(session, rest)

    async def _resize(self, session: str, data: bytes) -> None:
        try:
            size = orjson.loads(data)
            columns, rows = size["Width"], size["Height"]
        except (ValueError, TypeError, KeyError):
            return  # as upstream: what is no size is ignored
        if type(columns) is int and type(rows) is int:
            payload = {"session": session, "columns": columns, "rows": rows}
            await self._app.note("session/resize", payload)
