"""HTTP/1.1 as the servers of the simulated images speak it: a program that listens, reads requests, answers.

``server`` makes the program from what is particular to an image: its first lines, its port, its answers, its
access log, how it stops. Connections are kept alive as HTTP/1.1 says; what is no HTTP is answered with 400.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple

from cluster_engine.container_runtime import http_streams
from cluster_engine.linux import tls
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.tls import HELLO, Certificate, greeting
from cluster_engine.network import GRPC_HELLO
from cluster_engine.sim import rfc3339

HEAD_LIMIT = 16 * 1024
"""Bytes of a request's line and headers."""
BODY_LIMIT = 1024 * 1024
"""Bytes of a request's body."""
OPEN = 512
"""Connections that one server serves at the same time; one more is closed at once."""

REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Not Allowed",
    413: "Request Entity Too Large",
    417: "Expectation Failed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
    505: "HTTP Version Not Supported",
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")
_DAY = 86_400_000_000


class Request(NamedTuple):
    """A request; header names are lower-case, the body is byte text."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str
    peer: str
    """The client's address."""
    peer_port: int
    version: str = "HTTP/1.1"
    last: bool = False
    """The client asks nothing more on this connection."""
    port: int = 0
    """The server's, on which it came."""


_NONE: Mapping[str, str] = MappingProxyType({})


