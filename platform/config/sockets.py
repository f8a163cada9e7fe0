"""The door of WebSockets that are not a cluster's: only our own pages, only addresses that exist."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern

from config.caller import host_allowed, same_origin
from config.doors import App, Receive, Scope, Send


def header_map(scope: Scope) -> dict[str, str]:
    """The headers by lower-case name; a repeated one is joined."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


async def refuse(
    scope: Scope, send: Send, status: int, body: bytes = b"", content_type: str = "text/plain"
) -> None:
    """Deny a handshake with this status, where the server can."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [
        (b"content-type", content_type.encode("ascii")),
        (b"content-length", str(len(body)).encode("ascii")),
    ]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


class SocketDoor:
    """Lets a handshake through to the socket that its path names."""

    def __init__(self, patterns: list[Any], sockets: App) -> None:
        self.patterns: list[URLPattern] = patterns
        self.sockets = sockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = header_map(scope)
        known = any(pattern.pattern.match(scope["path"].lstrip("/")) for pattern in self.patterns)
        if known and host_allowed(headers) and same_origin(scope, headers):
            await self.sockets(scope, receive, send)
            return
        await receive()  # websocket.connect
        await refuse(scope, send, 403 if known else 404)
