"""What waits to be said to a client that has connections into a Pod, whatever it speaks."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any

from .websocket import OUTPUT_LIMIT, Gone


class Connections(ABC):
    """The messages of one session on their way out; it knows no sockets. It is the session's ``Listener``."""

    def __init__(self) -> None:
        self._ready = asyncio.Event()
        self._frames: list[bytes] = []
        self._size = 0
        self.over = False
        """Nothing more comes from the cluster."""
        self.left = False
        """It was over because of its connections: the cluster has yet to be told."""

    @abstractmethod
    def take(self, message: bytes) -> list[tuple[str, dict[str, Any]]]:
        """(kind, payload) of the journal entries that a message makes. Raises Gone when it is none."""

    @abstractmethod
    def output(self, fd: int, data: bytes) -> None:
        """What the Pod sent on a connection."""

    @abstractmethod
    def closed(self, stream: int, why: str) -> None:
        """A connection is over."""

    def ended(self, status: int) -> None:
        """The session is over."""
        self.over = True
        self._ready.set()

    def failed(self, status: dict[str, Any]) -> None:
        """It was given up."""
        self.ended(-1)

    def _say(self, frames: list[bytes]) -> None:
        self._frames += frames
        self._size += sum(map(len, frames))
        self._ready.set()

    async def frames(self) -> list[bytes]:
        """What is to be said since the last call; waits for some. Nothing: the end. Raises Gone when it is too much."""
        if self._size > OUTPUT_LIMIT:
            raise Gone
        if not self._frames and not self.over:
            self._ready.clear()
            await self._ready.wait()
        frames, self._frames, self._size = self._frames, [], 0
        return frames
