"""port-forward over WebSocket: SPDY/3.1 in binary messages (``SPDY/3.1+portforward.k8s.io``), as kubectl speaks it.

Each forwarded connection is a pair of streams, one for data and one for what goes wrong. What is made of that in the
journal: ``session/connect`` for a pair, ``session/send`` for the bytes that came in on one in a turn of the loop.

Models k8s.io/apiserver/pkg/util/proxy/streamtunnel.go and k8s.io/kubelet/pkg/cri/streaming/portforward.
"""

from __future__ import annotations

import asyncio
from typing import Any

from cluster_engine.kube_apiserver import Request
from cluster_engine.sim.journal import pack_bytes

from . import spdy
from .subprotocols import as_token
from .websocket import INPUT_LIMIT, OUTPUT_LIMIT, App, Gone, StreamSession

PROTOCOL = "SPDY/3.1+portforward.k8s.io"
PAIRS = 256
"""Connections that one session may have at a time; one more is refused."""
_ERROR, _DATA = "error", "data"


class Tunnel:
    """The frames of one session; it knows no sockets. It is the session's ``Connections``."""

    def __init__(self) -> None:
        self._spdy = spdy.Spdy()
        self._pairs: dict[str, dict[str, int]] = {}
        """By request id, the streams of connections of which one stream is missing yet."""
        self._errors: dict[int, int] = {}
        """Data stream -> error stream of the connections that stand."""
        self._ready = asyncio.Event()
        self._frames: list[bytes] = []
        self._size = 0
        self.over = False
        """Nothing more comes from the cluster."""

    # ---- from the client -------------------------------------------------------------------------------

    def take(self, message: bytes) -> list[tuple[str, dict[str, Any]]]:
        """(kind, payload) of the journal entries that a message makes. Raises SpdyError."""
        found: list[tuple[str, dict[str, Any]]] = []
        for event in self._spdy.take(message):
            match event:
                case spdy.Opened(stream, headers):
                    found += self._opened(stream, headers)
                case spdy.Data(stream, data) if stream in self._errors:
                    found.append(("session/send", {"stream": stream, "data": pack_bytes(data)}))
                case spdy.Ended(stream) if stream in self._errors:
                    found.append(("session/send", {"stream": stream, "end": True}))
                case spdy.Pinged(answer):
                    self._say([answer])
        return found

    def _opened(self, stream: int, headers: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
        """httpStreamReceived and httpStreamHandler.run."""
        port, kind = headers.get("port", ""), headers.get("streamtype", "")
        valid = port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536
        # Older clients number nothing: the error stream comes first, the data stream has the next odd number.
        request = headers.get("requestid") or str(stream - 2 if kind == _DATA else stream)
        full = request not in self._pairs and len(self._pairs) + len(self._errors) >= PAIRS
        if not valid or kind not in (_ERROR, _DATA) or full:
            self._say([self._spdy.refuse(stream)])
            return []
        self._say([self._spdy.accept(stream)])
        pair = self._pairs.setdefault(request, {})
        pair.setdefault(kind, stream)
        if len(pair) < 2:
            return []
        del self._pairs[request]
        self._errors[pair[_DATA]] = pair[_ERROR]
        return [("session/connect", {"stream": pair[_DATA], "port": int(port)})]

    # ---- from the cluster (Connections) ----------------------------------------------------------------

    def output(self, fd: int, data: bytes) -> None:
        """What the Pod sent on a connection."""
        if fd in self._errors:
            self._say(spdy.data_frames(fd, data))

    def closed(self, stream: int, why: str) -> None:
        """A connection is over."""
        error = self._errors.pop(stream, None)
        if error is not None:
            self._say(spdy.data_frames(stream, b"", end=True))
            self._say(spdy.data_frames(error, why.encode(), end=True))

    def ended(self, status: int) -> None:
        """The session is over."""
        self.over = True
        self._ready.set()

    def failed(self, status: dict[str, Any]) -> None:
        """It was given up."""
        self.ended(-1)

    # ---- to the client ---------------------------------------------------------------------------------

    def _say(self, frames: list[bytes]) -> None:
        self._frames += frames
        self._size += sum(map(len, frames))
        self._ready.set()

    async def frames(self) -> list[bytes]:
        """What is to be said since the last call; waits for some, or for the end. Raises Gone when it is too much."""
        if self._size > OUTPUT_LIMIT:
            raise Gone
        if not self._frames and not self.over:
            self._ready.clear()
            await self._ready.wait()
        frames, self._frames, self._size = self._frames, [], 0
        return frames


class ForwardSession(StreamSession):
    """One WebSocket that tunnels SPDY."""

    protocols = (PROTOCOL, as_token(PROTOCOL))

    def __init__(self, app: App, request: Request) -> None:
        super().__init__(app, request)
        self._tunnel = Tunnel()
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._entries: list[tuple[str, dict[str, Any]]] = []
        self._waiting = 0

    @property
    def listener(self) -> Tunnel:
        """Who is told what comes out of the cluster."""
        return self._tunnel

    async def _came(self, message: bytes) -> None:
        while self._waiting > INPUT_LIMIT:
            self._room.clear()
            await self._room.wait()
        try:
            self._entries += self._tunnel.take(message)
        except spdy.SpdyError:
            raise Gone from None
        self._waiting += len(message)
        self._some.set()

    async def _taken(self) -> list[tuple[str, dict[str, Any]]]:
        self._some.clear()
        if not self._entries:
            await self._some.wait()
        entries, self._entries, self._waiting = self._entries, [], 0
        self._room.set()
        return entries

    async def _speak(self) -> None:
        while not self._tunnel.over:
            for frame in await self._tunnel.frames():
                await self._frame(frame)

    async def _tell(self, status: bytes) -> None:
        """SPDY has no place for a Status: the client learns from the end of the connection."""
