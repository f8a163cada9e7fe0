"""WebSockets whose subprotocols are Kubernetes' own: ``SPDY/3.1+portforward.k8s.io`` is no token of HTTP."""

from __future__ import annotations

import logging
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol


def as_token(name: str) -> str:
    """A subprotocol's name as between our own servers, whose clients are strict about tokens."""
    return name.replace("/", "-")


class _Handshake(ServerProtocol):
    """Leaves the choice among subprotocols, whatever their names, to the application."""

    def process_subprotocol(self, headers: Headers) -> Subprotocol | None:
        return None


class KubernetesWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSockets, for applications that Kubernetes' clients talk to."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.conn = _Handshake(
            extensions=self.conn.available_extensions,
            max_size=self.config.ws_max_size,
            logger=logging.getLogger("uvicorn.error"),
        )

    async def send(self, message: Any) -> None:
        """As uvicorn does, who takes a refusal for a handshake that was forgotten, and would say so of each."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True
