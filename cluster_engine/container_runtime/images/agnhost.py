"""agnhost: the test image of Kubernetes, of which a few subcommands are here."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.container_runtime.http import Reply, Request, Server, server
from cluster_engine.container_runtime.image import Image, Variant, tags
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.sim import SECOND, rfc3339

_NOT_FOUND = Reply(404, "404 page not found\n")


def _port(default: int) -> Callable[[Sys], int]:
    def of(sys: Sys) -> int:
        words = sys.argv
        for index, word in enumerate(words):
            name, equals, value = word.lstrip("-").partition("=")
            if name in ("http-port", "port"):
                if not equals and index + 1 < len(words):
                    value = words[index + 1]
                if value.isdigit() and len(value) < 6:
                    return int(value)
        return default

    return of


def _netexec(sys: Sys, state: State, request: Request) -> Reply:
    path, _, query = request.path.partition("?")
    match path:
        case "/":
            return Reply(200, f"NOW: {rfc3339(sys.now)}\n")
        case "/healthz":
            return Reply(200)
        case "/hostname" | "/hostName":
            return Reply(200, sys.hostname)
        case "/clientip":
            return Reply(200, f"{request.peer}:{request.peer_port}")
        case "/echo":
            return Reply(200, query.partition("msg=")[2])
    return _NOT_FOUND


def _hostname(sys: Sys, state: State, request: Request) -> Reply:
    return Reply(200, sys.hostname)


def _liveness(sys: Sys, state: State, request: Request) -> Reply:
    # Upstream's tutorial image: well for ten seconds, then failing.
    age = (sys.now - state["started"]) // SECOND
    return Reply(500, f"error: {age}.0") if age > 10 else Reply(200, "ok")


_STOPS = {"TERM": (5_000, 0), "INT": (5_000, 0)}
_SERVERS = {
    "netexec": Server(_netexec, port=_port(8080), after=20_000, stops=_STOPS),
    "serve-hostname": Server(_hostname, port=_port(9376), after=20_000, stops=_STOPS),
    "test-webserver": Server(_hostname, port=_port(80), after=20_000, stops=_STOPS),
    "liveness": Server(_liveness, port=_port(8080), after=20_000, stops={"TERM": (0, 2), "INT": (0, 2)}),
}
_PROGRAMS = {name: server("agnhost", given).on for name, given in _SERVERS.items()}


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
    chosen = _pause if command == "pause" else _PROGRAMS.get(command)
    if chosen is None:
        sys.err(f"agnhost: the subcommand {command!r} is not simulated here\n")
        sys.exit(1)
    return chosen(sys, state, event)


def _programs(variant: Variant) -> dict[str, Program]:
    return {"/agnhost": Program("agnhost", on=_main)}


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
    tools="busybox",
)
