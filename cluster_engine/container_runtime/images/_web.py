"""What web servers have in common: files over HTTP and access logs."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.container_runtime.http import REASONS, Line, Reply, Request, log_time
from cluster_engine.linux.errors import DENIED, IS_DIRECTORY, FileError
from cluster_engine.linux.program import State, Sys

_TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "application/javascript",
    "json": "application/json",
    "txt": "text/plain",
}


_NGINX = {
    503: "Service Temporarily Unavailable",
}
"""Statuses that nginx names otherwise."""


def error_page(server: str, status: int) -> Reply:
    """The small page that nginx shows for an error."""
    reason = _NGINX.get(status) or REASONS.get(status, "Unknown")
    body = (
        f"<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {reason}</h1></center>\r\n<hr><center>{server}</center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return Reply(status, body, {"Content-Type": "text/html"})


def static(root: Callable[[Sys], str], server: str) -> Callable[[Sys, State, Request], Reply]:
    """Serves the files below ``root``."""

    def handle(sys: Sys, state: State, request: Request) -> Reply:
        if request.method not in ("GET", "HEAD"):
            return error_page(server, 405)
        parts = _parts(request.path.partition("?")[0])
        if parts is None:
            return error_page(server, 400)
        path = "/".join([root(sys).rstrip("/"), *parts]) or "/"
        index = request.path.endswith("/")
        try:
            try:
                body = sys.fs.read(f"{path.rstrip('/')}/index.html" if index else path)
            except FileError as error:
                if error.reason != IS_DIRECTORY:
                    raise
                index = True
                body = sys.fs.read(f"{path}/index.html")
        except FileError as error:
            return error_page(
                server, 403 if error.reason == DENIED or (index and sys.fs.is_dir(path)) else 404
            )
        if index:
            path = "index.html"
        kind = _TYPES.get(path.rpartition(".")[2], "application/octet-stream")
        return Reply(200, body, {"Content-Type": kind})

    return handle


def file_of(sys: Sys, path: str, folder: bool, index: list[str], kind: str) -> Reply | None:
    """A file, of a folder the first of its index files; None when it is not there, 403 when it must not be read."""
    for each in [f"{path.rstrip('/')}/{name}" for name in index] if folder else [path]:
        try:
            body = sys.fs.read(each)
        except FileError as error:
            if error.reason == DENIED:
                return Reply(403)
            if error.reason == IS_DIRECTORY and not folder:
                return file_of(sys, path, True, index, kind)
            continue
        return Reply(200, body, {"Content-Type": _TYPES.get(each.rpartition(".")[2], kind)})
    return Reply(403) if folder and sys.fs.is_dir(path) else None


def _parts(path: str) -> list[str] | None:
    """The names in a URL's path; None when it leads out of the root."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return parts


def combined_log(sys: Sys, request: Request, reply: Reply) -> Line:
    """One line of the combined access log."""
    agent = request.headers.get("user-agent", "-")
    referer = request.headers.get("referer", "-")
    return (
        "stdout",
        f'{request.peer} - - [{log_time(sys.now)}] "{request.method} {request.path} {request.version}" '
        f'{reply.status} {len(reply.body)} "{referer}" "{agent}" "-"',
    )
