"""The proxy: an ASGI application that carries `/clusters/<run>/…` to the run's host and back.

Watches and followed logs are streamed as they come; `kubectl exec` and its kin are carried as WebSockets.
A request's body is read first (it is at most 3 MiB, as in Kubernetes), so that a request can be sent again
when its host turns out to have died before it saw any of it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from dataclasses import dataclass, replace

from config.caller import host_allowed, same_origin
from config.doors import HalfSent, Receive, Scope, Send
from config.logs import request_id
from config.middleware import new_request_id
from config.sockets import header_map, refuse
from django.db import DatabaseError
from redis.exceptions import RedisError

from runs import hosting
from runs.proxy import sockets
from runs.proxy.access import Credentials, Gate
from runs.proxy.status import JSON_TYPE, TIMED_OUT, body_of, message_of, send_status
from runs.reading import is_reading
from runs.upstream import UpstreamError

logger = logging.getLogger(__name__)

MAX_BODY = 3 * 1024 * 1024
#: Requests whose body has not come whole that are waited for: of one run, and of one user's runs.
COMING_OF_RUN, COMING_OF_USER = 32, 64
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Headers that end here: they belong to one hop, or say who the caller is, which is ours to say.
NOT_FORWARDED = frozenset(
    b"host connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade content-length expect cookie authorization x-request-id "
    b"x-drydock-signature x-remote-user x-remote-group x-remote-uid".split()
)
NOT_RETURNED = frozenset(
    b"connection keep-alive proxy-authenticate trailer transfer-encoding upgrade set-cookie server date".split()
)
_PATH = re.compile(
    rb"/clusters/([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})"
    rb"(?:/t/([A-Za-z0-9_]{8,100}))?(/.*)?"
)


class TooLargeError(Exception):
    """The request's body is larger than a Kubernetes API server takes."""


class DisconnectedError(Exception):
    """The client left before its request was complete."""


@dataclass(frozen=True, slots=True)
class Target:
    """What an address under `/clusters/` names."""

    run_id: uuid.UUID
    token: str
    path: str
    user_id: int = 0
    """Who was let in; 0: nobody yet."""

    @classmethod
    def of(cls, scope: Scope) -> Target | None:
        """None where the path has no run in it."""
        raw = scope.get("raw_path") or scope["path"].encode("utf-8")
        match = _PATH.fullmatch(raw.partition(b"?")[0])
        if match is None:
            return None
        query = scope.get("query_string", b"")
        rest = (match[3] or b"/") + (b"?" + query if query else b"")
        run_id = uuid.UUID(match[1].decode("ascii"))
        try:
            return cls(run_id, (match[2] or b"").decode("ascii"), rest.decode("ascii"))
        except UnicodeDecodeError:
            return None


