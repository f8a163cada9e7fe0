"""Connections that lead out of the terminal's machine, on an event loop: whoever hosts it says where they go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from cluster_engine.linux import dns
from cluster_engine.linux.machine import Machine

NAME_SERVER = "192.168.0.1"
"""Of the learner's own network: what /etc/resolv.conf of the terminal names."""
WAYS = 64
"""Connections of one machine; one more is refused."""
UNREAD = 64 * 1024
"""Bytes that no process has read yet; more are asked for when it has."""


class LineError(Exception):
    """No connection, or no more; str() is ``refused``, ``timeout``, ``unreachable`` or ``reset``."""


class Line(Protocol):
    """One connection."""

    async def send(self, data: bytes, *, end: bool) -> None:
        """Bytes for the peer; after ``end`` no more come. Raises LineError."""

    async def read(self) -> bytes:
        """What came next, b"" at the end. Raises LineError."""

    async def close(self) -> None:
        """Hang up; never fails."""


class Dialer(Protocol):
    """What lies outside of the machine."""

    def addresses(self, name: str) -> list[str]:
        """The addresses of a name; [] when there is none."""

    async def dial(self, ip: str, port: int) -> Line:
        """Raises LineError."""


@dataclass(slots=True)
class _Way:
    out: list[str] = field(default_factory=list)
    unread: int = 0
    ended: bool = False
    closed: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def change(self) -> None:
        self.changed.clear()
        await self.changed.wait()


class Outward:
    """All connections of one machine. Its methods only note; what comes back is told from a task."""

    def __init__(
        self,
        machine: Callable[[], Machine],
        dialer: Callable[[], Dialer | None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        turn: Callable[[], Awaitable[None]],
        wake: Callable[[], None],
    ) -> None:
        """``turn`` waits for one's turn to dial; ``wake``: the machine has something to do."""
        self._machine = machine
        self._dialer_of = dialer
        self._spawn = spawn
        self._turn = turn
        self._wake = wake
        self._ways: dict[str, _Way] = {}

    @property
    def _dialer(self) -> Dialer | None:
        return self._dialer_of()

    @property
    def busy(self) -> bool:
        """Whether anything is open or asked for."""
        return bool(self._ways)

    def resolve(self, call: str, name: str) -> None:
        """Tells the machine the addresses of a name."""
        found = self._dialer.addresses(name) if self._dialer is not None else []
        asyncio.get_running_loop().call_soon(self._resolved, call, found or "not found")

    def connect(self, sock: str, ip: str, port: int) -> None:
        """A connection is wanted."""
        if self._dialer is None or len(self._ways) >= WAYS:
            reason = "unreachable" if self._dialer is None else "refused"
            asyncio.get_running_loop().call_soon(self._fail, sock, LineError(reason))
            return
        self._ways[sock] = _Way()
        self._spawn(self._carry(self._dialer, sock, ip, port))

    def send(self, sock: str, text: str) -> None:
        """Byte text for the peer."""
        self._note(sock, lambda way: way.out.append(text))

    def shutdown(self, sock: str) -> None:
        """Nothing more is sent."""
        self._note(sock, lambda way: setattr(way, "ended", True))

    def close(self, sock: str) -> None:
        """The machine forgets the socket."""
        self._note(sock, lambda way: setattr(way, "closed", True))

    def took(self, sock: str, count: int) -> None:
        """A process has read so many bytes."""
        self._note(sock, lambda way: setattr(way, "unread", way.unread - count))

    def datagram(self, port: int, ip: str, to_port: int, data: str) -> None:
        """The one thing that answers datagrams out here is the name server of the learner's own network."""
        asked = dns.read_question(data) if to_port == dns.PORT and ip == NAME_SERVER else None
        if asked is None:
            return
        number, kind, name = asked
        found = self._dialer.addresses(name) if self._dialer is not None else []
        records = [[name, kind, address] for address in found] if kind == "A" else []
        text = dns.answer(number, dns.NO_ERROR if found else dns.NO_SUCH_NAME, records)
        asyncio.get_running_loop().call_soon(self._said, port, text)

    def _said(self, port: int, text: str) -> None:
        self._machine().datagram_in(port, NAME_SERVER, dns.PORT, text)
        self._wake()

    def _note(self, sock: str, change: Callable[[_Way], None]) -> None:
        way = self._ways.get(sock)
        if way is not None:
            change(way)
            way.changed.set()

    def _resolved(self, call: str, found: list[str] | str) -> None:
        self._machine().resolved(call, found)
        self._wake()

    def _fail(self, sock: str, error: LineError) -> None:
        self._machine().failed(sock, str(error))
        self._wake()

    async def _carry(self, dialer: Dialer, sock: str, ip: str, port: int) -> None:
        """One connection from its beginning to its end."""
        way = self._ways[sock]
        try:
            await self._turn()
            line = await dialer.dial(ip, port)
            self._machine().connected(sock)
            self._wake()
            reader = asyncio.ensure_future(self._bring(way, sock, line))
            try:
                await self._take(way, sock, line)
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
                await line.close()
        except LineError as error:
            self._fail(sock, error)
        finally:
            del self._ways[sock]

    async def _take(self, way: _Way, sock: str, line: Line) -> None:
        """From the machine to the peer, until the machine closes it."""
        told = False
        while not way.closed:
            if way.out or (way.ended and not told):
                text, way.out, told = "".join(way.out), [], way.ended
                await line.send(text.encode("latin-1"), end=told)
                self._machine().acked(sock, len(text))
                self._wake()
            else:
                await way.change()

    async def _bring(self, way: _Way, sock: str, line: Line) -> None:
        """From the peer to the machine."""
        try:
            while data := await line.read():
                while way.unread > UNREAD:
                    await way.change()
                way.unread += len(data)
                self._machine().received(sock, data.decode("latin-1"))
                self._wake()
            self._machine().closed(sock)
            self._wake()
        except LineError as error:
            way.closed = True
            way.changed.set()
            self._fail(sock, error)
