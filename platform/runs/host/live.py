"""What is live in a run beside its terminals, for one browser tab: one WebSocket, `/live/<run>`, in channels.

* A text frame is a JSON object: `ch` names the channel, `type` the message; the rest is the channel's own.
* A binary frame (host → browser alone) is one byte n, n ASCII bytes `channel/id`, then raw bytes: a piece of a watch.

Back-pressure: channels are asked in turn for their next frame whenever the line takes one, and each bounds what waits
meanwhile. A frame that does not fit its channel ends the socket.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Protocol

from config.doors import Receive, Send

from cluster_engine.serving import ClusterApp
from runs.host.checker import Checker, ChecksChannel
from runs.host.clock import RunClock
from runs.host.map_channel import MapChannel
from runs.host.status_channel import StatusChannel
from runs.host.ticker import TickerChannel
from runs.host.traffic import TrafficChannel

CLOSE_AGAIN, CLOSE_BAD = 1013, 4400
MAX_TABS = 8
"""Sockets of one run; one more, and the oldest is told to come again."""


class Channel(Protocol):
    """One channel of one socket; it calls the `wake` that it is made with when there is something to take."""

    async def receive(self, message: dict[str, Any]) -> None:
        """A message of the browser's. Raises ValueError when the channel takes none such."""

    def take(self) -> str | bytes | None:
        """The next frame; None: nothing for now."""

    def close(self) -> None:
        """The browser is gone."""


CHANNELS: dict[str, Callable[[ClusterApp, Checker, RunClock, Callable[[], None]], Channel]] = {
    "status": lambda app, checker, clock, wake: StatusChannel(app.driver, clock, wake),
    "map": lambda app, checker, clock, wake: MapChannel(app, wake),
    "checks": lambda app, checker, clock, wake: ChecksChannel(checker, wake),
    "ticker": lambda app, checker, clock, wake: TickerChannel(app.cluster, wake),
    "traffic": lambda app, checker, clock, wake: TrafficChannel(app.cluster, wake),
}
"""What a tab can follow."""


class Tab:
    """One browser tab: its channels, and what wakes its writer."""

    def __init__(self, app: ClusterApp, checker: Checker, clock: RunClock) -> None:
        self._wake = asyncio.Event()
        self._ended = False
        self._channels = {name: make(app, checker, clock, self._wake.set) for name, make in CHANNELS.items()}

    def look(self) -> None:
        """There may be something to take."""
        self._wake.set()

    def end(self) -> None:
        """No more will come from here; the browser is told to come again."""
        self._ended = True
        self._wake.set()

    def close(self) -> None:
        """The browser is gone."""
        for channel in self._channels.values():
            channel.close()

    async def read(self, receive: Receive) -> int:
        """Messages to their channels until the browser leaves; the code to close with."""
        while (message := await receive())["type"] == "websocket.receive":
            try:
                data = json.loads(message.get("text") or "")
                await self._channels[data["ch"]].receive(data)
            except (ValueError, KeyError, TypeError, RecursionError):
                return CLOSE_BAD
        return CLOSE_AGAIN

    async def write(self, send: Send) -> int:
        """Frames to the browser until there is an end; the code to close with."""
        while not self._ended:
            self._wake.clear()
            # One frame a channel and turn: a large watch does not hold up the others.
            frames = [frame for channel in self._channels.values() if (frame := channel.take()) is not None]
            for frame in frames:
                await send({"type": "websocket.send", "text" if isinstance(frame, str) else "bytes": frame})
            if not frames:
                await self._wake.wait()
        return CLOSE_AGAIN


class Tabs:
    """The tabs of one run."""

    def __init__(self, app: ClusterApp, checker: Checker, clock: RunClock) -> None:
        self._app = app
        self._checker = checker
        self._clock = clock
        self._open: list[Tab] = []

    def close(self) -> None:
        """The run leaves this host."""
        for tab in self._open:
            tab.end()

    def look(self) -> None:
        """There may be something new to tell all of them."""
        for tab in self._open:
            tab.look()

    async def serve(self, receive: Receive, send: Send) -> None:
        """One tab's WebSocket, from its handshake to its end."""
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        if len(self._open) >= MAX_TABS:
            self._open[0].end()
        tab = Tab(self._app, self._checker, self._clock)
        self._open.append(tab)
        tasks = [asyncio.ensure_future(tab.read(receive)), asyncio.ensure_future(tab.write(send))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await send({"type": "websocket.close", "code": max(task.result() for task in done)})
        finally:
            self._open.remove(tab)
            tab.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
