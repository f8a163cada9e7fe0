"""WebSockets of the Kubernetes API (`exec`, `attach`, `port-forward`), carried to the host and back."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Coroutine
from typing import Any

from config.doors import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from runs import hosting

logger = logging.getLogger(__name__)

MAX_MESSAGE = 1024 * 1024
CLOSE_UNAVAILABLE = 1013


async def open_socket(url: str, subprotocols: list[str]) -> ClientConnection:
    """A WebSocket to a host. Raises OSError or InvalidHandshake."""
    secret = [(name.decode(), value.decode()) for name, value in hosting.host_headers()]
    return await connect(
        url.replace("http", "ws", 1),
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        additional_headers=secret,
        max_size=MAX_MESSAGE,
        compression=None,
        open_timeout=10,
        close_timeout=2,
        proxy=None,
    )


async def run_both(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run all until the first ends, then stop the others."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def relay(scope: Scope, receive: Receive, send: Send, run_id: uuid.UUID, path: str) -> None:
    """Join the client's socket to one on the host until either side closes."""
    try:
        location = await hosting.locate(run_id)
        host = await open_socket(
            f"{location.url}/clusters/{run_id}{path}", list(scope.get("subprotocols") or [])
        )
    except (hosting.UnavailableError, hosting.OverError, OSError, InvalidHandshake, TimeoutError) as error:
        logger.info("no socket to the host: %s", error, extra={"run": run_id})
        await send({"type": "websocket.close", "code": CLOSE_UNAVAILABLE})
        return
    await send({"type": "websocket.accept", "subprotocol": host.subprotocol})

    async def inward() -> None:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return
            data = message.get("bytes")
            await host.send(data if data is not None else message.get("text") or "")

    async def outward() -> None:
        try:
            async for message in host:
                key = "text" if isinstance(message, str) else "bytes"
                await send({"type": "websocket.send", key: message})
        except ConnectionClosed:
            pass
        await send({"type": "websocket.close", "code": host.close_code or 1000})

    try:
        await run_both(inward(), outward())
    finally:
        await host.close()
