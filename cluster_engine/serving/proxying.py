"""Requests that the API server passes on to a Pod or a Service (the subresource proxy), and their answers.

The request is journaled as the opening of a session, its bytes as they leave; the answer comes in virtual time.

Models k8s.io/apimachinery/pkg/util/proxy (UpgradeAwareHandler, Transport).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from cluster_engine.kube_apiserver import Request, Response
from cluster_engine.kube_apiserver.requests import parse
from cluster_engine.kube_apiserver.subresources.proxy import unreachable

PATIENCE = 60.0
"""Seconds that a client waits, by the wall clock: the API server's --request-timeout."""
_OWN = (
    "authorization",
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
)
"""Headers that concern one connection, or whoever reads them first."""
_NOT_BACK = ("connection", "content-length", "keep-alive", "transfer-encoding", "trailer")


class Answer:
    """What comes back. It is the session's ``Listener``."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.text = b""
        self.failure: dict[str, Any] | None = None

    def output(self, fd: int, data: bytes) -> None:
        """The answer's bytes."""
        self.text += data

    def closed(self, stream: int, why: str) -> None:
        """It has one connection only."""

    def ended(self, status: int) -> None:
        """It is complete."""
        self.over.set()

    def failed(self, status: dict[str, Any]) -> None:
        """There is none; the Status says why."""
        self.failure = status
        self.over.set()


def is_proxied(request: Request) -> bool:
    """Whether the request is to be passed on to a Pod or a Service."""
    info = parse(request)
    return info.subresource == "proxy" and not info.group and info.resource in ("pods", "services")


def redirect(request: Request) -> Response | None:
    """Who asks for the root without a slash is sent to the one with it (proxyRedirectsforRootPath)."""
    if _rest(request) or request.method not in ("GET", "HEAD"):
        return None
    query = f"?{urlencode(request.query)}" if request.query else ""
    return Response(301, {"location": f"{request.path}/{query}"}, b"")


def _rest(request: Request) -> str:
    """The path within the Pod, as it was written; "" when there is not even a slash."""
    _, _, rest = request.path.partition("/proxy")
    return rest


def outgoing(request: Request) -> Request:
    """The request whose body is what the Pod gets."""
    query = f"?{urlencode(request.query, quote_via=quote)}" if request.query else ""
    host = request.headers.get("host", "kubernetes")
    lines = [f"{request.method} {_rest(request)}{query} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if _passes(name)]
    lines += [f"X-Forwarded-Uri: {request.path}", "Connection: close"]
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(request.body)}")
    head = "".join(f"{line}\r\n" for line in lines)
    return replace(request, headers={}, body=f"{head}\r\n".encode("latin-1", "replace") + request.body)


def _passes(name: str) -> bool:
    return name not in _OWN and not name.startswith("impersonate-")


def incoming(request: Request, answer: Answer) -> Response:
    """The client's answer."""
    if answer.failure is not None:
        return _status(answer.failure)
    head, _, body = answer.text.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal() or len(words[1]) != 3:
        broken = f'HTTP/1.x transport connection broken: malformed HTTP response "{first[:64]}"'
        return _status(unreachable(f"net/http: {broken}"))
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name.lower() not in _NOT_BACK:
            headers[name.strip().lower()] = value.strip()
    place = headers.get("location", "")
    if place.startswith("/") and not place.startswith("//"):
        headers["location"] = request.path[: len(request.path) - len(_rest(request))] + place
    return Response(int(words[1]), headers, body)


def late() -> Response:
    """Nothing came in time."""
    text = "Timeout: request did not complete within the allotted timeout"
    return _status({"code": 504, "reason": "Timeout", "message": text})


def _status(status: dict[str, Any]) -> Response:
    whole = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", **status}
    return Response(whole["code"], {"content-type": "application/json"}, orjson.dumps(whole))
