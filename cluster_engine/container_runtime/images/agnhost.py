"""agnhost: the test image of Kubernetes, of which a few subcommands are here."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from cluster_engine.container_runtime.http import Line, Reply, Request, Server, answer, klog, server
from cluster_engine.container_runtime.image import Image, Variant, tags
from cluster_engine.container_runtime.images import _converter as _converter_rules
from cluster_engine.container_runtime.images import _guestbook as _guestbook_rules
from cluster_engine.container_runtime.images import _netexec as _netexec_rules
from cluster_engine.container_runtime.images import _webhook as _webhook_rules
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.sim import SECOND, rfc3339

FIELDS = 100
"""Fields of a query that are read."""
_NOT_FOUND = Reply(404, "404 page not found\n")


def _flag(sys: Sys, *names: str) -> str:
    """The value of a flag, as Go's flags are written; "" when it is not given."""
    words = sys.argv
    for index, word in enumerate(words):
        name, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and name in names:
            return value if equals else "".join(words[index + 1 : index + 2])
    return ""


def _port(default: int, *names: str) -> Callable[[Sys], int]:
    def of(sys: Sys) -> int:
        value = _flag(sys, *(names or ("http-port", "port")))
        return int(value) if value.isdigit() and len(value) < 6 else default

    return of


def _fields(query: str) -> dict[str, str]:
    """The first fields of a query; of what comes after them nothing is read."""
    return dict(parse_qsl("&".join(query.split("&", FIELDS)[:FIELDS]), keep_blank_values=True))


def _netexec(sys: Sys, state: State, request: Request) -> Reply:
    path, _, query = request.path.partition("?")
    given = _fields(query)
    match path:
        case "/healthz":
            return Reply(200)
        case "/hostname" | "/hostName":
            return Reply(200, sys.hostname)
        case "/clientip":
            return Reply(200, f"{request.peer}:{request.peer_port}")
        case "/header":
            return Reply(200, request.headers.get(given.get("key", "").lower(), ""))
        case "/echo":
            return _coded(given.get("code", ""), given.get("msg", ""))
        case "/redirect":
            return Reply(_code(given.get("code", ""), 302), "", {"Location": given.get("location", "")})
        case "/exit":
            sys.exit(_code(given.get("code", ""), 0))
        case "/shutdown":
            sys.exit(0)
        case "/dial":
            return _netexec_rules.dial(sys, state, request, given)
        case "/shell":
            return _netexec_rules.shell(sys, state, request, given)
        case "/upload":
            return _netexec_rules.upload(sys, request)
    return Reply(200, f"NOW: {rfc3339(sys.now)}")


_TOLD = {"/echo": ("msg", "code"), "/exit": ("code", "timeout", "wait"), "/redirect": ("location", "code")}
"""Parameters that netexec's log shows, by path; of the other paths the path alone."""


def _access(sys: Sys, request: Request, reply: Reply) -> Line:
    path, _, query = request.path.partition("?")
    given = _fields(query)
    shown = "&".join(f"{name}={given.get(name, '')}" for name in _TOLD.get(path, ()))
    return klog(sys, f"log.go:195] GET {path if path in _PATHS else '/'}{'?' if shown else ''}{shown}")


_PATHS = (
    "/clientip",
    "/echo",
    "/exit",
    "/header",
    "/healthz",
    "/hostName",
    "/hostname",
    "/redirect",
    "/shutdown",
)


def _bind(sys: Sys) -> list[Line]:
    """netexec's UDP side; a port of -1 turns it off."""
    lines = [klog(sys, f"log.go:195] Started HTTP server on port {_port(8080)(sys)}")]
    if _flag(sys, "udp-port") != "-1":
        port = _port(8081, "udp-port")(sys)
        sys.bind_udp(port)
        lines.append(klog(sys, f"log.go:195] Started UDP server on port  {port}"))
    return lines


def _datagram(sys: Sys, event: Event) -> None:
    """``hostname``, ``clientip`` and ``echo TEXT``; anything else is not answered."""
    _, fd, ip, port, data = event
    word, _, text = data.strip().partition(" ")
    match word.lower():
        case "hostname":
            sys.sendto(fd, ip, port, sys.hostname)
        case "clientip":
            sys.sendto(fd, ip, port, f"{ip}:{port}")
        case "echo":
            sys.sendto(fd, ip, port, text)


def _coded(code: str, text: str) -> Reply:
    if code and not code.isdecimal():
        return Reply(400, f"argument 'code' must be an integer or empty, got \"{code}\"\n")
    return Reply(_code(code, 200), text)