class ClusterProxy:
    """See the module."""

    def __init__(self, gate: Gate | None = None) -> None:
        self.gate = gate or Gate()
        self.half_sent = HalfSent()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = header_map(scope)
        ident = new_request_id(headers.get("x-request-id", ""))
        mark = request_id.set(ident)
        try:
            if scope["type"] == "websocket":
                await self._websocket(scope, receive, send, headers)
            else:
                await self._http(scope, receive, send, headers, ident)
        finally:
            request_id.reset(mark)

    async def aclose(self) -> None:
        """At the end of the server: drop the idle connections."""
        await hosting.upstream().aclose()

    async def _admit(
        self, scope: Scope, headers: dict[str, str], safe: bool
    ) -> tuple[int, str, Target | None]:
        target = Target.of(scope)
        if not host_allowed(headers):
            return 400, "this site does not answer to that host name", target
        if target is None:
            return 404, message_of(404, None, scope["path"]), None
        credentials = Credentials.of(headers, target.token)
        try:
            decision = await self.gate.check(target.run_id, credentials)
        except DatabaseError as error:
            logger.warning("nobody can be let in without the database: %s", error)
            return 503, "who you are cannot be checked at the moment; try again", target
        if decision.status != 200:
            return decision.status, message_of(decision.status, target.run_id, scope["path"]), target
        if decision.reads_only:
            method = scope.get("method", "a WebSocket of")
            if scope["type"] != "http" or not is_reading(method, target.path.partition("?")[0]):
                return 403, f'forbidden: this kubeconfig only reads, not {method} "{scope["path"]}"', target
        if credentials.session and not safe and not same_origin(scope, headers):
            return (
                403,
                "a request that changes something must come from this site's own pages, or bring a token",
                target,
            )
        return 200, "", replace(target, user_id=decision.user_id)

    async def _http(
        self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str], ident: str
    ) -> None:
        status, message, target = await self._admit(scope, headers, scope["method"] in SAFE_METHODS)
        if status != 200 or target is None:
            await send_status(send, status, message, ident)
            return
        limits = {target.run_id: COMING_OF_RUN, target.user_id: COMING_OF_USER}
        try:
            with self.half_sent.bounded(receive, limits) as counted:
                body = await _read_body(counted, headers)
        except TooLargeError:
            await send_status(send, 413, f"Request entity too large: limit is {MAX_BODY}", ident)
            return
        except DisconnectedError:
            return
        await self._forward(scope, receive, send, target, body, ident)

    async def _forward(
        self, scope: Scope, receive: Receive, send: Send, target: Target, body: bytes, ident: str
    ) -> None:
        headers = [(n, v) for n, v in scope["headers"] if n.lower() not in NOT_FORWARDED]
        path = f"/clusters/{target.run_id}{target.path}"
        # The client may hang up while the host works or streams: whichever ends first ends the other.
        gone = asyncio.ensure_future(_until_disconnect(receive))
        work = asyncio.ensure_future(
            self._relay(send, target.run_id, scope["method"], path, headers, body, ident)
        )
        try:
            await asyncio.wait({gone, work}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, work):
                if not task.done():
                    task.cancel()
            await asyncio.gather(gone, work, return_exceptions=True)
        if work.done() and not work.cancelled() and work.exception() is not None:
            raise work.exception()  # type: ignore[misc]

    @staticmethod
    async def _relay(
        send: Send,
        run_id: uuid.UUID,
        method: str,
        path: str,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        ident: str,
    ) -> None:
        try:
            answer = await hosting.send(run_id, method, path, headers, body)
        except hosting.OverError:
            await send_status(send, 404, message_of(404, run_id, path), ident)
            return
        except hosting.UnknownOutcomeError as error:
            logger.warning("an answer was lost: %s", error, extra={"run": run_id})
            await send_status(send, 504, TIMED_OUT, ident)
            return
        except (hosting.UnavailableError, RedisError) as error:
            logger.info("no answer from the host: %s", error, extra={"run": run_id})
            await send_status(send, 503, "the cluster is being moved to another host; try again", ident)
            return
        try:
            kept = [(n, v) for n, v in answer.headers if n.lower() not in NOT_RETURNED]
            kept += [(b"x-request-id", ident.encode("ascii")), (b"x-content-type-options", b"nosniff")]
            await send({"type": "http.response.start", "status": answer.status, "headers": kept})
            async for chunk in answer:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except UpstreamError as error:
            # Half an answer is out: breaking the connection is the only honest end, and clients know it well.
            logger.info("the host hung up within an answer: %s", error, extra={"run": run_id})
            raise
        finally:
            await answer.aclose()

    async def _websocket(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        await receive()  # websocket.connect
        status, message, target = await self._admit(scope, headers, safe=False)
        if status != 200 or target is None:
            await refuse(scope, send, status, body_of(status, message), JSON_TYPE)
            return
        await sockets.relay(scope, receive, send, target.run_id, target.path)


async def _read_body(receive: Receive, headers: dict[str, str]) -> bytes:
    """The whole body; stops at the limit, whatever Content-Length claims."""
    declared = headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > MAX_BODY:
        raise TooLargeError
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            raise TooLargeError
        parts.append(chunk)
        more = message.get("more_body", False)
    return b"".join(parts)


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
