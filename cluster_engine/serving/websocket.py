"""exec and attach over WebSocket (v5, v4 and plain channel.k8s.io): frames whose first byte is a channel.

What comes in is journaled: frames that arrive within one turn of the loop, or while the entry before them is made
durable, are one entry. What the session's process writes goes out as it is written, while the virtual clock goes on.

Models k8s.io/apimachinery/pkg/util/remotecommand and k8s.io/apiserver/pkg/util/proxy/websocket.go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from typing import Any, Protocol

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.kube_apiserver import Request, Response
from cluster_engine.kube_apiserver.requests import flag, parse
from cluster_engine.kube_apiserver.sessions import Listener
from cluster_engine.kube_apiserver.subresources.execute import exit_status
from cluster_engine.sim.journal import pack_bytes

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io", "")
"""The last is that of a client that names none."""
_WITHOUT_STATUS = ("channel.k8s.io", "")
"""Where the end is told in words, and success not at all (v1WriteStatusFunc)."""
FRAME_LIMIT = 1024 * 1024
"""Bytes of one frame that comes in; a client that sends more is cut off."""
OUTPUT_LIMIT = 16 * 1024 * 1024
"""Bytes that wait for a slow client; with more it is cut off."""
INPUT_LIMIT = FRAME_LIMIT
"""Bytes that came in and are not journaled yet; with more nothing is read until they are."""
CHUNK = 1 << 15

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class App(Protocol):
    """What a session needs of the ClusterApp."""

    cluster: Any

    async def open_session(self, request: Request, listener: Listener) -> tuple[str, Response | None]: ...

    async def note(self, kind: str, payload: dict[str, Any]) -> Response | None: ...

    def waiting(self) -> AbstractContextManager[None]: ...


class Gone(Exception):
    """The client hung up."""


class _NotNoted(Exception):
    """The journal's sink did not take an entry; the cause is its exception, which is for the caller."""


class Outgoing:
    """Frames on their way out. It is the session's ``Listener``."""

    def __init__(self, tty: bool) -> None:
        self._tty = tty
        self._ready = asyncio.Event()
        self._frames: list[bytes] = []
        self._size = 0
        self.status: int | None = None
        """The exit status once the process has ended."""
        self.failure: dict[str, Any] | None = None
        """The Status of a session that was given up."""

    def output(self, fd: int, data: bytes) -> None:
        """What the process wrote; a terminal has one stream only."""
        channel = STDOUT if self._tty or fd == 1 else STDERR
        self._size += len(data)
        self._frames.append(bytes([channel]) + data)
        self._ready.set()

    def closed(self, stream: int, why: str) -> None:
        """It has no connections."""

    def ended(self, status: int) -> None:
        """Nothing more comes."""
        self.status = status
        self._ready.set()

    def failed(self, status: dict[str, Any]) -> None:
        """The session was given up."""
        self.status, self.failure = -1, status
        self._ready.set()

    async def take(self) -> list[bytes]:
        """The frames since the last call; waits for some, or for the end. Raises Gone when there are too many."""
        if not self._frames and self.status is None:
            self._ready.clear()
            await self._ready.wait()
        if self._size > OUTPUT_LIMIT:
            raise Gone
        frames, self._frames, self._size = self._frames, [], 0
        return frames


