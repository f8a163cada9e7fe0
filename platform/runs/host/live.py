"""What is live in a run beside its terminals, for one browser tab: one WebSocket, `/live/<run>`, in channels.

* A text frame is a JSON object: `ch` names the channel, `type` the message; the rest is the channel's own.
* A binary frame (host → browser alone) is one byte n, n ASCII bytes `channel/id`, then raw bytes: a piece of a watch.

Back-pressure: channels are asked in turn for their next frame whenever the line takes one, and each bounds what waits
meanwhile. A frame that does not fit its channel ends the socket.

The sockets outlast the cluster: while it is no more than a keyframe (`doze.py`) a tab keeps of each channel what it was
told last, and goes on from there when the cluster is back. What a tab says meanwhile brings it back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
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

    def rest(self) -> Any:
        """The cluster leaves memory, and nothing waits to be taken: what has to be known to go on."""

    def go_on(self, left: Any) -> None:
        """It is back: go on from what `rest` said, without a gap and telling nothing twice."""

    def close(self) -> None:
        """The browser is gone."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the channels of a run that is awake look at."""

    app: ClusterApp
    checker: Checker
    clock: RunClock


CHANNELS: dict[str, Callable[[Source, Callable[[], None]], Channel]] = {
    "status": lambda run, wake: StatusChannel(run.app.driver, run.clock, wake),
    "map": lambda run, wake: MapChannel(run.app, wake),
    "checks": lambda run, wake: ChecksChannel(run.checker, wake),
    "ticker": lambda run, wake: TickerChannel(run.app.cluster, wake),
    "traffic": lambda run, wake: TrafficChannel(run.app.cluster, wake),
}
"""What a tab can follow."""

Wake = Callable[[], Awaitable[Any]]
"""Brings the cluster of a run back that dozes."""


class Tab:
    """One browser tab: its channels, and what wakes its writer."""

    def __init__(self, run: Source) -> None:
        self._wake = asyncio.Event()
        self._ended = False
        self._waits = self._listens = False
        """Whether its writer waits for something to tell, and its reader for a message."""
        self._left: dict[str, Any] = {}
        """What was told last, by channel, while the run dozes."""
        self._channels = self._made(run)

    def _made(self, run: Source) -> dict[str, Channel]:
        return {name: make(run, self._wake.set) for name, make in CHANNELS.items()}

    @property
    def quiet(self) -> bool:
        """Whether it has been told all that there is, and has asked for nothing."""
        return self._waits and self._listens and not self._wake.is_set()

    def rest(self) -> None:
        """The cluster leaves memory; nothing may be under way."""
        self._left = {name: channel.rest() for name, channel in self._channels.items()}
        self._channels = {}

    def go_on(self, run: Source) -> None:
        """It is back."""
        self._channels = self._made(run)
        for name, channel in self._channels.items():
            channel.go_on(self._left[name])
        self._left = {}

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

    async def read(self, receive: Receive, back: Wake) -> int:
        """Messages to their channels until the browser leaves; the code to close with. `back`: see `Wake`."""
        while (message := await self._next(receive))["type"] == "websocket.receive":
            if not self._channels:
                await back()
            if not self._channels:
                return CLOSE_AGAIN  # it is not back, and the browser finds out why
            try:
                data = json.loads(message.get("text") or "")
                await self._channels[data["ch"]].receive(data)
            except (ValueError, KeyError, TypeError, RecursionError):
                return CLOSE_BAD
        return CLOSE_AGAIN

    async def _next(self, receive: Receive) -> MutableMapping[str, Any]:
        self._listens = True
        try:
            return await receive()
        finally:
            self._listens = False

    async def write(self, send: Send) -> int:
        """Frames to the browser until there is an end; the code to close with."""
        while not self._ended:
            self._wake.clear()
            # One frame a channel and turn: a large watch does not hold up the others.
            frames = [frame for channel in self._channels.values() if (frame := channel.take()) is not None]
            for frame in frames:
                await send({"type": "websocket.send", "text" if isinstance(frame, str) else "bytes": frame})
            if not frames:
                self._waits = True
                await self._wake.wait()
                self._waits = False
        return CLOSE_AGAIN


class Tabs:
    """The tabs of one run. They belong to nothing at first (`go_on`)."""

    def __init__(self) -> None:
        self._run: Source | None = None
        self._back: Wake | None = None
        self._open: list[Tab] = []

    def __bool__(self) -> bool:
        """Whether any is open."""
        return bool(self._open)

    @property
    def quiet(self) -> bool:
        """Whether each has been told all that there is, and has asked for nothing."""
        return all(tab.quiet for tab in self._open)

    def go_on(self, app: ClusterApp, checker: Checker, clock: RunClock) -> None:
        """The run is awake, and its time stands: each tab goes on where it was."""
        self._run, self._back = Source(app, checker, clock), None
        for tab in self._open:
            tab.go_on(self._run)

    def rest(self, back: Wake) -> None:
        """The run's cluster leaves memory; all have to be quiet. `back` is called when one asks for something."""
        self._run, self._back = None, back
        for tab in self._open:
            tab.rest()

    async def _awake(self) -> Any:
        if self._back is not None:
            await self._back()

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
        await self._awake()
        if self._run is None:
            await send({"type": "websocket.close", "code": CLOSE_AGAIN})
            return
        tab = Tab(self._run)
        self._open.append(tab)
        tasks = [
            asyncio.ensure_future(tab.read(receive, self._awake)),
            asyncio.ensure_future(tab.write(send)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await send({"type": "websocket.close", "code": max(task.result() for task in done)})
        finally:
            self._open.remove(tab)
            tab.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
