"""hello-app: a web server on 8080 that tells its version and host name."""

from __future__ import annotations

from cluster_engine.container_runtime.http import Line, Reply, Request, Server, server, slashed
from cluster_engine.container_runtime.image import Image, Variant, tags
from cluster_engine.linux.program import Program, State, Sys


def _port(sys: Sys) -> int:
    port = sys.env.get("PORT", "8080")
    return int(port) if port.isdigit() and len(port) < 6 else 8080


def _log(sys: Sys, request: Request, reply: Reply) -> Line:
    return ("stderr", f"{slashed(sys.now)} Serving request: {request.path}")


def _ready(sys: Sys) -> list[Line]:
    return [("stderr", f"{slashed(sys.now)} Server listening on port {_port(sys)}")]


def _programs(variant: Variant) -> dict[str, Program]:
    def reply(sys: Sys, state: State, request: Request) -> Reply:
        text = f"Hello, world!\nVersion: {variant.version}\nHostname: {sys.hostname}\n"
        return Reply(200, text, {"Content-Type": "text/plain; charset=utf-8"})

    # A Go program without handlers: the first process of a container ends by a signal all the same.
    given = Server(reply, port=_port, ready=_ready, access=_log, stops={"TERM": (0, 2), "INT": (0, 2)})
    return {"/hello-app": server("hello-app", given)}


IMAGE = Image(
    repository="gcr.io/google-samples/hello-app",
    variants={**tags(11_511_000, "1.0.0", "1.0", "latest"), **tags(11_513_000, "2.0.0", "2.0")},
    cmd=("./hello-app",),
    ports=(8080,),
    steady=True,
    programs=_programs,
)

ARTIFACT = Image(
    repository="us-docker.pkg.dev/google-samples/containers/gke/hello-app",
    variants=IMAGE.variants,
    cmd=IMAGE.cmd,
    ports=IMAGE.ports,
    steady=True,
    programs=IMAGE.programs,
)
"""The same image at its newer address."""
