"""hello-app: a web server on 8080 that tells its version and host name."""

from __future__ import annotations

from cluster_engine.container_runtime.image import Image, tags
from cluster_engine.container_runtime.network import HttpReply, HttpRequest
from cluster_engine.container_runtime.process import Launch, Plan
from cluster_engine.shell.vfs import Vfs
from cluster_engine.sim import rfc3339


def _reply(request: HttpRequest, vfs: Vfs, launch: Launch) -> HttpReply:
    version = IMAGE.variants[launch.tag].version
    text = f"Hello, world!\nVersion: {version}\nHostname: {launch.hostname}\n"
    return HttpReply(200, text.encode(), {"content-type": "text/plain; charset=utf-8"})


def _log(request: HttpRequest, reply: HttpReply, at: int) -> tuple[int, str, str]:
    stamp = rfc3339(at).replace("-", "/").replace("T", " ").rstrip("Z")
    return (at, "stderr", f"{stamp} Serving request: {request.path}")


def _serve(launch: Launch) -> Plan:
    port = launch.env.get("PORT", "8080")
    number = int(port) if port.isdigit() and len(port) < 6 else 8080
    stamp = rfc3339(launch.started_at).replace("-", "/").replace("T", " ").rstrip("Z")
    return Plan(
        log=((20_000, "stderr", f"{stamp} Server listening on port {number}"),),
        ports=((number, 20_000),),
        http=_reply,
        access_log=_log,
        on_term=(0, 2),
    )


IMAGE = Image(
    repository="gcr.io/google-samples/hello-app",
    variants={**tags(11_511_000, "1.0.0", "1.0", "latest"), **tags(11_513_000, "2.0.0", "2.0")},
    cmd=("./hello-app",),
    ports=(8080,),
    programs={"hello-app": _serve},
)

ARTIFACT = Image(
    repository="us-docker.pkg.dev/google-samples/containers/gke/hello-app",
    variants=IMAGE.variants,
    cmd=IMAGE.cmd,
    ports=IMAGE.ports,
    programs=IMAGE.programs,
)
"""The same image at its newer address."""
