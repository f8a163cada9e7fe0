"""The browser tab's one WebSocket: the browser on one side, the run's host on the other.

Its subprotocol is the version of the protocol. A text frame is a JSON object whose `ch` names a channel of CHANNELS; of
the channel `terminal`, `id` names one terminal of the run. A binary frame (to the browser alone) is one byte n, n ASCII
bytes `channel/id`, then raw bytes.

This consumer relays: it opens the sockets on the host that the tab needs, and knows the addresses, not the messages.
What lives in the host outlasts the connection, so a reload or a lost network shows the same again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
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

VERSION = "drydock.v1"
MAX_INPUT = 256 * 1024
"""Characters of a frame from the browser."""
MAX_TERMINALS = 4
"""Terminals that one tab shows."""
CLOSE_BAD, CLOSE_NOT_YOURS, CLOSE_OVER, CLOSE_UNAVAILABLE = 4400, 4404, 4410, 1013

TERMINAL, LIVE = "terminal", "live"
CHANNELS: dict[str, str] = {TERMINAL: TERMINAL, "map": LIVE, "checks": LIVE, "ticker": LIVE, "traffic": LIVE}
"""Channel → the socket on the host that carries it. Of terminals there is one for each id."""

WATCHED = frozenset({"map", "ticker", "traffic"})
"""Channels that an instructor may use in a learner's run: none that changes it."""

_TERMINAL_ID = re.compile(r"[1-9]")


def _parse(text: str | None) -> dict[str, Any] | None:
    """A frame that can be relayed, or None."""
    if text is None or len(text) > MAX_INPUT:
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("ch") not in CHANNELS:
        return None
    if data["ch"] == TERMINAL and not _TERMINAL_ID.fullmatch(str(data.get("id"))):
        return None
    return data


class RunConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One browser tab of one run."""

    async def connect(self) -> None:
        """The run's owner gets in, and an instructor to watch the map; to everyone else the handshake fails."""
        self.run_id: uuid.UUID = self.scope["url_route"]["kwargs"]["run_id"]
        self._hosts: dict[str, ClientConnection] = {}
        self._pumps: dict[str, asyncio.Task[None]] = {}
        run = await sync_to_async(self._visible_run)(self.run_id)
        if run is None or VERSION not in self.scope["subprotocols"]:
            await self.close(code=CLOSE_NOT_YOURS)
            return
        self._open_to = frozenset(CHANNELS) if run.user_id == self.scope["user"].pk else WATCHED
        await self.accept(VERSION)
        if not run.is_live:
            await self._tell_state()
            await self.close(code=CLOSE_OVER)
            return
        self._pumps[LIVE] = asyncio.ensure_future(self._serve_live())

    def _visible_run(self, run_id: uuid.UUID) -> Run | None:
        return Run.objects.for_user(self.scope["user"]).filter(pk=run_id).first()

    async def disconnect(self, code: int) -> None:
        """The browser left; what it looked at stays in the host."""
        pumps = list(self._pumps.values())
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pass a frame on to the socket that carries its channel."""
        frame = _parse(text_data)
        if frame is None or frame["ch"] not in self._open_to:
            await self.close(code=CLOSE_BAD)
        elif frame["ch"] != TERMINAL:
            await self._pass_on(LIVE, text_data or "")
        else:
            await self._to_terminal(frame)

    async def _to_terminal(self, frame: dict[str, Any]) -> None:
        ident, kind = frame["id"], frame.get("type")
        address = f"{TERMINAL}/{ident}"
        if kind == "open":
            if address not in self._pumps and len(self._pumps) <= MAX_TERMINALS:
                self._pumps[address] = asyncio.ensure_future(self._serve_terminal(ident, address))
        elif kind == "shut":
            if (pump := self._pumps.pop(address, None)) is not None:
                pump.cancel()
        else:
            del frame["ch"], frame["id"]
            await self._pass_on(address, json.dumps(frame))

    async def _pass_on(self, address: str, text: str) -> None:
        """What comes before its socket is open is dropped: it would take effect at a time nobody chose."""
        if (host := self._hosts.get(address)) is not None:
            # Where the host is gone, the pump is telling the browser just now.
            with suppress(ConnectionClosed):
                await host.send(text)

    # -- from the host ----------------------------------------------------------------------------------

    async def _serve_live(self) -> None:
        """The tab's own socket: with it the tab's connection begins and ends."""
        try:
            host = await open_on_host(self.run_id, f"/live/{self.run_id}", [])
        except hosting.OverError:
            await self._tell_state()
            await self.close(code=CLOSE_OVER)
            return
        except (hosting.UnavailableError, RefusedError) as error:
            logger.info("no socket to the host: %s", error, extra={"run": self.run_id})
            await self.close(code=CLOSE_UNAVAILABLE)
            return
        await self._tell_state()
        await self._relay(LIVE, host)
        # The host let go; the browser connects again and finds the new one, or learns that the run is over.
        await self.close(code=CLOSE_UNAVAILABLE)

    async def _serve_terminal(self, ident: str, address: str) -> None:
        path = f"/terminal/{self.run_id}" + (f"/{ident}" if ident != "1" else "")
        try:
            host = await open_on_host(self.run_id, path, [])
        except (hosting.OverError, hosting.UnavailableError, RefusedError) as error:
            logger.info("no terminal: %s", error, extra={"run": self.run_id})
        else:
            await self._say(TERMINAL, id=ident, type="opened")
            await self._relay(address, host)
        self._pumps.pop(address, None)
        await self._say(TERMINAL, id=ident, type="lost")

    async def _relay(self, address: str, host: ClientConnection) -> None:
        self._hosts[address] = host
        mark = bytes([len(address)]) + address.encode("ascii")
        try:
            async for message in host:
                if isinstance(message, str) and address != LIVE:
                    _, ident = address.split("/")
                    await self._say(TERMINAL, **{**json.loads(message), "id": ident})
                elif isinstance(message, str):
                    await self.send(text_data=message)
                else:
                    await self.send(bytes_data=message if address == LIVE else mark + message)
        except ConnectionClosed:
            pass  # an end like any other: whoever called says so
        finally:
            del self._hosts[address]
            await host.close()

    async def _tell_state(self) -> None:
        run = await sync_to_async(self._visible_run)(self.run_id)
        if run is not None:
            await self._say("status", type="state", state=run.state, message=run.message, branch=run.branch)

    async def _say(self, channel: str, **message: Any) -> None:
        await self.send(text_data=json.dumps({"ch": channel, **message}))
