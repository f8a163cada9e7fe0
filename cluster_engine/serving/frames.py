"""A followed or whole answer (a container's log) as the frames of a WebSocket, for clients that ask so.

To the application it is an HTTP exchange. Models k8s.io/apimachinery/pkg/util/httpstream/wsstream (Reader): its
protocols, of which the first of the client's that is known is taken, and a frame a piece.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

PROTOCOLS = ("", "binary.k8s.io", "base64.binary.k8s.io")
PIECE = 1 << 15
"""Bytes of one frame."""

Message = MutableMapping[str, Any]


class AsFrames:
    """The ``receive`` and ``send`` of an HTTP exchange over the WebSocket of ``scope``."""

    def __init__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        self._receive, self._send = receive, send
        offered = scope.get("subprotocols") or [""]
        self._protocol = next((each for each in offered if each in PROTOCOLS), None)
        self._offered = offered
        self._tells_refusals = "websocket.http.response" in (scope.get("extensions") or {})
        self._asked = self._refused = False

    async def receive(self) -> Message:
        """The request, which has no body; then that the client is gone."""
        if not self._asked:
            self._asked = True
            await self._receive()  # websocket.connect
            return {"type": "http.request", "body": b""}
        while (await self._receive())["type"] != "websocket.disconnect":
            pass
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """A part of the answer: of one that is no success, the status and the body are told before the handshake."""
        if message["type"] == "http.response.start":
            await self._begin(message)
            return
        if self._refused:
            if self._tells_refusals:
                await self._send({**message, "type": "websocket.http.response.body"})
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        try:
            for at in range(0, len(body), PIECE):
                await self._frame(body[at : at + PIECE])
            if not more:
                await self._send({"type": "websocket.close", "code": 1000})
        except OSError:
            return  # nobody is there any more, which `receive` tells

    async def _begin(self, message: Message) -> None:
        status, headers = message["status"], message["headers"]
        if status == 200 and self._protocol is not None:
            await self._send({"type": "websocket.accept", "subprotocol": self._protocol or None})
            return
        self._refused = True
        if not self._tells_refusals:
            await self._send({"type": "websocket.close", "code": 1008})
            return
        started = {"type": "websocket.http.response.start", "status": status, "headers": headers}
        if status == 200:
            text = f"requested protocol(s) are not supported: {self._offered}; supports {list(PROTOCOLS)}"
            started = {**started, "status": 403, "headers": [(b"content-type", b"text/plain")]}
            await self._send(started)
            await self._send({"type": "websocket.http.response.body", "body": text.encode()})
            self._tells_refusals = False
            return
        await self._send(started)

    async def _frame(self, piece: bytes) -> None:
        if self._protocol == "base64.binary.k8s.io":
            await self._send({"type": "websocket.send", "text": base64.b64encode(piece).decode()})
        else:
            await self._send({"type": "websocket.send", "bytes": piece})
