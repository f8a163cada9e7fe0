"""What nginx does with a request by the table: a redirect, a page of its own, or the way to an endpoint."""

from __future__ import annotations

import hashlib
from typing import Any

from cluster_engine.container_runtime.http import Onward, Reply, Request
from cluster_engine.container_runtime.images._ingress import rules
from cluster_engine.container_runtime.images._web import error_page
from cluster_engine.linux.program import State, Sys

JSON = dict[str, Any]
_HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
_OWN = (
    "connection", "content-length", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto",
    "x-forwarded-scheme", "x-real-ip", "x-request-id", "x-scheme",
)  # fmt: skip


def answer(sys: Sys, state: State, request: Request, *, secure: bool) -> Reply | Onward:
    """The answer to a request, or who gives it."""
    number = state["turns"][""] = state["turns"].get("", 0) + 1
    ident = hashlib.sha256(f"{sys.hostname}/{sys.now}/{request.peer_port}/{number}".encode()).hexdigest()[:32]
    host = request.headers.get("host", "")
    server = rules.server_of(state["table"], host)
    path = _normal(request.path.partition("?")[0])
    if path is None:
        return error_page("nginx", 400)._replace(note=["", sys.now, "", ident])
    location = rules.location_of(server, path)
    upstream = location["upstream"]
    note: list[Any] = [upstream, sys.now, "", ident]
    own = _own(request, server, location, host, secure)
    if own is not None:
        return own._replace(note=note)
    endpoints = state["table"]["upstreams"].get(upstream) or []
    if upstream == rules.NO_BACKEND:
        return _seen(error_page("nginx", 404), server, secure)._replace(
            note=[*note[:2], "127.0.0.1:8181", ident]
        )
    if not endpoints:
        return _seen(error_page("nginx", 503), server, secure)._replace(note=note)
    turn = state["turns"][upstream] = state["turns"].get(upstream, -1) + 1
    ip, port = endpoints[turn % len(endpoints)]
    uri = rules.rewritten(location, request.path)
    if location["target"].startswith(("http://", "https://")):
        return _moved(302, uri.removeprefix("/"))._replace(note=note)
    text = _passed_on(request, uri, host, ident, secure)
    return Onward(ip, port, text, [upstream, sys.now, f"{ip}:{port}", ident])


def _own(request: Request, server: JSON, location: JSON, host: str, secure: bool) -> Reply | None:
    """The answers that nginx gives by itself: its ``return`` comes before what Lua says at the end of that phase."""
    if location["root"] and request.path.partition("?")[0] == "/":
        return _moved(302, f"{'https' if secure else 'http'}://{host}{location['root']}")
    if location["redirects"]:
        return _moved(*location["redirects"])
    wants, forces = location["ssl"]
    name = host.partition(":")[0] or "_"
    if not secure and (forces or (wants and server["tls"] is not None)):
        return _moved(308, f"https://{name}{request.path}")
    return None


def _moved(code: int, where: str) -> Reply:
    page = error_page("nginx", code)
    return page._replace(headers={**page.headers, "Location": where})


def _seen(reply: Reply, server: JSON, secure: bool) -> Reply:
    if not secure or server["tls"] is None:
        return reply
    return reply._replace(headers={**reply.headers, **_HSTS})


def _normal(path: str) -> str | None:
    """A path without ``.``, ``..`` and empty parts, as nginx compares it; None when it leads out of the root."""
    parts: list[str] = []
    for part in path.split("/")[1:]:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    end = "/" if parts and path.endswith(("/", "/.", "/..")) else ""
    return f"/{'/'.join(parts)}{end}"


def _passed_on(request: Request, uri: str, host: str, ident: str, secure: bool) -> str:
    scheme, port = ("https", "443") if secure else ("http", "80")
    headers = {
        "Host": host,
        "X-Request-ID": request.headers.get("x-request-id") or ident,
        "X-Real-IP": request.peer,
        "X-Forwarded-For": request.peer,
        "X-Forwarded-Host": host,
        "X-Forwarded-Port": port,
        "X-Forwarded-Proto": scheme,
        "X-Forwarded-Scheme": scheme,
        "X-Scheme": scheme,
    }
    for name, value in request.headers.items():
        if name not in _OWN and name != "host":
            headers[name.title()] = value
    if request.body or request.method not in ("GET", "HEAD"):
        headers["Content-Length"] = str(len(request.body))
    headers["Connection"] = "close"
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{request.method} {uri} HTTP/1.1\r\n{head}\r\n{request.body}"