class Reply(NamedTuple):
    """An answer; the body is byte text."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = _NONE
    after: int = 0
    """µs until it is sent; NEVER: it is not."""
    note: Sequence[Any] = ()
    """What the access log is to know of it: JSON."""


class Onward(NamedTuple):
    """A request that is passed on: what the other server answers is the answer."""

    ip: str
    port: int
    text: str
    """The whole request, byte text; it asks for the end of the connection."""
    note: Sequence[Any] = ()
    """Of the answer."""


NEVER = -1
Line = tuple[str, str]
"""("stdout" or "stderr", text without the line's end)."""


@dataclass(frozen=True, slots=True)
class Server:
    """What is particular to one server."""

    handle: Callable[[Sys, State, Request], Reply | Onward]
    """Answers a request, or says who does; may change the state."""
    port: Callable[[Sys], int] = lambda sys: 80
    check: Callable[[Sys], tuple[int, str]] | None = None
    """Looks whether it can start: (exit status, what it says on stderr); (0, "") goes on."""
    first: Callable[[Sys], list[Line]] | None = None
    """What it says at once."""
    ready: Callable[[Sys], list[Line]] | None = None
    """What it says when it listens."""
    more: tuple[int, ...] = ()
    """Further ports."""
    ports: Callable[[State], tuple[int, ...]] | None = None
    """The ports, where they follow from what it has read (into the state) when it starts."""
    unanswered: Callable[[int], Reply] = lambda status: Reply(status)
    """What it says when who was to answer did not: 502 or 504."""
    after: int = 0
    """µs from the start until it listens."""
    access: Callable[[Sys, Request, Reply], Line | None] | None = None
    """Its access log."""
    name: str = ""
    """The header ``Server``."""
    stops: Mapping[str, tuple[int, int]] = field(default_factory=lambda: {"TERM": (20_000, 0)})
    """Signal -> (µs until it ends, exit status). A server without a handler ignores signals as pid 1."""
    tls: bool = False
    """It speaks HTTPS alone."""
    certificate: Callable[[Sys], Certificate] = lambda sys: Certificate(sys.hostname)
    """What it shows of itself then."""
    secure: tuple[int, ...] = ()
    """The ports that speak HTTPS where not all do (with ``ports``)."""
    presents: Callable[[Sys, State, int, str], Certificate] | None = None
    """What it shows instead, by the port and the host that the client names."""
    asks: Callable[[Request], Any] | None = None
    """What the host is asked instead (``Sys.call("http", …)``), who answers [status, headers, body]; None: nothing."""
    health: Callable[[Sys, State, str], str] | None = None
    """Answers gRPC health checks of a service: gRPC's code and what it says (``OK SERVING``)."""
    in_use: Callable[[Sys, int, str], str] | None = None
    """What it says when the port cannot be had (port, the system's reason)."""


def server(name: str, given: Server) -> Program:
    """The program of a server."""

    def on(sys: Sys, state: State, event: Event) -> State:
        handler = _HANDLERS.get(event[0])
        return handler(given, sys, state, event) if handler is not None else state

    return Program(name, on=on)


def _start(given: Server, sys: Sys, state: State, event: Event) -> State:
    if given.check is not None:
        status, text = given.check(sys)
        if status or text:
            sys.err(text)
            sys.exit(status)
    for signal in given.stops:
        sys.trap(signal, "catch")
    if given.first is not None:
        say(sys, given.first(sys))
    fresh: State = {"started": sys.now, "requests": {}, "peers": {}, "stop": 0}
    if given.after:
        fresh["timer"] = sys.sleep(given.after)
        return fresh
    return _listen(given, sys, fresh)


def _listen(given: Server, sys: Sys, state: State) -> State:
    numbers = given.ports(state) if given.ports is not None else (given.port(sys), *given.more)
    port = numbers[0] if numbers else 0
    try:
        for port in numbers:
            fd = sys.listen(port)
            if given.ports is not None and numbers != (given.port(sys),):
                state.setdefault("listeners", {})[str(fd)] = port
    except FileError as error:
        if given.in_use is not None:
            sys.err(given.in_use(sys, port, error.reason))
        sys.exit(1)
    if given.ready is not None:
        say(sys, given.ready(sys))
    return state


def answer(given: Server, sys: Sys, state: State, peer: str, port: int, reply: Reply) -> State:
    """An answer that was held back (NEVER) goes to its client, and the connection ends."""
    for key, (ip, number, _) in state["peers"].items():
        if (ip, number) == (peer, port):
            sys.write(int(key), _render(given, sys, reply, "GET", close=True))
            return _drop(sys, state, int(key))
    return state


def _timer(given: Server, sys: Sys, state: State, event: Event) -> State:
    if state["stop"] and not http_streams.is_due(state, event[1]):
        sys.exit(state["stop"] - 1)
    if http_streams.is_due(state, event[1]):
        over = http_streams.due(sys, state, event[1])
        return state if over is None else _drop(sys, state, over)
    late = state.get("late", {}).pop(str(event[1]), None)
    if late is None:
        return _listen(given, sys, state)
    fd, text, last = late
    if str(fd) not in state["requests"]:
        return state
    sys.write(fd, text)
    return _drop(sys, state, fd) if last else _data(given, sys, state, ["data", fd, ""])


def _signal(given: Server, sys: Sys, state: State, event: Event) -> State:
    stop = given.stops.get(event[1])
    if stop is None or state["stop"]:
        return state
    if not stop[0]:
        sys.exit(stop[1])
    state["stop"] = stop[1] + 1
    sys.sleep(stop[0])
    return state


def _accepted(given: Server, sys: Sys, state: State, event: Event) -> State:
    _, listener, fd, ip, port = event
    requests = state["requests"]
    if len(requests) >= OPEN:
        sys.close(fd)
        return state
    key = str(fd)
    requests[key] = ""
    state["peers"][key] = [ip, port, False]
    if len(state.get("listeners", ())) > 1:
        state.setdefault("came", {})[key] = state["listeners"][str(listener)]
    sys.read(fd)
    return state


def _data(given: Server, sys: Sys, state: State, event: Event) -> State:
    _, fd, chunk = event
    key = str(fd)
    if key not in state["requests"]:
        return _more(sys, state, fd, chunk) if key in state.get("onward", {}) else state
    if "streams" in state and http_streams.streams(state, fd):
        sys.read(fd)
        return state  # who watches says nothing more
    requests = state["requests"]
    text = requests[key] + chunk
    ip, port, secure = state["peers"][key]
    if not secure and len(text) >= len(HELLO) and _is_secure(given, sys, state, key):
        secure = text.startswith(HELLO)
        heard = tls.heard(text) if secure else ("", _NO_TLS)
        if heard is None:
            requests[key] = text
            sys.read(fd)
            return state
        name, text = heard
        if secure:
            sys.write(fd, greeting(_certificate(given, sys, state, key, name)))
        state["peers"][key] = [ip, port, secure]
    if given.health is not None and text.startswith(GRPC_HELLO):
        return _check(given.health, sys, state, fd, text)
    while True:
        found = parse(text, ip, port)
        if found is None:
            break
        request, text, error = found
        if request is None:
            sys.write(fd, _render(given, sys, Reply(error, _PLAIN.get(error, "")), "GET", close=True))
            return _drop(sys, state, fd)
        if given.asks is not None and (asked := given.asks(request)) is not None:
            call = str(sys.call("http", asked))
            kept = asked if request.method == "GET" else []
            state[http_streams.ASKED] = {
                **state.get(http_streams.ASKED, {}),
                call: [fd, request.method, request.last, kept],
            }
            requests[key] = text
            return state
        if given.ports is not None:
            request = request._replace(port=_port_of(given, sys, state, key))
        reply = given.handle(sys, state, request)
        if isinstance(reply, Onward):
            requests[key] = text
            return _passed_on(given, sys, state, fd, request, reply)
        sent = _render(given, sys, reply, request.method, request.last)
        if reply.after:
            requests[key] = text
            if reply.after != NEVER:
                timer = str(sys.sleep(reply.after))
                state["late"] = {**state.get("late", {}), timer: [fd, sent, request.last]}
            return state
        sys.write(fd, sent)
        if given.access is not None and (line := given.access(sys, request, reply)) is not None:
            (sys.out if line[0] == "stdout" else sys.err)(line[1] + "\n")
        if request.last:
            return _drop(sys, state, fd)
        if not text:
            break
    requests[key] = text
    sys.read(fd)
    return state


def _is_secure(given: Server, sys: Sys, state: State, key: str) -> bool:
    return given.tls or (bool(given.secure) and _port_of(given, sys, state, key) in given.secure)


def _certificate(given: Server, sys: Sys, state: State, key: str, name: str) -> Certificate:
    if given.presents is None:
        return given.certificate(sys)
    return given.presents(sys, state, _port_of(given, sys, state, key), name)


def _check(health: Callable[[Sys, State, str], str], sys: Sys, state: State, fd: int, text: str) -> State:
    """A gRPC client: the line that follows its greeting is its call."""
    line, end, _ = text.removeprefix(GRPC_HELLO).partition("\n")
    if not end and len(line) < HEAD_LIMIT:
        state["requests"][str(fd)] = text
        sys.read(fd)
        return state
    method, _, service = line.partition(" ")
    known = method == "grpc.health.v1.Health/Check"
    name = method.partition("/")[0]
    sys.write(fd, (health(sys, state, service) if known else f"Unimplemented unknown service {name}") + "\n")
    return _drop(sys, state, fd)


def _answered(given: Server, sys: Sys, state: State, event: Event) -> State:
    """The host's answer, and what the client asks next."""
    _, call, reply = event
    waits = state.get(http_streams.ASKED, {}).pop(str(call), None)
    if waits is None or str(waits[0]) not in state["requests"]:
        return state
    fd, method, last, asked = waits
    status, headers, body, *going = reply
    if asked and isinstance(asked[0], int):
        over = http_streams.went_on(sys, state, asked, reply)
        return state if over is None else _drop(sys, state, over)
    if going and http_streams.full(state):
        status, headers, body = 429, {"Retry-After": "1"}, "Too many requests, please try again later.\n"
    elif going:
        head = http_streams.head(f"HTTP/1.1 {status} {REASONS[status]}", headers)
        http_streams.begins(sys, state, fd, asked, head, reply)
        return state
    sys.write(fd, _render(given, sys, Reply(status, body, headers), method, last))
    return _drop(sys, state, fd) if last else _data(given, sys, state, ["data", fd, ""])


def _port_of(given: Server, sys: Sys, state: State, key: str) -> int:
    """The server's port of a connection."""
    found = state.get("came", {}).get(key) or next(iter(state.get("listeners", {}).values()), 0)
    return int(found) or given.port(sys)


def _passed_on(given: Server, sys: Sys, state: State, fd: int, request: Request, to: Onward) -> State:
    """The request goes on to another server; the client waits."""
    other = sys.connect(to.ip, to.port)
    asked = [
        request.method,
        request.path,
        dict(request.headers),
        request.version,
        request.last,
        *([to.note] if to.note else ()),
    ]
    state["onward"] = {**state.get("onward", {}), str(other): [fd, to.text, "", asked]}
    return state


def _connected(given: Server, sys: Sys, state: State, event: Event) -> State:
    """The other server is there."""
    onward = state.get("onward", {}).get(str(event[1]))
    if onward is not None:
        sys.write(event[1], onward[1])
        sys.read(event[1])
    return state


def _more(sys: Sys, state: State, fd: int, chunk: str) -> State:
    """More of another server's answer."""
    onward = dict(state["onward"])
    client, sent, text, asked = onward[str(fd)]
    onward[str(fd)] = [client, sent, (text + chunk)[: HEAD_LIMIT + BODY_LIMIT], asked]
    state["onward"] = onward
    sys.read(fd)
    return state


def _brought(given: Server, sys: Sys, state: State, fd: int, why: str) -> State:
    """The other server has said all, or does not answer: the client gets that."""
    onward = dict(state["onward"])
    client, _, text, (method, path, headers, version, last, *note) = onward.pop(str(fd))
    state["onward"] = onward
    sys.close(fd)
    key = str(client)
    if key not in state["requests"]:
        return state
    reply = _of_other(text) or given.unanswered(504 if why == "timeout" else 502)
    reply = reply._replace(note=note[0]) if note else reply
    ip, port, _ = state["peers"][key]
    sys.write(client, _render(given, sys, reply, method, last))
    if given.access is not None:
        request = Request(method, path, headers, "", ip, port, version, last)
        if (line := given.access(sys, request, reply)) is not None:
            (sys.out if line[0] == "stdout" else sys.err)(line[1] + "\n")
    return _drop(sys, state, client) if last else _data(given, sys, state, ["data", client, ""])


def _of_other(text: str) -> Reply | None:
    """The answer of another server as one's own; None for what is none."""
    head, mark, body = text.partition("\r\n\r\n")
    rows = head.split("\r\n")
    words = rows[0].split(" ", 2)
    if not mark or len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdecimal():
        return None
    own = ("connection", "content-length", "date", "server", "transfer-encoding", "keep-alive")
    headers = {
        name.strip(): value.strip()
        for name, _, value in (row.partition(":") for row in rows[1:])
        if name.strip().lower() not in own
    }
    return Reply(int(words[1][:3]), body, headers)


def _ended(given: Server, sys: Sys, state: State, event: Event) -> State:
    if str(event[1]) in state.get("onward", {}):
        return _brought(given, sys, state, event[1], event[2] if event[0] == "failed" else "")
    return _drop(sys, state, event[1])


def _drop(sys: Sys, state: State, fd: int) -> State:
    key = str(fd)
    if state["requests"].pop(key, None) is not None:
        http_streams.gone(sys, state, fd)
        del state["peers"][key]
        if "came" in state:
            state["came"].pop(key, None)
        sys.close(fd)
    return state


_NOT_HTTPS = 497
"""nginx's number for plain HTTP that came to an HTTPS server; on the wire it is 400."""
_NO_TLS = "\0\r\n\r\n"
_HANDLERS: dict[str, Callable[[Server, Sys, State, Event], State]] = {
    "start": _start,
    "timer": _timer,
    "signal": _signal,
    "accepted": _accepted,
    "data": _data,
    "end": _ended,
    "failed": _ended,
    "answer": _answered,
    "connected": _connected,
}
_PLAIN = {
    400: "400 Bad Request\n",
    413: "413 Request Entity Too Large\n",
    _NOT_HTTPS: "Client sent an HTTP request to an HTTPS server.\n",
}


def parse(text: str, peer: str, peer_port: int) -> tuple[Request | None, str, int] | None:
    """The first request of a stream and the rest; None when it is not complete yet.

    What is no request has None and the status to answer with.
    """
    if text.startswith(_NO_TLS):
        return None, "", _NOT_HTTPS
    end = text.find("\r\n\r\n")
    if end < 0:
        return (None, "", 400) if len(text) > HEAD_LIMIT or text.startswith(HELLO) else None
    head = _head(text[:end])
    if isinstance(head, int):
        return None, "", head
    method, path, version, headers, length, last = head
    at = end + 4
    if len(text) < at + length:
        return None
    body, rest = text[at : at + length], text[at + length :]
    return Request(method, path, headers, body, peer, peer_port, version, last), rest, 0


@lru_cache(256)
def _head(text: str) -> tuple[str, str, str, Mapping[str, str], int, bool] | int:
    """Method, path, version, headers, the body's length, whether it is the last; the status to answer with when it is
    no request."""
    lines = text.split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/") or not words[1]:
        return 400
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            return 400
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal() and len(length) < 10):
        return 400
    if int(length) > BODY_LIMIT:
        return 413
    wish = headers.get("connection", "").lower()
    last = wish == "close" or (words[2] == "HTTP/1.0" and wish != "keep-alive")
    return words[0], words[1], words[2], MappingProxyType(headers), int(length), last


