"""The screens of a run's terminals: what each shows, the browsers that look at it, and the frames they send."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from config.doors import Send

SCROLLBACK = 64 * 1024
#: A viewer that is this far behind loses the middle; the rest is worth less than the memory.
BACKLOG = 1024 * 1024
#: Messages that wait for a viewer; one that is further behind has to come again.
MESSAGES = 1_000
FRAME = 64 * 1024
MAX_VIEWS = 8
MAX_SIDE = 1000
MAX_INPUT = 256 * 1024


class View:
    """One browser: what is still to be sent to it."""

    def __init__(self) -> None:
        self.output = bytearray()
        self.messages: list[str] = []
        self.wake = asyncio.Event()
        self.ended = False

    def show(self, data: bytes) -> None:
        """Terminal bytes."""
        self.output += data
        if len(self.output) > BACKLOG:
            del self.output[:-SCROLLBACK]
        self.wake.set()

    def tell(self, message: str) -> None:
        """A JSON text frame."""
        if len(self.messages) >= MESSAGES:
            self.end()
            return
        self.messages.append(message)
        self.wake.set()

    def end(self) -> None:
        """No more will come."""
        self.ended = True
        self.wake.set()

    async def write(self, send: Send) -> None:
        """Send until there is an end."""
        while True:
            while self.output or self.messages:
                messages, self.messages = self.messages, []
                for message in messages:
                    await send({"type": "websocket.send", "text": message})
                if self.output:
                    data = bytes(self.output[:FRAME])
                    del self.output[: len(data)]
                    await send({"type": "websocket.send", "bytes": data})
            if self.ended:
                return
            self.wake.clear()
            await self.wake.wait()


class Screen:
    """One terminal as browsers see it."""

    def __init__(self) -> None:
        self.views: list[View] = []
        self.size = (80, 24)
        self._scrollback = bytearray()

    def show(self, data: bytes) -> None:
        """What the terminal writes."""
        self._scrollback += data
        if len(self._scrollback) > 2 * SCROLLBACK:
            del self._scrollback[:-SCROLLBACK]
        for view in self.views:
            view.show(data)

    def clear(self) -> None:
        """Its shell has ended; the next one begins on an empty screen."""
        self._scrollback.clear()
        for view in self.views:
            view.end()

    def join(self) -> View:
        """One more browser. It is shown what stands there; of too many the first has to go."""
        if len(self.views) >= MAX_VIEWS:
            self.views[0].end()
        view = View()
        if self._scrollback:
            view.show(bytes(self._scrollback[-SCROLLBACK:]))
        self.views.append(view)
        return view

    def part(self, view: View) -> None:
        """A browser is gone."""
        if view in self.views:
            self.views.remove(view)


def parse(text: str | None) -> dict[str, Any] | None:
    """A well-formed frame of a browser with nothing else in it, or None."""
    if text is None or len(text) > MAX_INPUT:
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match data:
        case {"type": "input", "data": str(keys)}:
            return {"type": "input", "data": keys}
        case {"type": "resize", "cols": int(cols), "rows": int(rows)}:
            fits = 0 < cols <= MAX_SIDE and 0 < rows <= MAX_SIDE
            return {"type": "resize", "cols": cols, "rows": rows} if fits else None
        case {"type": "run", "line": str(line)}:
            return {"type": "run", "line": line, "stop": data.get("stop") is True}
        case {"type": "close"}:
            return {"type": "close"}
    return None
