"""The first fork in the road of a request, before any framework sees it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

from config.networks import network_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CLUSTERS_PREFIX = "/clusters/"
#: Django spools a request's body to disk before any view sees it; nothing here takes more than 2 MiB.
BODY_LIMIT = 4 * 1024 * 1024
TOO_LARGE = f"The request is larger than {BODY_LIMIT // 1024 // 1024} MiB."


#: How long a body may take to come.
BODY_SECONDS = 30.0
#: Bytes of bodies that this process holds, of requests that are not answered yet.
BODIES_BYTES = 96 * 1024 * 1024
#: Requests whose body has not come whole that this process waits for; and of those, from one address.
COMING, COMING_FROM_ONE = 256, 96


class RefusedError(Exception):
    """The body cannot be taken in: the status of the answer, and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class HalfSent:
    """How many requests whose body has not come whole are waited for, by whom they are counted."""

    def __init__(self) -> None:
        self.waited: Counter[Hashable] = Counter()

    @contextmanager
    def bounded(self, receive: Receive, limits: Mapping[Hashable, int]) -> Iterator[Receive]:
        """The same messages; counted for each of ``limits`` from the first that is asked for until the body is whole.

        Raises RefusedError where there are as many already.
        """
        counted = whole = False

        def leave() -> None:
            nonlocal counted
            if counted:
                counted = False
                for who in limits:
                    self.waited[who] -= 1
                    if not self.waited[who]:
                        del self.waited[who]

        async def take() -> MutableMapping[str, Any]:
            nonlocal counted, whole
            if not (whole or counted):
                if any(self.waited[who] >= most for who, most in limits.items()):
                    raise RefusedError(429, "Too many requests have come in part; send this one again later.")
                self.waited.update(limits.keys())
                counted = True
            message = await receive()
            if not message.get("more_body", False):
                whole = True
                leave()
            return message

        try:
            yield take
        finally:
            leave()


class Bodies:
    """What this process has taken in of bodies: each comes in time, and all together fit."""

    def __init__(self) -> None:
        self.held = 0
        self.half_sent = HalfSent()

    @contextmanager
    def bounded(
        self, receive: Receive, limit: int | None = None, limits: Mapping[Hashable, int] | None = None
    ) -> Iterator[Receive]:
        """The same messages; raises RefusedError. `limit`: bytes; `limits`: see `HalfSent`, beside the process' own."""
        loop = asyncio.get_running_loop()
        until, size, whole = loop.time() + BODY_SECONDS, 0, False

        async def take() -> MutableMapping[str, Any]:
            nonlocal size, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await counted()
            except TimeoutError:
                sentence = f"The request did not come within {BODY_SECONDS:.0f} seconds."
                raise RefusedError(408, sentence) from None
            length = len(message.get("body", b""))
            size += length
            self.held += length
            if limit is not None and size > limit:
                raise RefusedError(413, TOO_LARGE)
            if self.held > BODIES_BYTES:
                raise RefusedError(503, "Too much is being sent at the moment; try again later.")
            whole = not message.get("more_body", False)
            return message

        try:
            with self.half_sent.bounded(receive, {None: COMING, **(limits or {})}) as counted:
                yield take
        finally:
            self.held -= size


class ClusterDoor:
    """Sends `/clusters/…` to one application and all else to another; answers the lifespan itself."""

    def __init__(self, clusters: Any, others: App) -> None:
        self.clusters = clusters
        self.others = others
        self.bodies = Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        ours = scope["path"].startswith(CLUSTERS_PREFIX)
        app = self.clusters if ours else self.others
        if scope["type"] == "http":
            await self._bounded(app, scope, receive, send, None if ours else BODY_LIMIT)
        else:
            await app(scope, receive, send)

    async def _bounded(self, app: App, scope: Scope, receive: Receive, send: Send, limit: int | None) -> None:
        """A request whose body is at most `limit` bytes; None: the application says how much it takes."""
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if limit is not None and (not declared.isdigit() or int(declared) > limit):
            await refuse_body(send, 413, TOO_LARGE)
            return
        caller = (scope.get("client") or ("",))[0]
        with self.bodies.bounded(receive, limit, {network_of(caller): COMING_FROM_ONE}) as bounded:
            try:
                await app(scope, bounded, send)
            except RefusedError as refused:
                await refuse_body(send, refused.status, str(refused))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.clusters.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def refuse_body(send: Send, status: int, sentence: str) -> None:
    """Answer that the body is not taken in; the connection ends, for the rest of it may be on its way."""
    body = json.dumps({"error": sentence, "code": status, "request_id": ""}).encode("utf-8")
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"connection", b"close"),
        *([(b"retry-after", b"1")] if status in (429, 503) else []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
