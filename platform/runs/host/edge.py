"""The host's internal port, as a plain ASGI application.

    /clusters/<run>/…    the run's Kubernetes API            (from the web tier's proxy)
    /t/<token>/…         the same, for the confined kubectl of the run's terminal
    /terminal/<run>[/n]  WebSocket: the run's terminal (1 to 4; the first has no number)
    /live/<run>          WebSocket: what else is live in the run, for one browser tab
    /check, /apply, /diff, /lint, /files, /clock, /why, /written, /trail, /past, /timeline, /whatif, /branch,
    /preview, /ready, /stop /<run>
                         JSON, for the web tier
    /block/<run>         the same, and before its answer what is printed, in JSON lines

All but `/t/` want the web tier's signature (`runs.signing`). Go clients send no bearer token over plain
http, so the kubectl of a terminal carries its token in the path; it is made anew each time a run comes up, and
opens that run alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from config.doors import Bodies, Receive, RefusedError, Scope, Send, refuse_body
from config.logs import request_id
from config.middleware import new_request_id
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from runs.host.belongings import Belongings
from runs.host.copies import Copy
from runs.host.doze import Doze
from runs.host.errors import HostError
from runs.host.hosted import HostedRun, counted
from runs.host.writer import JournalRefusedError, JournalUnavailableError
from runs.hosting import MISDIRECTED
from runs.journal import FencedError, JournalFullError
from runs.proxy.status import TIMED_OUT, send_status
from runs.signing import SIGNATURE_HEADER, ForgedError, StaleError, Verifier

logger = logging.getLogger(__name__)

MAX_BODY = 3 * 1024 * 1024
_RUN = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
_CLUSTER = re.compile(rf"/clusters/{_RUN}(/.*)".encode("ascii"), re.DOTALL)
_TOKEN = re.compile(rb"/t/([A-Za-z0-9_-]{20,100})(/.*)", re.DOTALL)
_VERB = re.compile(
    rf"/(live|check|apply|files|clock|why|written|trail|past|timeline|whatif|branch|lint|diff|preview|block|ready|stop)/{_RUN}".encode(
        "ascii"
    )
)
_TERMINAL = re.compile(rf"/terminal/{_RUN}(?:/([1-4]))?".encode("ascii"))


def under(scope: Scope, rest: bytes) -> Scope:
    """The scope as the cluster's own application sees it."""
    inner = dict(scope)
    inner["raw_path"] = rest
    inner["path"] = _unquoted(rest)
    inner["root_path"] = ""
    inner["headers"] = [(n, v) for n, v in scope["headers"] if n != SIGNATURE_HEADER.encode("ascii")]
    return inner


def language_of(headers: Mapping[str, str]) -> str:
    """In which of the site's languages the web tier wants to hear what is refused."""
    named = headers.get("accept-language", "")
    return named if named in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _unquoted(raw: bytes) -> str:
    return unquote_to_bytes(raw).decode("utf-8", "replace")


async def send_json(send: Send, status: int, data: Any) -> None:
    """A JSON answer."""
    body = json.dumps(data).encode("utf-8", "replace")
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode("ascii"))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_lines(send: Send, work: Callable[[Callable[[Any], None]], Awaitable[Any]]) -> None:
    """An answer of JSON lines: each thing that `work` shows, as soon as it does, and in the end what it returns.

    What it raises before it has shown anything is raised; afterwards it is the last line, an `error`.
    """
    lines: asyncio.Queue[Any] = asyncio.Queue()

    async def whole() -> Any:
        try:
            return await work(lines.put_nowait)
        finally:
            lines.put_nowait(None)

    working = asyncio.ensure_future(whole())
    begun = False
    try:
        while (line := await lines.get()) is not None:
            await _send_line(send, line, begun)
            begun = True
        try:
            last = await working
        except (HostError, JournalFullError, JournalUnavailableError, FencedError) as error:
            if not begun:
                raise
            last = {"error": str(error)}
        await _send_line(send, last, begun)
    finally:
        working.cancel()
    await send({"type": "http.response.body", "body": b""})


async def _send_line(send: Send, line: Any, begun: bool) -> None:
    if not begun:
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = json.dumps(line).encode("utf-8", "replace") + b"\n"
    await send({"type": "http.response.body", "body": body, "more_body": True})


class Host(Protocol):
    """What the edge asks of its host."""

    @property
    def name(self) -> str:
        """For which requests are signed."""

    @property
    def hung(self) -> bool:
        """Whether what it holds may be another host's by now."""

    async def awake(self, run_id: uuid.UUID) -> HostedRun | None:
        """The run, woken if it dozes; None: it is not here."""

    def resident(self, run_id: uuid.UUID) -> HostedRun | Doze | None:
        """The run, awake or not, if it is here."""

    @property
    def in_use(self) -> Counter[int]:
        """What is under way, by user."""

    @property
    def tokens(self) -> Mapping[str, HostedRun | Copy]:
        """The terminals' own way in."""

    async def drop(self, hosted: HostedRun | Doze) -> None:
        """Lets the run go without writing."""


