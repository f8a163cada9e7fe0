"""One cluster as an ASGI application, with the write-ahead journal.

A write is: the clock brought to now, the journal entry made, the entry handed to the sink (which stores it
durably), the entry performed, the reply sent. Time stands still between the entry and its performance, so a
replay sees the same state.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.cluster import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request, Response, Stream, UserInfo
from cluster_engine.kube_apiserver.budgets import BODY_LIMIT
from cluster_engine.kube_apiserver.requests import parse
from cluster_engine.kube_apiserver.sessions import Listener
from cluster_engine.network import LinkListener
from cluster_engine.performers import link_of, session_of
from cluster_engine.serving import refusing
from cluster_engine.serving.driver import Driver
from cluster_engine.serving.forwarding import ForwardSession
from cluster_engine.serving.frames import AsFrames
from cluster_engine.serving.pacer import SLICE
from cluster_engine.serving.portions import Portions, is_collection
from cluster_engine.serving.proxying import PATIENCE, Answer, incoming, is_proxied, late, outgoing, redirect
from cluster_engine.serving.telling import CHUNK, Telling
from cluster_engine.serving.websocket import StreamSession, refuse
from cluster_engine.sim import Entry, Link, steady_clock

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Sink = Callable[[Entry], Awaitable[None]]
Resolve = Callable[[Scope], UserInfo | None]

QUERY_LIMIT = 1_000
AT_ONCE = "drydock.at_once"
"""In the scope: who calls it has what is sent at the kernel when ``send`` is done, not when the loop comes round."""
SENDING = 0.001
"""µs that a byte of an answer is taken to cost on its way to the kernel."""
TOLD = 2
"""Rounds of the event loop after which whoever watches and could not be told at once was told of a write: in the first
frames are made, at its end the kernel has them. Only then the writer is answered."""
LARGE_BODY = 4_096
"""Bytes: a body from this size on is not kept when its request was refused and changed nothing."""
FAULTS_PATH = "/drydock/faults"
"""Who may ``post`` to this path makes things fail: ``kubectl create --raw /drydock/faults -f fault.json``."""
REQUESTS_LIMIT = 200
"""Requests of one cluster under way; more are told to come again."""
STREAMS_LIMIT = 100
"""Watches and followed logs of one cluster."""
SOCKETS_LIMIT = 50
"""WebSockets of one cluster: exec, attach, port-forward."""


class JournalUnavailable(Exception):
    """A sink raises this when it cannot store an entry: the write is refused with 503 and not applied."""


class ClusterApp:
    """One cluster as an ASGI application."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        driver: Driver | None = None,
        resolve: Resolve | None = None,
        sink: Sink | None = None,
        amend: Callable[[Entry], None] | None = None,
        admin: bool = False,
    ) -> None:
        """`resolve` finds the user in a scope (None: bearer tokens decide); `admin`: who names nobody is
        admin.

        `sink` stores a journal entry durably before it is performed; it raises JournalUnavailable when it
        cannot. `amend` is told of an entry that may take the stored one's place: the request was refused and changed
        nothing, so that its body need not be kept.
        """
        self.cluster = cluster
        self.driver = driver
        self._resolve = resolve
        self._sink = sink
        self._amend = amend
        self._under_way = self._sockets = 0
        self._acts = 0
        """Entries that were carried out."""
        self._streams: set[Telling] = set()
        self._admin = admin
        self._lock = asyncio.Lock()
        self._line = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            request = self.request_of(scope, b"")
            subresource = parse(request).subresource
            if subresource == "log":
                frames = AsFrames(scope, receive, send)
                await self._http(scope, frames.receive, frames.send)
                return
            if self._sockets >= SOCKETS_LIMIT:
                await receive()  # websocket.connect
                await refuse(scope, send, _too_many())
                return
            forwards = subresource == "portforward"
            session = ForwardSession(self, request) if forwards else StreamSession(self, request)
            self._sockets += 1
            try:
                await session.serve(scope, receive, send)
            finally:
                self._sockets -= 1
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                if self.driver is not None:
                    self.driver.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                if self.driver is not None:
                    self.driver.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    # ---- requests ----------------------------------------------------------------------------------------

    def request_of(self, scope: Scope, body: bytes) -> Request:
        """The scope as a Request."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        path: str = scope["path"]
        root: str = scope.get("root_path") or ""
        if root and path.startswith(root):
            path = path[len(root) :] or "/"
        try:
            query = parse_qsl(
                scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=QUERY_LIMIT
            )
        except ValueError:
            query = []
        request = Request(
            scope.get("method", "GET"), quote(path, safe="/:@+,;=~!$&'()*"), query, headers, body
        )
        if self._resolve is not None:
            request.user = self._resolve(scope)
        if request.user is None and self._admin and "authorization" not in headers:
            request.user = ADMIN
        return request

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        if body is None:
            return
        request = self.request_of(scope, body)
        request.in_pieces = True
        # What a Pod or a Service is asked may last.
        with nullcontext() if is_proxied(request) else self._asked():
            response = await self._answered(request)
            if response.stream is None:
                pieces = list(response.pieces) or [response.body]
                size = sum(map(len, pieces))
                if size <= CHUNK:
                    await self._say(request, response, pieces, size, send)
                    if self.driver is not None:
                        # The server hands it to the kernel at the end of this round: who took much waits until then.
                        await asyncio.sleep(0)
                    return
        if response.stream is not None:
            await self._stream(scope, response, response.stream, receive, send)
        else:
            await self._say(request, response, pieces, size, send)

    async def _answered(self, request: Request) -> Response:
        """The reply to a request, whole, or a stream that there is room for."""
        if self._under_way >= REQUESTS_LIMIT:
            response = _too_many()
        else:
            self._under_way += 1
            try:
                if is_proxied(request):
                    response = await self._proxy(request)
                else:
                    response = self.cluster.server.refused_upgrade(request) or await self.respond(request)
                    response = refusing.told(request, response)
            finally:
                self._under_way -= 1
        if response.stream is not None and len(self._streams) >= STREAMS_LIMIT:
            response.stream.cancel()
            return _too_many()
        if response.stream is None and response.pieces:
            return await self._made(request, response)
        if (
            response.stream is None
            and request.method != "GET"
            and any(telling.late for telling in self._streams)
        ):
            for _ in range(TOLD):
                await asyncio.sleep(0)
        return response

    async def _say(
        self, request: Request, response: Response, pieces: list[bytes], size: int, send: Send
    ) -> None:
        headers = _header_list(response)
        headers.append((b"content-length", str(size).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        last = b""
        if request.method != "HEAD":
            # As fast as it is taken: a long list is neither put together nor given to the kernel in one step.
            for chunk in _chunks(pieces):
                if last:
                    await send({"type": "http.response.body", "body": last, "more_body": True})
                    # A client that reads as fast as it is written to would have the loop to itself.
                    await self._give_way()
                last = chunk
                if self.driver is not None:
                    self.driver.charge(len(chunk) * SENDING)
        await send({"type": "http.response.body", "body": last})

    async def respond(self, request: Request) -> Response:
        """The reply to a request: journaled first when it may change anything."""
        with self._asked():
            return await self._respond(request)

    async def _respond(self, request: Request) -> Response:
        if self.driver is not None:
            await self.driver.roused()
            await self.driver.turn()
            self.driver.kick()
            self.driver.catch_up()
        if (request.method, request.path) == ("POST", FAULTS_PATH):
            return self.cluster.server.refused_path(request) or await self._fault(request)
        with self._answering():
            response = None if is_collection(request) else self.cluster.server.admit(request)
        if response is not None:
            return response
        async with self._lock:
            try:
                if is_collection(request):
                    return await self._delete_collection(request)
                response = await self._carry_out(self.cluster.prepare(request))
            except JournalUnavailable as problem:
                text = f"the write could not be made durable and was not carried out: {problem}"
                return self.cluster.server.failure(request, errors.service_unavailable(text))
        assert response is not None
        return response

    async def _made(self, request: Request, response: Response) -> Response:
        """The reply with its pieces made, a slice at a time."""
        made: list[bytes] = []
        pieces = iter(response.pieces)

        def step(_: Request) -> Response | None:
            end = steady_clock() + SLICE
            for piece in pieces:
                made.append(piece)
                if steady_clock() > end:
                    return None
            return replace(response, pieces=made)

        while True:
            with self._answering():
                answer = self.cluster.server.guarded(request, step)
            if answer is not None:
                return answer
            await self._give_way()

    async def _delete_collection(self, request: Request) -> Response:
        """A portion after the other, each durable as any write, all at the same virtual time."""
        portions = Portions(self.cluster.server, request)
        with self.driver.hold() if self.driver is not None else nullcontext():
            while True:
                portion = portions.next()
                with self._answering():
                    reply = self.cluster.server.admit(portion)
                reply = reply or await self._carry_out(self.cluster.prepare(portion))
                assert reply is not None
                if (answer := portions.take(reply)) is not None:
                    return answer
                await self._give_way()

    async def _fault(self, request: Request) -> Response:
        """Something fails, or works again: the body is ``{"kind": "node/power", "node": "worker-1", "up": false}``."""
        server = self.cluster.server
        try:
            await self.fault(orjson.loads(request.body))
        except ValueError as error:
            return server.failure(request, errors.bad_request(str(error)))
        except JournalUnavailable as problem:
            text = f"the fault could not be made durable and was not carried out: {problem}"
            return server.failure(request, errors.service_unavailable(text))
        done = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        return Response(201, {"content-type": "application/json"}, orjson.dumps(done))

    async def fault(self, what: Any) -> None:
        """Something fails, or works again, durable as any other entry. Raises ValueError, JournalUnavailable."""
        if not isinstance(what, dict) or not isinstance(what.get("kind"), str):
            raise ValueError('expected an object with a "kind"')
        if self.driver is not None:
            self.driver.kick()
            self.driver.catch_up()
        async with self._lock:
            rest = {name: value for name, value in what.items() if name != "kind"}
            await self._carry_out(self.cluster.prepare_fault(what["kind"], rest))

    async def _proxy(self, request: Request) -> Response:
        """The answer to a request that is passed on to a Pod or a Service."""
        if self.driver is not None:
            await self.driver.turn()
            self.driver.kick()
            self.driver.catch_up()
        refused = self.cluster.server.refused_stream(request) or redirect(request)
        if refused is not None:
            return refused
        answer = Answer()
        try:
            session, refusal = await self.open_session(outgoing(request), answer)
        except JournalUnavailable as problem:
            text = f"the request could not be made durable and was not carried out: {problem}"
            return self.cluster.server.failure(request, errors.service_unavailable(text))
        if refusal is not None:
            return refusal
        with self.waiting():
            try:
                await asyncio.wait_for(answer.over.wait(), PATIENCE)
            except TimeoutError:
                await self.note("session/close", {"session": session})
                return late()
        return incoming(request, answer)

    async def note(self, kind: str, payload: dict[str, Any]) -> Response | None:
        """Journal an input that is not a request (a key of a session, a file, the time), durable as any other.

        Raises whatever the sink raises; then nothing was noted.
        """
        if self.driver is not None:
            self.driver.kick()
            self.driver.catch_up()
        async with self._lock:
            return await self._carry_out(
                Entry(self.cluster.journal.next_seq, self.cluster.clock.now, kind, payload)
            )

    async def step(self, until: int, matters: Callable[[Link], bool]) -> list[Link]:
        """`Driver.step`; writes wait for its end."""
        if self.driver is None:
            raise RuntimeError("a cluster without a driver has no time to step")
        async with self._lock:
            return await self.driver.step(until, matters)

    async def open_session(self, request: Request, listener: Listener) -> tuple[str, Response | None]:
        """Open a stream that was not refused: the session's name, and the refusal if there is one after all."""
        if self.driver is not None:
            self.driver.kick()
            self.driver.catch_up()
        cluster = self.cluster
        async with self._lock:
            entry = cluster.prepare(request, "session/open")
            session = f"s{entry.seq}"
            sessions = cluster.server.sessions
            sessions.listen(session, listener)
            try:
                return session, await self._carry_out(entry)
            except Exception:
                sessions.forget(session)
                raise

    async def log_in(self, node: str, argv: Sequence[str], tty: bool, listener: Listener) -> str:
        """Open a session on a node's machine; its name. Raises what `Cluster.prepare_login` raises."""
        if self.driver is not None:
            self.driver.kick()
            self.driver.catch_up()
        sessions = self.cluster.server.sessions
        async with self._lock:
            entry = self.cluster.prepare_login(node, argv, tty)
            sessions.listen(session_of(entry), listener)
            try:
                await self._carry_out(entry)
            except Exception:
                sessions.forget(session_of(entry))
                raise
        return session_of(entry)

    async def open_link(self, source: str, ip: str, port: int, listener: LinkListener) -> str:
        """Open a connection into the cluster's network from outside; its name. The listener is told how it went."""
        if self.driver is not None:
            self.driver.kick()
            self.driver.catch_up()
        outside = self.cluster.outside
        async with self._lock:
            payload = {"source": source, "ip": ip, "port": port}
            entry = Entry(self.cluster.journal.next_seq, self.cluster.clock.now, "link/open", payload)
            outside.listen(link_of(entry), listener)
            try:
                await self._carry_out(entry)
            except Exception:
                outside.forget(link_of(entry))
                raise
        return link_of(entry)

    async def hang_up(self, sessions: list[str]) -> None:
        """End sessions whose clients went with the process that served them, and all links."""
        for session in sessions:
            await self.note("session/close", {"session": session})
        for source, link in self.cluster.outside.open_names():
            await self.note("link/close", {"source": source, "link": link})

    def waiting(self) -> AbstractContextManager[None]:
        """Somebody follows what happens: time goes on for him."""
        return self.driver.client() if self.driver is not None else nullcontext()

    async def _carry_out(self, entry: Entry) -> Response | None:
        """Durable first, then performed; time stands still in between."""
        with self._asked(), self.driver.hold() if self.driver is not None else nullcontext():
            if self._sink is not None:
                await self._sink(entry)
            if self.driver is not None:
                await self._run_until(self.driver, entry.at)
            with self._answering():
                return self._perform(entry)

    @staticmethod
    async def _run_until(driver: Driver, at: int) -> None:
        """What is due in this very instant comes first; it may be much, and others have their turn meanwhile."""
        if driver.stands_back:
            await driver.give_way()
        while not driver.run_for_a_slice(at):
            await driver.give_way()

    def _perform(self, entry: Entry) -> Response | None:
        self._acts += 1
        body = entry.payload.get("body") if entry.kind == "request" else None
        if body is None or sum(map(len, body.values())) < LARGE_BODY:
            return self.cluster.perform(entry)
        self.cluster.clock.run_until(entry.at)
        before = self.cluster.trace()
        reply = self.cluster.perform(entry)
        if reply is not None and 400 <= reply.status < 500 and self.cluster.trace() == before:
            stub = self.cluster.withdraw(entry)
            if self._amend is not None:
                self._amend(stub)
        return reply

    async def _give_way(self) -> None:
        """Between two slices of an answer: one of all that this cluster gives goes on each time that the loop comes
        round, and others have their turn."""
        async with self._line:
            await (self.driver.give_way() if self.driver is not None else asyncio.sleep(0))

    def _asked(self) -> AbstractContextManager[None]:
        return self.driver.request() if self.driver is not None else nullcontext()

    def _answering(self) -> AbstractContextManager[None]:
        return self.driver.answering() if self.driver is not None else nullcontext()

    # ---- streams -----------------------------------------------------------------------------------------

    async def _stream(
        self, scope: Scope, response: Response, stream: Stream, receive: Receive, send: Send
    ) -> None:
        """Bytes from the stream to the socket until one of the two has enough."""
        write_at_once = scope.get(AT_ONCE)
        if write_at_once is not None:
            write_at_once()
        telling = Telling(
            stream, send, self._stream_failed, lambda: self._acts, at_once=write_at_once is not None
        )
        gone: asyncio.Future[Any] = asyncio.ensure_future(_disconnected(receive))
        gone.add_done_callback(lambda _: telling.gone())
        self._streams.add(telling)
        headers = _header_list(response)
        try:
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            with self.waiting():
                await telling.pump()
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            self._streams.discard(telling)
            telling.close()
            gone.cancel()

    def _stream_failed(self, error: Exception) -> bool:
        return self.cluster.clock.failed("kube-apiserver/stream", "", error, replayed=False)


def _chunks(pieces: Sequence[bytes]) -> Iterator[bytes]:
    """The same bytes, about CHUNK at a time."""
    ends = list(accumulate(map(len, pieces)))
    begin = sent = 0
    while begin < len(pieces):
        end = max(begin + 1, bisect_right(ends, sent + CHUNK))
        chunk = b"".join(pieces[begin:end])
        yield from (chunk[start : start + CHUNK] for start in range(0, len(chunk), CHUNK))
        begin, sent = end, ends[end - 1]


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, cut off right after the limit; None when the client went away."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        parts.append(part)
        if size > BODY_LIMIT or not message.get("more_body"):
            return b"".join(parts)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _too_many() -> Response:
    """Models k8s.io/apiserver/pkg/server/filters/maxinflight.go (tooManyRequests)."""
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "x-content-type-options": "nosniff",
        "retry-after": "1",
    }
    return Response(429, headers, b"Too many requests, please try again later.\n")


def _header_list(response: Response) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    for warning in response.warnings:
        text = warning.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
        headers.append((b"warning", f'299 - "{text}"'.encode()))
    return headers
