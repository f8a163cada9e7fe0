"""What web servers have in common: files over HTTP and access logs."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.container_runtime.network import HttpReply, HttpRequest
from cluster_engine.container_runtime.process import Handler, Launch, Line
from cluster_engine.shell.errors import VfsError
from cluster_engine.shell.vfs import Vfs, normal
from cluster_engine.sim import rfc3339

_TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "application/javascript",
    "json": "application/json",
    "txt": "text/plain",
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def log_time(at: int) -> str:
    """As in web servers' logs: ``01/Jan/2026:00:00:00 +0000``."""
    text = rfc3339(at)
    return f"{text[8:10]}/{_MONTHS[int(text[5:7]) - 1]}/{text[:4]}:{text[11:19]} +0000"


def error_page(server: str, status: int, reason: str) -> HttpReply:
    """The small page that nginx shows for an error."""
    body = (
        f"<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {reason}</h1></center>\r\n<hr><center>{server}</center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return HttpReply(status, body.encode(), {"content-type": "text/html", "server": server})


def static(root: str, server: Callable[[Launch], str]) -> Handler:
    """Serves the files below ``root``."""

    def handle(request: HttpRequest, vfs: Vfs, launch: Launch) -> HttpReply:
        name = server(launch)
        if request.method not in ("GET", "HEAD"):
            return error_page(name, 405, "Not Allowed")
        path = normal(root + "/" + request.path.partition("?")[0].lstrip("/"))
        if path != root and not path.startswith(root + "/"):
            return error_page(name, 400, "Bad Request")
        try:
            if vfs.is_dir(path):
                path = f"{path}/index.html"
                if not vfs.is_file(path):
                    return error_page(name, 403, "Forbidden")
            body = vfs.read(path)
        except VfsError:
            return error_page(name, 404, "Not Found")
        kind = _TYPES.get(path.rpartition(".")[2], "application/octet-stream")
        return HttpReply(200, body, {"content-type": kind, "server": name})

    return handle


def combined_log(request: HttpRequest, reply: HttpReply, at: int) -> Line | None:
    """One line of the combined access log."""
    agent = request.headers.get("user-agent", "-")
    referer = request.headers.get("referer", "-")
    return (
        at,
        "stdout",
        f'{request.source or "127.0.0.1"} - - [{log_time(at)}] "{request.method} {request.path} HTTP/1.1" '
        f'{reply.status} {len(reply.body)} "{referer}" "{agent}" "-"',
    )
