"""hashicorp/http-echo: answers every request with ``-text``."""

from __future__ import annotations

from cluster_engine.container_runtime.http import Line, Reply, Request, Server, server
from cluster_engine.container_runtime.image import Image, Variant, tags
from cluster_engine.linux.program import Program, State, Sys


def _options(sys: Sys) -> dict[str, str]:
    """``-text=x``, ``-text x``, ``--text=x``."""
    found = {"text": sys.env.get("ECHO_TEXT", ""), "listen": ":5678"}
    words = list(sys.argv[1:])
    while words:
        name, equals, value = words.pop(0).lstrip("-").partition("=")
        if not equals:
            value = words.pop(0) if words else ""
        found[name] = value
    return found


def _port(sys: Sys) -> int:
    port = _options(sys)["listen"].rpartition(":")[2]
    return int(port) if port.isdigit() and len(port) < 6 else 5678


def _check(sys: Sys) -> tuple[int, str]:
    return (0, "") if _options(sys)["text"] else (127, "Missing -text option!\n")


def _reply(sys: Sys, state: State, request: Request) -> Reply:
    headers = {"X-App-Name": "http-echo", "Content-Type": "text/plain; charset=utf-8"}
    return Reply(200, f"{_options(sys)['text']}\n", headers)


def _ready(sys: Sys) -> list[Line]:
    return [("stdout", f"[INFO] server is listening on :{_port(sys)}")]


def _programs(variant: Variant) -> dict[str, Program]:
    given = Server(
        _reply, port=_port, check=_check, ready=_ready, stops={"TERM": (10_000, 0), "INT": (10_000, 0)}
    )
    return {"/http-echo": server("http-echo", given)}


IMAGE = Image(
    repository="docker.io/hashicorp/http-echo",
    since=(0, 2),
    variants={
        **tags(3_138_000, "1.0.0", "latest", "1.0.0", "1.0"),
        **tags(2_134_000, "0.2.3", "0.2.3"),
        **tags(2_134_100, "0.2.1", "0.2.1"),
    },
    entrypoint=("/http-echo",),
    ports=(5678,),
    steady=True,
    programs=_programs,
)