async def refuse(scope: MutableMapping[str, Any], send: Send, response: Response) -> None:
    """Deny a handshake with this answer, where the server can."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in response.headers.items()]
    await send({"type": "websocket.http.response.start", "status": response.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": response.body})


class StreamSession:
    """One WebSocket. What is talked about over it is its kind's: here the channels of exec and attach."""

    protocols: tuple[str, ...] = PROTOCOLS

    def __init__(self, app: App, request: Request) -> None:
        self._app = app
        self._request = request
        self._outgoing = Outgoing(flag(request, "tty"))
        self._typed = _Incoming()
        self._in_words = False

    @property
    def listener(self) -> Listener:
        """Who is told what comes out of the cluster."""
        return self._outgoing

    async def serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """From the handshake to the exit status."""
        self._send, self._receive = send, receive
        await receive()  # websocket.connect
        offered = scope.get("subprotocols") or [""]
        protocol = next((p for p in self.protocols if p in offered), None)
        refused = self._app.cluster.server.refused_stream(self._request)
        if refused is not None:
            await refuse(scope, send, refused)
            return
        if protocol is None:
            text = f"unable to upgrade: the client speaks none of {', '.join(filter(None, self.protocols))}"
            await refuse(scope, send, Response(400, {"content-type": "text/plain"}, text.encode()))
            return
        refused = self._chosen(protocol)
        if refused is not None:
            await refuse(scope, send, refused)
            return
        await send({"type": "websocket.accept", "subprotocol": protocol or None})
        session, refusal = await self._app.open_session(self._request, self.listener)
        try:
            if refusal is not None:
                await self._tell(refusal.body)
            else:
                with self._app.waiting():
                    await self._talk(session)
            await send({"type": "websocket.close", "code": 1000})
        except Gone:
            await self._app.note("session/close", {"session": session})
        except _NotNoted as problem:
            cause = problem.__cause__ or problem
            why = f"the input could not be made durable and was not carried out: {cause}"
            await self._over(errors.service_unavailable(why).status)
            raise cause from None
        except Exception as error:
            if not self._app.cluster.clock.failed("kube-apiserver/session", session, error, replayed=False):
                raise
            await self._over(errors.internal("this session met a bug of the cluster and was closed").status)
            await self._app.note("session/close", {"session": session})

    def _chosen(self, protocol: str) -> Response | None:
        """What is talked in was settled; the refusal of a request that does not go with it."""
        self._in_words = protocol in _WITHOUT_STATUS
        return None

    async def _over(self, status: dict[str, Any]) -> None:
        """The session ends before its process does; the client is told why."""
        await self._tell(orjson.dumps(status))
        await self._send({"type": "websocket.close", "code": 1011})

    async def _tell(self, status: bytes) -> None:
        """A Status for the client."""
        if self._in_words:
            told = orjson.loads(status)
            status = b"" if told["status"] == "Success" else told["message"].encode()
        if status:
            await self._frame(bytes([ERROR]) + status)

    async def _talk(self, session: str) -> None:
        """Frames in both directions until the process ends or the client is gone (Gone)."""
        reading = asyncio.ensure_future(self._read())
        noting = asyncio.ensure_future(self._note(session))
        speaking = asyncio.ensure_future(self._speak())
        tasks = (speaking, noting, reading)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            next(task for task in tasks if task.done()).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _speak(self) -> None:
        """Says what comes out, until nothing more comes. Raises Gone."""
        outgoing = self._outgoing
        wanted = {STDOUT: flag(self._request, "stdout"), STDERR: flag(self._request, "stderr")}
        while True:
            for frame in await outgoing.take():
                if not wanted[frame[0]]:
                    continue
                for start in range(1, len(frame), CHUNK):
                    await self._frame(frame[:1] + frame[start : start + CHUNK])
            if outgoing.status is not None:
                break
        if outgoing.failure is not None:
            await self._tell(orjson.dumps(outgoing.failure))
            return
        # An attachment ends well however the process ended; only exec tells a status.
        attached = parse(self._request).subresource == "attach"
        await self._tell(orjson.dumps(exit_status(0 if attached else outgoing.status)))

    async def _frame(self, frame: bytes) -> None:
        try:
            await self._send({"type": "websocket.send", "bytes": frame})
        except OSError:  # what servers raise when nobody is there any more
            raise Gone from None

    async def _read(self) -> None:
        """Takes what comes in. Raises Gone."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                raise Gone
            data = message.get("bytes") or (message.get("text") or "").encode()
            if len(data) > FRAME_LIMIT:
                raise Gone
            if data:
                await self._came(data)

    async def _came(self, message: bytes) -> None:
        """One message; waits while too much of what came before is not journaled. Raises Gone."""
        await self._typed.add(message[0], message[1:])

    async def _taken(self) -> list[tuple[str, dict[str, Any]]]:
        """(kind, payload) of the journal entries of all messages since the last call; waits for some."""
        return await self._typed.take()

    async def _note(self, session: str) -> None:
        """Journals it. Raises _NotNoted."""
        while True:
            for kind, payload in await self._taken():
                try:
                    await self._app.note(kind, {"session": session, **payload})
                except Exception as error:
                    raise _NotNoted from error


class _Incoming:
    """Frames on their way into the journal."""

    def __init__(self) -> None:
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._frames: list[tuple[int, bytes]] = []
        self._size = 0

    async def add(self, channel: int, data: bytes) -> None:
        """One more frame; waits while too much of what came before is not journaled."""
        while self._size > INPUT_LIMIT:
            self._room.clear()
            await self._room.wait()
        self._frames.append((channel, data))
        self._size += len(data)
        self._some.set()

    async def take(self) -> list[tuple[str, dict[str, Any]]]:
        """The entries of all frames since the last call; waits for some, and for those of the same turn of the loop."""
        self._some.clear()
        if not self._frames:
            await self._some.wait()
        await asyncio.sleep(0)
        frames, self._frames, self._size = self._frames, [], 0
        self._room.set()
        return entries(frames)


def entries(frames: Sequence[tuple[int, bytes]]) -> list[tuple[str, dict[str, Any]]]:
    """(kind, payload) of the journal entries of frames: consecutive input is one, of consecutive sizes the last."""
    found: list[tuple[str, dict[str, Any]]] = []
    for channel, group in groupby(frames, key=lambda frame: RESIZE if frame[0] == RESIZE else STDIN):
        if channel == RESIZE:
            sizes = [size for size in (_size(data) for _, data in group) if size is not None]
            found += [("session/resize", size) for size in sizes[-1:]]
            continue
        typed, end = b"", False
        for kind, rest in group:
            if kind == STDIN and not end:
                typed += rest
            end = end or (kind == CLOSE and rest[:1] == bytes([STDIN]))
        payload: dict[str, Any] = {"data": pack_bytes(typed)} if typed else {}
        if end:
            payload["end"] = True
        if payload:
            found.append(("session/input", payload))
    return found


def _size(data: bytes) -> dict[str, int] | None:
    try:
        size = orjson.loads(data)
        columns, rows = size["Width"], size["Height"]
    except (ValueError, TypeError, KeyError):
        return None  # as upstream: what is no size is ignored
    return {"columns": columns, "rows": rows} if type(columns) is int and type(rows) is int else None
