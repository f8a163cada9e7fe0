"""What ``wget`` and ``curl`` have in common: URLs and the call to the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cluster_engine.shell.context import Context


@dataclass(frozen=True, slots=True)
class Url:
    """An http URL."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The network's answer: a reply, or why there is none."""

    error: str = ""
    address: str = ""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def parse(text: str) -> Url | None:
    """None when the text is no URL that could be fetched."""
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "http", text
    authority, slash, path = rest.partition("/")
    authority = authority.rpartition("@")[2]
    host, colon, port = authority.partition(":")
    if colon and not (port.isdigit() and len(port) < 6):
        return None
    default = 443 if scheme == "https" else 80
    return Url(scheme.lower(), host, int(port) if colon else default, slash + path if slash else "/")


async def fetch(ctx: Context, url: Url, method: str, headers: dict[str, str], body: bytes) -> Answer:
    """Asks the network; see ``Script`` for the other side."""
    data: dict[str, Any] = await ctx.call(
        "http",
        {
            "scheme": url.scheme,
            "host": url.host,
            "port": url.port,
            "path": url.path,
            "method": method,
            "headers": headers,
            "body": body.decode("latin-1"),
        },
    )
    return Answer(
        data.get("error", ""),
        data.get("address", ""),
        data.get("status", 0),
        tuple((k, v) for k, v in data.get("headers", {}).items()),
        data.get("body", "").encode("latin-1"),
    )