def _code(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else default


def _health(sys: Sys, state: State, service: str) -> str:
    """grpc-health-checking: well until it is told otherwise, or for as long as its flag says."""
    sys.out(f"Serving the Check request for health check, started at {rfc3339(state['started'])}\n")
    delay = _flag(sys, "delay-unhealthy-sec")
    late = delay.isdecimal() and sys.now - state["started"] >= int(delay[:9]) * SECOND
    return "OK NOT_SERVING" if late or state.get("sick") else "OK SERVING"


def _switch(sys: Sys, state: State, request: Request) -> Reply:
    """The HTTP side of grpc-health-checking."""
    match request.path.partition("?")[0]:
        case "/make-not-serving":
            state["sick"] = True
        case "/make-serving":
            state["sick"] = False
        case _:
            return _NOT_FOUND
    return Reply(200)


def _grpc_ready(sys: Sys) -> list[Line]:
    port = _port(5000, "port")(sys)
    sys.listen(port)
    lines = (
        f"Http server starting to listen on :{_port(8080, 'http-port')(sys)}",
        f"gRPC server starting to listen on :{port}",
    )
    return [("stderr", line) for line in lines]


def _hostname(sys: Sys, state: State, request: Request) -> Reply:
    return Reply(200, sys.hostname)


def _liveness(sys: Sys, state: State, request: Request) -> Reply:
    # Upstream's tutorial image: well for ten seconds, then failing.
    age = (sys.now - state["started"]) // SECOND
    return Reply(500, f"error: {age}.0") if age > 10 else Reply(200, "ok")


_STOPS = {"TERM": (5_000, 0), "INT": (5_000, 0)}


def _webhook(sys: Sys, state: State, request: Request) -> Reply:
    return _webhook_rules.answer(sys, request, _flag(sys, "sidecar-image"))


def _converter(sys: Sys, state: State, request: Request) -> Reply:
    verbosity = _flag(sys, "v")
    return _converter_rules.answer(sys, request, verbosity.isdecimal() and int(verbosity[:9]) >= 2)


def _guestbook(sys: Sys, state: State, request: Request) -> Reply:
    given = _fields(request.path.partition("?")[2])
    return _guestbook_rules.handle(sys, state, request, given, _port(6379, "backend-port")(sys))


def _guestbook_main(sys: Sys, state: State, event: Event) -> State:
    """The server; of a replica, what it has to tell its primary."""
    primary, again = _flag(sys, "replicaof"), event[0] == "start" or state.get("again") == event[1]
    waited, done = _guestbook_rules.happened(sys, state, event)
    if not waited:
        state = _PROGRAMS["guestbook"](sys, state, event)
    if primary and again and event[0] in ("start", "timer"):
        _guestbook_rules.register(sys, state, primary, _port(6379, "backend-port")(sys))
    for ip, port, reply in done:
        state = answer(_SERVERS["guestbook"], sys, state, ip, port, reply)
    return state


_SERVERS = {
    "guestbook": Server(_guestbook, port=_port(80), after=20_000, stops={"TERM": (0, 2), "INT": (0, 2)}),
    "webhook": Server(
        _webhook,
        port=_port(443, "port"),
        after=20_000,
        stops=_STOPS,
        tls=True,
        certificate=lambda sys: _webhook_rules.certificate(_flag(sys, "tls-cert-file"), sys),
    ),
    "crd-conversion-webhook": Server(
        _converter,
        port=_port(443, "port"),
        after=20_000,
        stops=_STOPS,
        tls=True,
        certificate=lambda sys: _webhook_rules.certificate(_flag(sys, "tls-cert-file"), sys),
    ),
    "grpc-health-checking": Server(
        _switch, port=_port(8080, "http-port"), ready=_grpc_ready, after=20_000, stops=_STOPS, health=_health
    ),
    "netexec": Server(_netexec, port=_port(8080), after=20_000, stops=_STOPS, ready=_bind, access=_access),
    "serve-hostname": Server(_hostname, port=_port(9376), after=20_000, stops=_STOPS),
    "test-webserver": Server(_hostname, port=_port(80), after=20_000, stops=_STOPS),
    "liveness": Server(_liveness, port=_port(8080), after=20_000, stops={"TERM": (0, 2), "INT": (0, 2)}),
}
_PROGRAMS: dict[str, Callable[[Sys, State, Event], State]] = {
    name: on for name, given in _SERVERS.items() if (on := server("agnhost", given).on) is not None
}


def _pause(sys: Sys, state: State, event: Event) -> State:
    if event[0] == "signal":
        sys.exit(0)
    sys.trap("TERM", "catch")
    sys.trap("INT", "catch")
    sys.out("Paused\n")
    return {}


def _main(sys: Sys, state: State, event: Event) -> State:
    """The subcommand's own program from the first event on."""
    command = next((w for w in sys.argv[1:] if not w.startswith("-")), "")
    if command == "entrypoint-tester":
        sys.out(f"[{' '.join(sys.argv)}]\n")
        sys.exit(0)
    if command == "netexec" and event[0] == "datagram":
        _datagram(sys, event)
        return state
    if command == "guestbook":
        return _guestbook_main(sys, state, event)
    if command == "netexec":
        waited, done = _netexec_rules.happened(sys, state, event)
        if waited:
            return answer(_SERVERS["netexec"], sys, state, *done) if done is not None else state
    chosen = _pause if command == "pause" else _PROGRAMS.get(command)
    if chosen is None:
        sys.err(f"agnhost: the subcommand {command!r} is not simulated here\n")
        sys.exit(1)
    return chosen(sys, state, event)


def _programs(variant: Variant) -> dict[str, Program]:
    return {path: Program(path[1:], on=_main) for path in ("/agnhost", "/agnhost-2")}


IMAGE = Image(
    repository="registry.k8s.io/e2e-test-images/agnhost",
    since=(2, 0),
    variants={
        name: variant
        for version in ("2.40", "2.43", "2.45", "2.47", "2.52", "2.53", "2.56", "2.57")
        for name, variant in tags(51_000_000 + int(version[2:]) * 10_007, version, version).items()
    },
    entrypoint=("/agnhost",),
    cmd=("pause",),
    programs=_programs,
    files=lambda variant: {f"{_netexec_rules.UPLOADS}/.keep": ""},
    tools="busybox",
)
