"""The first fork in the road of a request, before any framework sees it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CLUSTERS_PREFIX = "/clusters/"
#: Django spools a request's body to disk before any view sees it; nothing here takes more than 2 MiB.
BODY_LIMIT = 4 * 1024 * 1024


class _TooLargeError(Exception):
    """The body has grown past the limit while it was read."""


class ClusterDoor:
    """Sends `/clusters/…` to one application and all else to another; answers the lifespan itself."""

    def __init__(self, clusters: Any, others: App) -> None:
        self.clusters = clusters
        self.others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] in ("http", "websocket") and scope["path"].startswith(CLUSTERS_PREFIX):
            await self.clusters(scope, receive, send)
        elif scope["type"] == "http":
            await self._bounded(scope, receive, send)
        else:
            await self.others(scope, receive, send)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Everything else over HTTP, with a body of at most `BODY_LIMIT` bytes."""
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or int(declared) > BODY_LIMIT:
            await _send_too_large(send)
            return
        size = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > BODY_LIMIT:
                raise _TooLargeError
            return message

        try:
            await self.others(scope, counted, send)
        except _TooLargeError:
            await _send_too_large(send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.clusters.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def _send_too_large(send: Send) -> None:
    sentence = f"The request is larger than {BODY_LIMIT // 1024 // 1024} MiB."
    body = json.dumps({"error": sentence, "code": 413, "request_id": ""}).encode("utf-8")
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
