"""A slow line that loses packets: a TCP proxy that holds each piece back, and a lost one longer. Nothing overtakes.

TCP sends again what was lost: what a page notices of a loss is a wait, and a line that breaks.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

DELAY = 0.1
"""Seconds, each way."""
LOST, AGAIN = 0.1, 0.3
"""Of the pieces that share is lost, and comes so many seconds later."""


class LossyLine:
    """Between a browser and `address`."""

    def __init__(self, address: str, seed: int) -> None:
        parts = urlsplit(address)
        self._there = (parts.hostname or "", parts.port or 80)
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""
        """Where it listens, once it does."""

    async def listen(self) -> None:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.listen())
        ready.set()
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def cut(self) -> None:
        """Break every connection that there is."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, to_there = await asyncio.open_connection(*self._there)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, to_there}
        try:
            await asyncio.gather(self._pump(reader, to_there), self._pump(there, writer))
        finally:
            self._writers -= {writer, to_there}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await waiting.get()
                await asyncio.sleep(due - self._loop.time())
                if not data:
                    return
                writer.write(data)
                await writer.drain()

        delivering = asyncio.ensure_future(deliver())
        due = 0.0
        try:
            while data := await reader.read(65536):
                late = AGAIN if self._chance.random() < LOST else 0.0
                due = max(due, self._loop.time() + DELAY + late)
                waiting.put_nowait((due, data))
            waiting.put_nowait((due, b""))
            await delivering
        except OSError:
            delivering.cancel()
        finally:
            writer.close()


@contextmanager
def lossy_line(address: str, seed: int) -> Iterator[LossyLine]:
    """The line, while the block runs."""
    line = LossyLine(address, seed)
    ready = threading.Event()
    thread = threading.Thread(target=line.run, args=(ready,), daemon=True)
    thread.start()
    ready.wait(30)
    try:
        yield line
    finally:
        line.stop()
        thread.join(30)
