"""WebSockets of the Kubernetes API (`exec`, `attach`, `port-forward`), carried to the host and back."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Coroutine
from typing import Any

from config.doors import Receive, Scope, Send
from config.sockets import refuse
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.http11 import Response
from websockets.typing import Subprotocol

from cluster_engine.serving.subprotocols import as_token
from runs import hosting
from runs.proxy.status import JSON_TYPE, body_of
from runs.registry import Location

logger = logging.getLogger(__name__)

MAX_MESSAGE = 1024 * 1024
ATTEMPTS = 3


class RefusedError(Exception):
    """The host answered the handshake with an HTTP response of its own."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"status {response.status_code}")
        self.response = response


async def open_socket(location: Location, path: str, subprotocols: list[str]) -> ClientConnection:
    """A WebSocket to a host. Raises OSError, TimeoutError or InvalidHandshake."""
    signed = hosting.host_headers(location.host, "GET", path)
    return await connect(
        location.url.replace("http", "ws", 1) + path,
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        additional_headers=[(name.decode(), value.decode()) for name, value in signed],
        max_size=MAX_MESSAGE,
        compression=None,
        open_timeout=10,
        close_timeout=2,
        # A host that hangs is given up within about a lease.
        ping_interval=settings.HOST_LEASE_SECONDS / 2,
        ping_timeout=settings.HOST_LEASE_SECONDS,
        proxy=None,
    )


async def open_on_host(run_id: uuid.UUID, path: str, subprotocols: list[str]) -> ClientConnection:
    """A WebSocket to the run's host, wherever that is by now.

    Raises `UnavailableError`, `OverError`, or `RefusedError` with what the host answered instead.
    """
    for _ in range(ATTEMPTS):
        location = await hosting.locate(run_id)
        try:
            return await open_socket(location, path, subprotocols)
        except InvalidStatus as error:
            if error.response.status_code != hosting.MISDIRECTED:
                raise RefusedError(error.response) from error
        except (OSError, TimeoutError, InvalidHandshake) as error:
            logger.info("no socket to the host: %s", error, extra={"run": run_id})
        await hosting.forget(run_id, location)
    raise hosting.UnavailableError("no host holds the run")


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
        # That of port-forward is no token of HTTP (`SPDY/3.1+portforward.k8s.io`), and the host's server is strict.
        wanted = {as_token(name): name for name in scope.get("subprotocols") or ()}
        host = await open_on_host(run_id, f"/clusters/{run_id}{path}", list(wanted))
    except RefusedError as error:
        await refuse(scope, send, error.response.status_code, bytes(error.response.body or b""), JSON_TYPE)
        return
    except (hosting.UnavailableError, hosting.OverError) as error:
        logger.info("no socket to the host: %s", error, extra={"run": run_id})
        message = "the cluster is being moved to another host; try again"
        await refuse(scope, send, 503, body_of(503, message), JSON_TYPE)
        return
    chosen = host.subprotocol
    await send({"type": "websocket.accept", "subprotocol": wanted.get(chosen, chosen) if chosen else None})

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
            logger.info("the host closed a socket", extra={"run": run_id})
        await send({"type": "websocket.close", "code": host.close_code or 1000})

    try:
        await run_both(inward(), outward())
    finally:
        await host.close()
