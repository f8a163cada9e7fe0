"""The terminal's WebSocket: the browser on one side, the run's host on the other.

The terminal itself lives in the host and outlasts the connection, so a reload or a lost network shows the
same session again. Client → server: `{"type": "input", "data": …}`, `{"type": "resize", "cols": …, "rows": …}`.
Server → client: binary frames are terminal bytes, text frames are JSON (`state`, `file`, `edit`, `exit`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from runs import hosting
from runs.models import Run
from runs.proxy.sockets import RefusedError, open_on_host
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

logger = logging.getLogger(__name__)

MAX_INPUT = 256 * 1024
MAX_SIDE = 1000
CLOSE_BAD, CLOSE_OVER, CLOSE_UNAVAILABLE = 4400, 4410, 1013


class TerminalConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One browser's view of one run's terminal."""

    host: ClientConnection | None = None
    pump: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Only the run's owner gets in; to everyone else the handshake fails."""
        run_id: uuid.UUID = self.scope["url_route"]["kwargs"]["run_id"]
        run = await sync_to_async(self._own_run)(run_id)
        if run is None:
            await self.close(code=4404)
            return
        await self.accept()
        if not run.is_live:
            await self._say({"type": "state", "state": run.state})
            await self.close(code=CLOSE_OVER)
            return
        self.pump = asyncio.ensure_future(self._serve(run_id))

    def _own_run(self, run_id: uuid.UUID) -> Run | None:
        return Run.objects.owned_by(self.scope["user"]).filter(pk=run_id).first()

    async def disconnect(self, code: int) -> None:
        """The browser left; the session stays in the host."""
        if self.pump is not None:
            self.pump.cancel()
            await asyncio.gather(self.pump, return_exceptions=True)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Check a frame and pass it on."""
        frame = parse_frame(text_data)
        if frame is None:
            await self.close(code=CLOSE_BAD)
            return
        if self.host is None:
            return  # typed before the terminal is there
        # Where the host is gone, the pump is closing the browser's side just now.
        with suppress(ConnectionClosed):
            await self.host.send(json.dumps(frame))

    async def _serve(self, run_id: uuid.UUID) -> None:
        try:
            self.host = await open_on_host(run_id, f"/terminal/{run_id}", [])
        except hosting.OverError as error:
            await self._say({"type": "state", "state": error.state})
            await self.close(code=CLOSE_OVER)
            return
        except (hosting.UnavailableError, RefusedError) as error:
            logger.info("no terminal: %s", error, extra={"run": run_id})
            await self.close(code=CLOSE_UNAVAILABLE)
            return
        try:
            await self._say({"type": "state", "state": "connected"})
            async for message in self.host:
                if isinstance(message, str):
                    await self.send(text_data=message)
                else:
                    await self.send(bytes_data=message)
        except ConnectionClosed:
            pass  # the host went away; the browser connects again and finds the new one
        finally:
            await self.host.close()
        await self.close(code=CLOSE_UNAVAILABLE)

    async def _say(self, data: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(data))


def parse_frame(text: str | None) -> dict[str, Any] | None:
    """A well-formed frame with nothing else in it, or None."""
    if text is None or len(text) > MAX_INPUT:
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    if data.get("type") == "input" and isinstance(data.get("data"), str):
        return {"type": "input", "data": data["data"]}
    if data.get("type") == "resize":
        cols, rows = data.get("cols"), data.get("rows")
        if isinstance(cols, int) and isinstance(rows, int) and 0 < cols <= MAX_SIDE and 0 < rows <= MAX_SIDE:
            return {"type": "resize", "cols": cols, "rows": rows}
    return None
