"""The ASGI edge: sockets, wall time, the write-ahead journal. The one adapter of the API server to the
outside.

`ClusterApp` serves one cluster as an ASGI application, `Driver` moves its virtual clock along with the wall
clock, or as fast as it goes while somebody waits.

A write is: clock brought to now, journal entry made, entry handed to the sink (which stores it durably),
entry
performed, reply sent. Time stands still between the entry and its performance, so a replay sees the same
state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, quote

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.sim import SECOND, Entry, wall_clock

from .budgets import BODY_LIMIT
from .types import ADMIN, Request, Response, Stream, UserInfo
from .websocket import ExecSession

if TYPE_CHECKING:
    from cluster_engine.cluster import Cluster

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Sink = Callable[[Entry], Awaitable[None]]
Resolve = Callable[[Scope], UserInfo | None]

SLICE = 5_000  # µs of wall time that the clock may take before others have their turn
LAG_LIMIT = 5 * SECOND  # wall µs behind which time is dropped (a suspended laptop, a stopped process)
RESTART = 1.0  # s after which a driver whose look at the clock failed takes another
IDLE = 0.25  # s between looks at the clock when nothing is due
GRACE = 1 * SECOND  # wall µs after a request during which its client is taken to wait for an outcome
# With speed "max", a crash loop must not run through weeks while a watch is open: how far one request may make
# time jump, and how fast time may go on while a stream is open.
LEAP = 60 * SECOND
LEAP_RATE = 3_600  # virtual seconds a wall second
POLL = 0.1  # s between looks at a followed log
BOOKMARK_INTERVAL = 60.0
STREAM_TIMEOUT = 2_700.0  # s; upstream ends watches after 30–60 minutes
QUERY_LIMIT = 1_000
CHUNK = 1 << 18


class JournalUnavailable(Exception):
    """A sink raises this when it cannot store an entry: the write is refused with 503 and not applied."""


class Driver:
    """Moves one cluster's clock. `speed` is virtual seconds per wall second, or "max"."""

    def __init__(self, cluster: Cluster, speed: float | Literal["max"] = 1.0) -> None:
        if speed != "max" and speed < 0:
            raise ValueError(f"speed must not be negative, found {speed}")
        self._clock = cluster.clock
        self._jump = speed == "max"
        self._speed = 1.0 if speed == "max" else float(speed)
        self._wall = wall_clock()
        self._virtual = self._clock.now
        self._wake = asyncio.Event()
        self._held = 0
        self._clients = 0
        self._grace_until = 0
        self._asked_wall, self._asked_virtual = self._wall, self._virtual
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running event loop."""
        if self._task is None:
            self._rebase()
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End; the cluster stays as it is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Virtual time stands still inside."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._wake.set()

    @contextmanager
    def client(self) -> Iterator[None]:
        """Somebody waits for things to happen."""
        self._clients += 1
        self._asked()
        try:
            yield
        finally:
            self._clients -= 1
            self._grace_until = max(self._grace_until, wall_clock())

    def kick(self) -> None:
        """A request came: look at the clock soon."""
        self._grace_until = wall_clock() + GRACE
        self._asked()

    def catch_up(self) -> None:
        """Bring virtual time to now, within one slice of work."""
        if not self._held:
            self._slice(self._goal())

    def _rebase(self) -> None:
        self._wall, self._virtual = wall_clock(), self._clock.now

    def _goal(self) -> int:
        """The virtual time that the wall clock asks for."""
        wall = wall_clock()
        if self._jump:
            due = self._leap(wall)
            if due is not None:
                self._wall, self._virtual = wall, self._clock.now
                return due
            if not self._waiting(wall):
                self._rebase()
                return self._clock.now
        goal = self._virtual + round((wall - self._wall) * self._speed)
        if goal - self._clock.now > LAG_LIMIT * max(self._speed, 1.0):
            self._rebase()
            return self._clock.now
        return goal

    def _leap(self, wall: int) -> int | None:
        """The time to jump to: somebody waits, something is to happen, and not too far away."""
        if not self._jump or not self._clock.busy or not self._waiting(wall):
            return None
        due = self._clock.next_due()
        horizon = self._asked_virtual + LEAP
        if self._clients:
            horizon += LEAP_RATE * (SECOND + wall - self._asked_wall)
        return due if due is not None and due <= horizon else None

    def _asked(self) -> None:
        self._asked_wall, self._asked_virtual = wall_clock(), self._clock.now
        self._wake.set()

    def _waiting(self, wall: int) -> bool:
        return self._clients > 0 or wall < self._grace_until

    def _slice(self, goal: int) -> bool:
        """Run towards `goal` for at most one slice; whether it was reached."""
        clock = self._clock
        end = wall_clock() + SLICE
        while (due := clock.next_due()) is not None and due <= goal:
            clock.step()
            if wall_clock() > end:
                return False
        return clock.run_until(goal)

    async def _run(self) -> None:
        """The watched task: a look at the clock that fails is noted, and another one taken a second later."""
        while True:
            try:
                await self._look()
            except Exception as error:
                failures, now = self._clock.failures, self._clock.now
                if not failures.note("clock-driver", "", error, now, replayed=False, outermost=True):
                    raise
                await asyncio.sleep(RESTART)

    async def _look(self) -> None:
        """Brings the clock to where it should be, then waits until there may be more to do."""
        self._wake.clear()
        if self._held:
            await self._wake.wait()
            return
        reached = self._slice(self._goal())
        if not reached or self._leap(wall_clock()) is not None:
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), self._pause())

    def _pause(self) -> float | None:
        if self._jump and not self._waiting(wall_clock()):
            return None
        due = self._clock.next_due()
        if due is None or self._speed == 0:
            return IDLE
        return min(IDLE, max(0.001, (due - self._clock.now) / SECOND / self._speed))


class ClusterApp:
    """One cluster as an ASGI application."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        driver: Driver | None = None,
        resolve: Resolve | None = None,
        sink: Sink | None = None,
        admin: bool = False,
    ) -> None:
        """`resolve` finds the user in a scope (None: bearer tokens decide); `admin`: who names nobody is
        admin.

        `sink` stores a journal entry durably before it is performed; it raises JournalUnavailable when it
        cannot.
        """
        self.cluster = cluster
        self.driver = driver
        self._resolve = resolve
        self._sink = sink
        self._admin = admin
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await ExecSession(self, self.request_of(scope, b"")).serve(scope, receive, send)
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
                    await self.driver.stop()
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
        response = self.cluster.server.refused_upgrade(request) or await self.respond(request)
        if response.stream is not None:
            await self._stream(response, response.stream, receive, send)
            return
        headers = _header_list(response)
        headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else response.body})

    async def respond(self, request: Request) -> Response:
        """The reply to a request: journaled first when it may change anything."""
        if self.driver is not None:
            self.driver.kick()
            self.driver.catch_up()
        response = self.cluster.server.admit(request)
        if response is not None:
            return response
        async with self._lock:
            try:
                response = await self._carry_out(self.cluster.prepare(request))
            except JournalUnavailable as problem:
                text = f"the write could not be made durable and was not carried out: {problem}"
                return self.cluster.server.failure(request, errors.service_unavailable(text))
        assert response is not None
        return response

    async def note(self, kind: str, payload: dict[str, Any]) -> None:
        """Journal an input that is not a request (a file of the learner's, the time), durable as any other.

        Raises whatever the sink raises; then nothing was noted.
        """
        if self.driver is not None:
            self.driver.catch_up()
        async with self._lock:
            await self._carry_out(Entry(self.cluster.journal.next_seq, self.cluster.clock.now, kind, payload))

    async def _carry_out(self, entry: Entry) -> Response | None:
        """Durable first, then performed; time stands still in between."""
        if self._sink is not None:
            with self.driver.hold() if self.driver is not None else nullcontext():
                await self._sink(entry)
        return self.cluster.perform(entry)

    # ---- streams -----------------------------------------------------------------------------------------

    async def _stream(self, response: Response, stream: Stream, receive: Receive, send: Send) -> None:
        headers = _header_list(response)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        ready = asyncio.Event()
        stream.subscribe(ready.set)
        gone: asyncio.Future[Any] = asyncio.ensure_future(_disconnected(receive))
        loop = asyncio.get_running_loop()
        end = loop.time() + min(stream.timeout or STREAM_TIMEOUT, STREAM_TIMEOUT)
        next_mark = loop.time() + BOOKMARK_INTERVAL
        try:
            if self.driver is None:
                await self._pump(stream, send, ready, gone, end, next_mark)
            else:
                with self.driver.client():
                    await self._pump(stream, send, ready, gone, end, next_mark)
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            stream.cancel()
            gone.cancel()

    async def _pump(
        self,
        stream: Stream,
        send: Send,
        ready: asyncio.Event,
        gone: asyncio.Future[Any],
        end: float,
        next_mark: float,
    ) -> None:
        """Bytes from the stream to the socket until one of the two has enough."""
        loop = asyncio.get_running_loop()
        while not gone.done():
            ready.clear()
            now = loop.time()
            try:
                data = stream.take()
                if now >= next_mark:
                    data += stream.tick()
                    next_mark = now + BOOKMARK_INTERVAL
            except ApiError:
                return  # the Pod behind a followed log is gone
            except Exception as error:
                # The client sees its stream end, as at a time-out, and asks again.
                if not self.cluster.clock.failed("kube-apiserver/stream", "", error, replayed=False):
                    raise
                return
            for start in range(0, len(data), CHUNK):
                await send(
                    {"type": "http.response.body", "body": data[start : start + CHUNK], "more_body": True}
                )
            if stream.closed or now >= end:
                return
            if data:
                continue  # there may be more
            pause = min(end, next_mark) - now
            if stream.polled:
                pause = min(pause, POLL)
            waiter: asyncio.Future[Any] = asyncio.ensure_future(ready.wait())
            await asyncio.wait({waiter, gone}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            waiter.cancel()


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


def _header_list(response: Response) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    for warning in response.warnings:
        text = warning.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
        headers.append((b"warning", f'299 - "{text}"'.encode()))
    return headers
