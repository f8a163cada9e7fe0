"""A connection into a cluster's network from outside, on an event loop. What it sends is journaled."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

from cluster_engine.network import LinkListener

BACKLOG = 4 * 1024 * 1024
"""Bytes that came and were not read yet; with more the link is given up."""
PIECE = 64 * 1024
"""Bytes of one journal entry."""


class LinkError(Exception):
    """No connection, or no more: ``refused``, ``timeout``, ``unreachable``, ``reset`` or ``full``."""


class App(Protocol):
    """What a link needs of the ClusterApp."""

    cluster: Any

    async def open_link(self, source: str, ip: str, port: int, listener: LinkListener) -> str: ...

    async def note(self, kind: str, payload: dict[str, Any]) -> Any: ...

    def waiting(self) -> AbstractContextManager[None]: ...


class Link:
    """One connection; ``close`` it in any case."""

    def __init__(self, app: App, source: str) -> None:
        self._app = app
        self._source = source
        self._name = ""
        self._changed = asyncio.Event()
        self._came: deque[str] = deque()
        self._waiting = 0
        self._open = self._ended = False
        self._reason = ""
        self._gone = False
        """The network knows nothing of it any more."""
        self._time = ExitStack()

    async def connect(self, ip: str, port: int) -> None:
        """Raises LinkError, and what the journal raises."""
        if self._app.cluster.outside.full:
            raise LinkError("full")
        self._time.enter_context(self._app.waiting())
        try:
            self._name = await self._app.open_link(self._source, ip, port, self)
            while not (self._open or self._reason):
                await self._change()
        except BaseException:
            await self.close()
            raise
        if self._reason:
            await self.close()
            raise LinkError(self._reason)

    async def send(self, data: bytes, *, end: bool = False) -> None:
        """Bytes for the peer; with ``end`` no more come after them."""
        text = data.decode("latin-1")
        pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)] or [""]
        for number, piece in enumerate(pieces):
            last = {"end": True} if end and number + 1 == len(pieces) else {}
            payload = {"source": self._source, "link": self._name, "data": piece, **last}
            await self._app.note("link/input", payload)

    async def read(self) -> bytes:
        """What came next; b"" at the end. Raises LinkError."""
        while not self._came:
            if self._reason:
                raise LinkError(self._reason)
            if self._ended:
                return b""
            await self._change()
        text = self._came.popleft()
        self._waiting -= len(text)
        return text.encode("latin-1")

    async def close(self) -> None:
        """Hang up."""
        self._time.close()
        name, self._name = self._name, ""
        if name and not self._gone:
            await self._app.note("link/close", {"source": self._source, "link": name})

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    # ---- what the network tells (LinkListener) -----------------------------------------------------------

    def connected(self) -> None:
        self._open = True
        self._changed.set()

    def received(self, data: str) -> None:
        self._waiting += len(data)
        if self._waiting > BACKLOG:
            self._reason = self._reason or "full"
            self._came.clear()
        else:
            self._came.append(data)
        self._changed.set()

    def closed(self) -> None:
        self._ended = True
        self._changed.set()

    def failed(self, reason: str) -> None:
        self._reason, self._gone = self._reason or reason, True
        self._changed.set()
