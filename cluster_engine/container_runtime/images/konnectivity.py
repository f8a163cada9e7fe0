"""Konnectivity's two programs: the server beside an API server, and the agents that connect with it from their nodes.

Models sigs.k8s.io/apiserver-network-proxy (cmd/server, cmd/agent). Which requests go through them the API server's
side says (``kubelet/egress.py``); the programs start, say what theirs say, and answer for their health.
"""

from __future__ import annotations

from cluster_engine.container_runtime.http import Line, Reply, Request, Server, klog, server
from cluster_engine.container_runtime.image import GIVES_UP, MB, Image, Variant, tags
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Program, State, Sys

_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
_NEVER_SAID = "(not simulated: of this program Drydock answers /healthz alone)\n"


def _flag(sys: Sys, name: str, default: str) -> str:
    given = [word.partition("=")[2] for word in sys.argv if word.startswith(f"--{name}=")]
    return given[-1] if given else default


def _port(sys: Sys, name: str, default: int) -> int:
    said = _flag(sys, name, "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 6 else default


def _answers(sys: Sys, state: State, request: Request) -> Reply:
    asked = request.path.partition("?")[0]
    return Reply(200, "ok", _TEXT) if asked == "/healthz" else Reply(501, _NEVER_SAID, _TEXT)


def _listens(sys: Sys) -> tuple[int, str]:
    """The server's socket, which the API server looks for."""
    path = _flag(sys, "uds-name", "")
    if not path:
        return 1, (
            "Error: Drydock's proxy-server hears the API server at a unix socket alone (--uds-name), "
            "a real one over TCP, too\n"
        )
    try:
        sys.fs.write(path, "")
    except FileError as error:
        why = f"listen unix {path}: bind: {error.reason.lower()}"
        text = f"failed to get uds listener: failed to listen(unix) name {path}: {why}"
        return 1, f"Error: failed to run the frontend server: {text}\n"
    return 0, ""


def _server_says(sys: Sys) -> list[Line]:
    told = (
        f'options.go:170] Mode set to "{_flag(sys, "mode", "grpc")}".',
        f'options.go:171] UDSName set to "{_flag(sys, "uds-name", "")}".',
        f"options.go:174] Agent port set to {_port(sys, 'agent-port', 8091)}.",
        "server.go:157] Starting frontend server for client connections.",
        "server.go:168] Starting agent server for tunnel connections.",
        "server.go:173] Starting admin server for debug connections.",
        "server.go:178] Starting health server for healthchecks.",
    )
    return [klog(sys, line) for line in told]


def _agent_says(sys: Sys) -> list[Line]:
    told = (
        f'options.go:132] CACert set to "{_flag(sys, "ca-cert", "")}".',
        f'options.go:133] ProxyServerHost set to "{_flag(sys, "proxy-server-host", "127.0.0.1")}".',
        f"options.go:134] ProxyServerPort set to {_port(sys, 'proxy-server-port', 8091)}.",
        f"options.go:137] HealthServerPort set to {_port(sys, 'health-server-port', 8093)}.",
    )
    return [klog(sys, line) for line in told]


_STOPS = {"TERM": (300_000, 0), "INT": (300_000, 0), GIVES_UP: (0, 1)}
_SERVER = Server(
    _answers,
    port=lambda sys: _port(sys, "health-port", 8092),
    check=_listens,
    first=_server_says,
    after=200_000,
    stops=_STOPS,
)
_AGENT = Server(
    _answers,
    port=lambda sys: _port(sys, "health-server-port", 8093),
    first=_agent_says,
    after=200_000,
    stops=_STOPS,
)


def _server(variant: Variant) -> dict[str, Program]:
    return {"/proxy-server": server("proxy-server", _SERVER)}


def _agent(variant: Variant) -> dict[str, Program]:
    return {"/proxy-agent": server("proxy-agent", _AGENT)}


SERVER = Image(
    repository="registry.k8s.io/kas-network-proxy/proxy-server",
    variants={**tags(20_000_000, "v0.34.0", "v0.34.0"), **tags(19_900_000, "v0.31.0", "v0.31.0")},
    since=(0, 0, 20),
    entrypoint=("/proxy-server",),
    steady=True,
    programs=_server,
    memory=20 * MB,
)
AGENT = Image(
    repository="registry.k8s.io/kas-network-proxy/proxy-agent",
    variants={**tags(9_500_000, "v0.34.0", "v0.34.0"), **tags(9_400_000, "v0.31.0", "v0.31.0")},
    since=(0, 0, 20),
    entrypoint=("/proxy-agent",),
    steady=True,
    programs=_agent,
    memory=12 * MB,
)
