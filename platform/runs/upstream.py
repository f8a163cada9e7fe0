"""A small HTTP/1.1 client for talking to engine hosts: pooled connections, streamed answers.

The proxy forwards every request of every cluster through it, so it does no more than that: h11 for the
protocol, asyncio streams for the bytes, and the reader's own buffer limit for backpressure.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import h11

CHUNK = 64 * 1024
MAX_IDLE = 64
IDLE_SECONDS = 30.0
CONNECT_SECONDS = 3.0

Headers = Sequence[tuple[bytes, bytes]]


class UpstreamError(Exception):
    """The host could not be reached, or hung up. `sent`: it may have seen the request."""

    def __init__(self, message: str, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Doubt:
    """What to do when nothing comes: after so many seconds, and again, ask whether the host is still there."""

    seconds: float
    still_there: Callable[[], Awaitable[bool]]


@dataclass(slots=True, eq=False)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    doubt: Doubt | None = None
    protocol: h11.Connection = field(default_factory=lambda: h11.Connection(our_role=h11.CLIENT))
    idle_since: float = 0.0

    def close(self) -> None:
        self.writer.close()

    @property
    def stale(self) -> bool:
        old = time.monotonic() - self.idle_since > IDLE_SECONDS
        return old or self.reader.at_eof() or self.writer.is_closing()

    async def event(self) -> h11.Event | type[h11.NEED_DATA]:
        """The next protocol event; reads as needed."""
        while True:
            event = self.protocol.next_event()
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]
            self.protocol.receive_data(await self._read())

    async def _read(self) -> bytes:
        while True:
            try:
                async with asyncio.timeout(self.doubt.seconds if self.doubt is not None else None):
                    return await self.reader.read(CHUNK)
            except TimeoutError:
                if self.doubt is not None and not await self.doubt.still_there():
                    raise ConnectionResetError("the host gives no sign of life") from None


class Answer:
    """A response whose body is still on its way. Iterate it, or `aclose()` it."""

    def __init__(self, upstream: Upstream, key: tuple[str, int], connection: _Connection, head: h11.Response):
        self._upstream = upstream
        self._key = key
        self._connection: _Connection | None = connection
        self.status = head.status_code
        self.headers: list[tuple[bytes, bytes]] = [(bytes(n), bytes(v)) for n, v in head.headers]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        connection = self._connection
        if connection is None:
            return
        try:
            while True:
                event = await connection.event()
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    break
                elif isinstance(event, h11.ConnectionClosed):
                    raise UpstreamError("the host hung up", sent=True)
        except (OSError, h11.RemoteProtocolError) as error:
            raise UpstreamError(str(error), sent=True) from error
        self._connection = None
        self._upstream.give_back(self._key, connection)

    async def read(self, limit: int = 8 * 1024 * 1024) -> bytes:
        """The whole body; UpstreamError past `limit`."""
        parts, size = [], 0
        async for part in self:
            size += len(part)
            if size > limit:
                await self.aclose()
                raise UpstreamError(f"the answer is larger than {limit} bytes", sent=True)
            parts.append(part)
        return b"".join(parts)

    async def aclose(self) -> None:
        """Hang up unless the body was read to its end."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Upstream:
    """Connections to hosts. One per event loop."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int], deque[_Connection]] = defaultdict(deque)

    async def request(
        self,
        method: str,
        url: str,
        headers: Headers = (),
        body: bytes = b"",
        head_seconds: float | None = None,
        doubt: Doubt | None = None,
    ) -> Answer:
        """Send a request; returns once the head of the answer is there. Raises UpstreamError."""
        parts = urlsplit(url)
        if parts.hostname is None or parts.port is None:
            raise ValueError(f"a host's address needs name and port: {url!r}")
        key = (parts.hostname, parts.port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self._take(key) or await self._connect(key)
        connection.doubt = doubt
        request = h11.Request(
            method=method,
            target=target,
            headers=[
                (b"host", parts.netloc.encode("ascii")),
                *headers,
                (b"content-length", str(len(body)).encode("ascii")),
            ],
        )
        try:
            async with asyncio.timeout(head_seconds):
                head = await self._exchange(connection, request, body)
        except (OSError, h11.ProtocolError, TimeoutError) as error:
            connection.close()
            raise UpstreamError(str(error) or type(error).__name__, sent=True) from error
        except BaseException:
            connection.close()  # cancelled: the answer would be for nobody
            raise
        return Answer(self, key, connection, head)

    @staticmethod
    async def _exchange(connection: _Connection, request: h11.Request, body: bytes) -> h11.Response:
        protocol = connection.protocol
        data = protocol.send(request) or b""
        if body:
            data += protocol.send(h11.Data(data=body)) or b""
        data += protocol.send(h11.EndOfMessage()) or b""
        connection.writer.write(data)
        await connection.writer.drain()
        while True:
            event = await connection.event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise ConnectionResetError("the host hung up before it answered")

    async def _connect(self, key: tuple[str, int]) -> _Connection:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(*key, limit=CHUNK)
        except (OSError, TimeoutError) as error:
            raise UpstreamError(f"no host at {key[0]}:{key[1]}: {error}", sent=False) from error
        return _Connection(reader, writer)

    def _take(self, key: tuple[str, int]) -> _Connection | None:
        idle = self._idle[key]
        while idle:
            connection = idle.pop()
            if not connection.stale:
                return connection
            connection.close()
        return None

    def give_back(self, key: tuple[str, int], connection: _Connection) -> None:
        """Keep a connection whose exchange is over, where the protocol allows."""
        try:
            connection.protocol.start_next_cycle()
        except h11.LocalProtocolError:
            connection.close()
            return
        idle = self._idle[key]
        connection.idle_since = time.monotonic()
        idle.append(connection)
        if len(idle) > MAX_IDLE:
            idle.popleft().close()

    async def aclose(self) -> None:
        """Close all idle connections."""
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()