class Edge:
    """See the module."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.verifier = Verifier(host.name)
        self.bodies = Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        mark = request_id.set(new_request_id(headers.get("x-request-id", "")))
        try:
            with self.bodies.bounded(receive) as bounded:
                await self._route(scope, bounded, send, headers)
        except RefusedError as refused:
            await refuse_body(send, refused.status, str(refused))
        except StaleError as error:
            # Nothing was done. The web tier asks again, with a signature of now; whoever else sent it cannot.
            logger.warning("refused: %s", error, extra={"path": str(scope["path"])[:200]})
            await self._refuse(scope, send, MISDIRECTED)
        except ForgedError as error:
            # Of the head or of the body: either way nothing was answered or done yet.
            logger.warning("refused: %s", error, extra={"path": str(scope["path"])[:200]})
            await self._refuse(scope, send, 401)
        finally:
            request_id.reset(mark)

    async def _route(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        path: bytes = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
        if self.host.hung:
            await self._refuse(scope, send, MISDIRECTED)
            return
        if match := _TOKEN.fullmatch(path):
            hosted = self._by_token(match[1].decode("ascii"))
            if hosted is None:
                await self._refuse(scope, send, 401)
            else:
                await self._cluster(hosted, under(scope, match[2]), receive, send, typed=True)
            return
        query: bytes = scope.get("query_string", b"")
        target = (path + (b"?" + query if query else b"")).decode("latin-1")
        signature = headers.get(SIGNATURE_HEADER, "")
        receive = _verified(receive, self.verifier.check(signature, scope.get("method", "GET"), target))
        if match := _CLUSTER.fullmatch(path):
            hosted = await self.host.awake(uuid.UUID(match[1].decode()))
            if hosted is None:
                await self._refuse(scope, send, MISDIRECTED)
            else:
                await self._cluster(hosted, under(scope, match[2]), receive, send)
        elif match := _TERMINAL.fullmatch(path):
            await self._terminal(
                uuid.UUID(match[1].decode()), (match[2] or b"1").decode(), scope, receive, send
            )
        elif match := _VERB.fullmatch(path):
            with translation.override(language_of(headers)):
                await self._verb(match[1].decode(), uuid.UUID(match[2].decode()), scope, receive, send)
        else:
            await self._refuse(scope, send, 404)

    def _by_token(self, token: str) -> HostedRun | Copy | None:
        return self.host.tokens.get(token)

    @staticmethod
    async def _refuse(scope: Scope, send: Send, status: int) -> None:
        if scope["type"] == "websocket":
            # Denied with its status, so that the web tier can tell "not here" from "no".
            await send({"type": "websocket.http.response.start", "status": status, "headers": []})
            await send({"type": "websocket.http.response.body", "body": b""})
        elif status == 401:
            await send_status(send, 401, "Unauthorized", request_id.get())
        else:
            await send_json(send, status, {"error": "this host does not hold the run"})

    @staticmethod
    async def _decline(scope: Scope, send: Send, error: HostError) -> None:
        if scope["type"] == "websocket":
            await Edge._refuse(scope, send, error.status)
        else:
            await send_json(send, error.status, {"error": str(error)})

    @staticmethod
    async def _cluster(
        hosted: HostedRun | Copy, scope: Scope, receive: Receive, send: Send, typed: bool = False
    ) -> None:
        """The Kubernetes API; what goes wrong with the journal is told in its manner. `typed`: a terminal asks."""
        hosted.touch()
        begun = False

        async def watching(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        work = asyncio.ensure_future(Edge._answer(hosted, scope, receive, watching, typed))
        hosted.serving.add(work)
        try:
            await work
        except HostError as error:
            if scope["type"] == "websocket":
                await Edge._refuse(scope, send, error.status)
            else:
                await send_status(send, error.status, str(error), request_id.get())
        except asyncio.CancelledError:
            if not hosted.closed:
                raise
            await Edge._let_go(scope, send, begun)
        except FencedError:
            # Not applied, and never will be here: the proxy finds the new owner and asks there.
            hosted.abandon()
            if begun:
                raise
            await Edge._refuse(scope, send, MISDIRECTED)
        except JournalUnavailableError as error:
            if not isinstance(error, JournalRefusedError):
                hosted.abandon()
            if begun:
                raise
            await send_status(send, 503, f"the change could not be made durable: {error}", request_id.get())
        except JournalFullError as error:
            if begun:
                raise
            await send_status(send, 403, str(error), request_id.get())
        finally:
            hosted.serving.discard(work)

    @staticmethod
    async def _answer(
        hosted: HostedRun | Copy, scope: Scope, receive: Receive, send: Send, typed: bool
    ) -> None:
        with hosted.used():
            await hosted.answer(scope, receive, send, typed)

    @staticmethod
    async def _let_go(scope: Scope, send: Send, begun: bool) -> None:
        """The run leaves this host: a stream ends, who reads asks elsewhere; of a write nobody knows."""
        if begun and scope["type"] == "http":
            await send({"type": "http.response.body", "body": b""})
        elif begun:
            await send({"type": "websocket.close", "code": 1012})
        elif scope["type"] == "websocket" or scope["method"] in ("GET", "HEAD"):
            await Edge._refuse(scope, send, MISDIRECTED)
        else:
            await send_status(send, 504, TIMED_OUT, request_id.get())

    async def _terminal(
        self, run_id: uuid.UUID, ident: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        found = await self._belongings(run_id)
        if found is None or scope["type"] != "websocket":
            await self._refuse(scope, send, MISDIRECTED if found is None else 404)
            return
        try:
            with counted(self.host.in_use, found.user_id):
                await found.terminal.serve(ident, receive, send)
        except HostError as error:
            await self._decline(scope, send, error)

    async def _live(self, run_id: uuid.UUID, scope: Scope, receive: Receive, send: Send) -> None:
        found = await self._belongings(run_id)
        try:
            if found is None:
                await self._refuse(scope, send, MISDIRECTED)
                return
            if scope["type"] != "websocket":
                raise HostError(400, _("This address is a WebSocket's."))
            with counted(self.host.in_use, found.user_id):
                await found.tabs.serve(receive, send)
        except HostError as error:
            await self._decline(scope, send, error)

    async def _belongings(self, run_id: uuid.UUID) -> Belongings | None:
        """For a socket, which outlasts the cluster that it finds. None: the run is not here."""
        hosted = await self.host.awake(run_id)
        if hosted is None:
            return None
        hosted.touch()
        return hosted.belongings

    async def _verb(self, verb: str, run_id: uuid.UUID, scope: Scope, receive: Receive, send: Send) -> None:
        if verb == "stop":
            await _body(receive)  # has none; that it has none is signed
            if (resident := self.host.resident(run_id)) is not None:
                await self.host.drop(resident)
            await send_json(send, 200, {})
            return
        if verb == "live":
            await self._live(run_id, scope, receive, send)
            return
        hosted = await self.host.awake(run_id)
        if hosted is None:
            await self._refuse(scope, send, MISDIRECTED)
            return
        hosted.touch()
        try:
            data = json.loads(await _body(receive) or b"{}")
            with hosted.used():
                if verb == "block":
                    await send_lines(send, partial(hosted.run_block, data))
                else:
                    await send_json(send, 200, await self._do(verb, scope["method"], hosted, data))
        except HostError as error:
            await self._decline(scope, send, error)
        except FencedError:
            hosted.abandon()
            await self._refuse(scope, send, MISDIRECTED)
        except JournalUnavailableError as error:
            if not isinstance(error, JournalRefusedError):
                hosted.abandon()
            await send_json(
                send, 503, {"error": _("The change could not be made durable: %(why)s") % {"why": error}}
            )
        except JournalFullError as error:
            await send_json(send, 409, {"error": str(error)})

    @staticmethod
    async def _do(verb: str, method: str, hosted: HostedRun, data: dict[str, Any]) -> Any:
        if verb in ("check", "written") and hosted.hurries:
            raise HostError(409, _("Beside a lesson nothing is checked."))
        if verb == "check":
            return await hosted.checker.check()
        if verb == "written":
            return await hosted.written()
        if verb == "clock":
            return hosted.clock.state() if method == "GET" else await hosted.clock.act(data)
        if verb == "why":
            return await hosted.why(data)
        if verb == "trail":
            return await hosted.trail(data)
        if verb == "past":
            return await hosted.past(data)
        if verb == "timeline":
            return await hosted.timeline()
        if verb == "whatif":
            return await hosted.what_if(data)
        if verb == "branch":
            return await hosted.branch(data)
        if verb == "preview":
            return await hosted.preview(data)
        if verb == "ready":
            return await hosted.be_ready()
        if verb == "apply":
            return await hosted.apply(data["path"], data["content"])
        if verb == "diff":
            return await hosted.diff(data["path"], data["content"])
        if verb == "lint":
            return {"findings": await hosted.lint(data["content"])}
        match method:
            case "PUT":
                await hosted.save(data["path"], data["content"])
            case "POST":
                await hosted.terminal.rename(data["path"], data["to"])
            case "DELETE":
                await hosted.terminal.remove(data["path"])
        return {"files": hosted.files()}


def _verified(receive: Receive, digest: str) -> Receive:
    """The same messages; raises ForgedError at the end of a body that is not the one that was signed."""
    seen = hashlib.sha256()

    async def checked() -> MutableMapping[str, Any]:
        message = await receive()
        if message["type"] == "http.request":
            seen.update(message.get("body", b""))
            if not message.get("more_body", False) and seen.hexdigest() != digest:
                raise ForgedError("a body that was not signed")
        return message

    return checked


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            raise HostError(413, _("The request is too large."))
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