def _render(given: Server, sys: Sys, reply: Reply, method: str, close: bool) -> str:
    status, body, headers, *_ = reply
    head = _reply_head(
        status,
        given.name,
        sys.now // 1_000_000,
        tuple(headers.items()),
        len(body),
        "close" if close else "keep-alive",
    )
    return head if method == "HEAD" else head + body


@lru_cache(64)
def _reply_head(
    status: int, server: str, second: int, headers: tuple[tuple[str, str], ...], length: int, connection: str
) -> str:
    """What stands before an answer's body."""
    status = 400 if status == _NOT_HTTPS else status
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}"]
    if server:
        lines.append(f"Server: {server}")
    lines.append(f"Date: {http_date(second)}")
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {length}", f"Connection: {connection}", "", ""]
    return "\r\n".join(lines)


def say(sys: Sys, lines: list[Line]) -> None:
    """Log lines."""
    if len(lines) == 1:
        stream, text = lines[0]
        (sys.out if stream == "stdout" else sys.err)(text + "\n")
        return
    for stream, group in groupby(lines, lambda line: line[0]):
        text = "".join(f"{text}\n" for _, text in group)
        if stream == "stdout":
            sys.out(text)
        else:
            sys.err(text)


def http_date(second: int) -> str:
    """As in HTTP headers: ``Thu, 01 Jan 2026 00:00:00 GMT``, of seconds since the epoch."""
    at = second * 1_000_000
    text = rfc3339(at)
    return f"{_DAYS[at // _DAY % 7]}, {text[8:10]} {_MONTHS[int(text[5:7]) - 1]} {text[:4]} {text[11:19]} GMT"


def log_time(at: int) -> str:
    """As in web servers' logs: ``01/Jan/2026:00:00:00 +0000``."""
    return _log_time(at // 1_000_000)


@lru_cache(16)
def _log_time(second: int) -> str:
    text = rfc3339(second * 1_000_000)
    return f"{text[8:10]}/{_MONTHS[int(text[5:7]) - 1]}/{text[:4]}:{text[11:19]} +0000"


def slashed(at: int) -> str:
    """As Go's and nginx's loggers write the time: ``2026/01/01 00:00:00``."""
    return rfc3339(at)[:19].replace("-", "/").replace("T", " ")


def klog(sys: Sys, text: str, level: str = "I") -> Line:
    """A line as Kubernetes' own programs write it to stderr: ``I0101 00:00:00.000000       1 …``."""
    stamp = rfc3339(sys.now)
    head = f"{level}{stamp[5:7]}{stamp[8:10]} {stamp[11:19]}.{sys.now % 1_000_000:06d}"
    return "stderr", f"{head}       1 {text}"
