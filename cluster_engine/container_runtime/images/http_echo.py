"""hashicorp/http-echo: answers every request with ``-text``."""

from __future__ import annotations

from cluster_engine.container_runtime.image import Image, tags
from cluster_engine.container_runtime.network import HttpReply, HttpRequest
from cluster_engine.container_runtime.process import Launch, Plan
from cluster_engine.shell.vfs import Vfs


def _options(launch: Launch) -> dict[str, str]:
    """``-text=x``, ``-text x``, ``--text=x``."""
    found = {"text": launch.env.get("ECHO_TEXT", ""), "listen": ":5678"}
    words = list(launch.argv[1:])
    while words:
        name, equals, value = words.pop(0).lstrip("-").partition("=")
        if not equals:
            value = words.pop(0) if words else ""
        found[name] = value
    return found


def _reply(request: HttpRequest, vfs: Vfs, launch: Launch) -> HttpReply:
    text = _options(launch)["text"]
    return HttpReply(
        200, f"{text}\n".encode(), {"content-type": "text/plain; charset=utf-8", "x-app-name": "http-echo"}
    )


def _serve(launch: Launch) -> Plan:
    options = _options(launch)
    if not options["text"]:
        return Plan(log=((5_000, "stderr", "Missing -text option!"),), exits=(10_000, 127))
    port = options["listen"].rpartition(":")[2]
    number = int(port) if port.isdigit() and len(port) < 6 else 5678
    return Plan(
        log=((10_000, "stdout", f"[INFO] server is listening on :{number}"),),
        ports=((number, 10_000),),
        http=_reply,
        on_term=(10_000, 0),
    )


IMAGE = Image(
    repository="docker.io/hashicorp/http-echo",
    variants={
        **tags(3_138_000, "1.0.0", "latest", "1.0.0", "1.0"),
        **tags(2_134_000, "0.2.3", "0.2.3"),
        **tags(2_134_100, "0.2.1", "0.2.1"),
    },
    entrypoint=("/http-echo",),
    ports=(5678,),
    programs={"http-echo": _serve},
)
