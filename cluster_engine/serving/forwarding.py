"""port-forward over WebSocket: SPDY/3.1 in binary messages (``SPDY/3.1+portforward.k8s.io``), as kubectl speaks it.

Each forwarded connection is a pair of streams, one for data and one for what goes wrong. What is made of that in the
journal: ``session/connect`` for a pair, ``session/send`` for the bytes that came in on one in a turn of the loop.
Client libraries speak in channels instead (forward_channels.py).

Models k8s.io/apiserver/pkg/util/proxy/streamtunnel.go and k8s.io/kubelet/pkg/cri/streaming/portforward.
"""

from __future__ import annotations

import asyncio
from typing import Any

from cluster_engine.apimachinery import errors
from cluster_engine.kube_apiserver import Request, Response
from cluster_engine.sim.journal import pack_bytes

from . import forward_channels, spdy
from .connections import Connections
from .forward_channels import Channels, PortsRefused, asked_ports
from .subprotocols import as_token
from .websocket import INPUT_LIMIT, App, Gone, StreamSession

PROTOCOL = "SPDY/3.1+portforward.k8s.io"
PAIRS = 256
"""Connections that one session may have at a time; one more is refused."""
_ERROR, _DATA = "error", "data"


class Tunnel(Connections):
    """The SPDY frames of one session."""

    def __init__(self) -> None:
        super().__init__()
        self._spdy = spdy.Spdy()
        self._pairs: dict[str, dict[str, int]] = {}
        """By request id, the streams of connections of which one stream is missing yet."""
        self._errors: dict[int, int] = {}
        """Data stream -> error stream of the connections that stand."""

    # ---- from the client -------------------------------------------------------------------------------

    def take(self, message: bytes) -> list[tuple[str, dict[str, Any]]]:
        """(kind, payload) of the journal entries that a message makes. Raises Gone when it is no SPDY."""
        found: list[tuple[str, dict[str, Any]]] = []
        try:
            events = self._spdy.take(message)
        except spdy.SpdyError:
            raise Gone from None
        for event in events:
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


class ForwardSession(StreamSession):
    """One WebSocket with connections, which speaks SPDY or in channels."""

    protocols = (PROTOCOL, as_token(PROTOCOL), *forward_channels.PROTOCOLS)

    def __init__(self, app: App, request: Request) -> None:
        super().__init__(app, request)
        self._connections: Connections = Tunnel()
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._entries: list[tuple[str, dict[str, Any]]] = []
        self._waiting = 0

    @property
    def listener(self) -> Connections:
        """Who is told what comes out of the cluster."""
        return self._connections

    def _chosen(self, protocol: str) -> Response | None:
        if protocol not in forward_channels.PROTOCOLS:
            return None
        try:
            channels = Channels(asked_ports(self._request))
        except PortsRefused as problem:
            refused: Response = self._app.cluster.server.failure(
                self._request, errors.bad_request(str(problem))
            )
            return refused
        self._connections, self._entries = channels, channels.begin()
        return None

    async def _came(self, message: bytes) -> None:
        while self._waiting > INPUT_LIMIT:
            self._room.clear()
            await self._room.wait()
        self._entries += self._connections.take(message)
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
        connections = self._connections
        while frames := await connections.frames():
            for frame in frames:
                await self._frame(frame)
        if connections.left:
            await self._send({"type": "websocket.close", "code": 1000})
            raise Gone

    async def _tell(self, status: bytes) -> None:
        """There is no place for a Status: the client learns from the end of the connection."""
