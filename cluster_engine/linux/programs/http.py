"""What `wget` and `curl` share: URLs, requests as bytes, answers read piece by piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

MAX_HEAD = 64 * 1024
"""Bytes of an answer's headers."""
MAX_BODY = 16 << 20
"""Bytes of an answer's body that are taken."""


class Url(NamedTuple):
    """An http or https URL."""

    scheme: str
    host: str
    port: int
    path: str
    user: str = ""

    @property
    def authority(self) -> str:
        """The Host header: the port only when it is not the scheme's own."""
        return (
            self.host if self.port == (443 if self.scheme == "https" else 80) else f"{self.host}:{self.port}"
        )


MAX_REMEMBERED = 512
"""Bytes of a text whose parts are remembered."""


def parse_url(text: str) -> Url | None:
    """None when the text is no URL that could be fetched."""
    return _url(text) if len(text) <= MAX_REMEMBERED else _url.__wrapped__(text)


@lru_cache(64)
def _url(text: str) -> Url | None:
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "http", text
    cut = min((at for at in (rest.find(char) for char in "/?#") if at >= 0), default=len(rest))
    authority, path = rest[:cut], rest[cut:].partition("#")[0]
    user, _, authority = authority.rpartition("@")
    if authority.startswith("["):
        host, _, port = authority[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = authority.partition(":")
    if port and not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65_536):
        return None
    if not host:
        return None
    path = path if path.startswith("/") else "/" + path
    default = 443 if scheme.lower() == "https" else 80
    return Url(scheme.lower(), host, int(port) if port else default, path, user)


def absolute(url: Url, location: str) -> Url | None:
    """Where a redirection leads."""
    if "://" in location:
        return parse_url(location)
    path = location if location.startswith("/") else url.path.rpartition("/")[0] + "/" + location
    return Url(url.scheme, url.host, url.port, path, url.user)


def request(
    url: Url, method: str, headers: Sequence[tuple[str, str]], body: str, version: str = "1.1"
) -> str:
    """The bytes of a request. Over https it comes once the server has shown its certificate (``tls``)."""
    lines = [f"{method} {url.path} HTTP/{version}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines) + "\r\n\r\n" + body


_FRESH: dict[str, Any] = {
    "buffer": "", "status": 0, "reason": "", "version": "", "headers": [], "left": -1, "chunked": False, "size": 0,
    "done": False, "head": "",
}  # fmt: skip


def fresh() -> dict[str, Any]:
    """An answer of which nothing has come yet. ``status`` 0 until the headers are complete."""
    return _FRESH.copy()


def header(answer: Mapping[str, Any], name: str) -> str:
    """A header's value, "" when there is none."""
    return next((value for key, value in answer["headers"] if key.lower() == name), "")


class _Head(NamedTuple):
    version: str
    status: int
    reason: str
    headers: list[list[str]]
    """Shared: never changed."""
    chunked: bool
    length: int
    """-1: until the end."""


@lru_cache(64)
def _head(text: str) -> _Head | None:
    """What stands before an answer's body; None when it is no HTTP."""
    first, *rows = text.split("\r\n")
    words = first.split(" ", 2)
    if not (words[0].startswith("HTTP/") and len(words) > 1 and words[1].isdigit() and len(words[1]) == 3):
        return None
    pairs = [[name.strip(), value.strip()] for name, _, value in (row.partition(":") for row in rows)]
    names = {name.lower(): value for name, value in reversed(pairs)}
    chunked = "chunked" in names.get("transfer-encoding", "").lower()
    length = names.get("content-length", "")
    size = int(length[:12]) if length.isdigit() and not chunked else -1
    return _Head(words[0], int(words[1]), words[2] if len(words) > 2 else "", pairs, chunked, size)


def take(answer: dict[str, Any], text: str, *, no_body: bool = False) -> str | None:
    """Reads on; the part of the body that came, or None when this is no HTTP."""
    text = answer["buffer"] + text
    if answer["status"]:
        answer["buffer"] = text
    else:
        head, mark, rest = text.partition("\r\n\r\n")
        if not mark:
            answer["buffer"] = text
            return "" if len(text) <= MAX_HEAD else None
        known = _head(head)
        if known is None:
            return None
        if 100 <= known.status < 200:
            answer["buffer"] = ""
            return take(answer, rest, no_body=no_body)
        answer["version"], answer["status"], answer["reason"] = known.version, known.status, known.reason
        answer["headers"] = known.headers
        answer["head"], answer["buffer"] = head + "\r\n\r\n", rest
        answer["chunked"], answer["left"] = known.chunked, known.length
        if no_body or known.status in (204, 304):
            answer["left"], answer["chunked"] = 0, False
    body = _chunks(answer) if answer["chunked"] else _plain(answer)
    answer["size"] += len(body)
    if answer["size"] > MAX_BODY:
        return None
    return body


def _plain(answer: dict[str, Any]) -> str:
    text: str = answer["buffer"]
    answer["buffer"] = ""
    if answer["left"] >= 0:
        text = text[: answer["left"]]
        answer["left"] -= len(text)
        answer["done"] = answer["left"] == 0
    return text


def _chunks(answer: dict[str, Any]) -> str:
    out: list[str] = []
    buffer: str = answer["buffer"]
    while True:
        size, mark, rest = buffer.partition("\r\n")
        digits = size.partition(";")[0].strip()
        if not mark or not digits or any(char not in "0123456789abcdefABCDEF" for char in digits):
            break
        length = int(digits[:8], 16)
        if length == 0:
            answer["done"] = True
            buffer = ""
            break
        if len(rest) < length + 2:
            break
        out.append(rest[:length])
        buffer = rest[length + 2 :]
    answer["buffer"] = buffer
    return "".join(out)


def ended(answer: dict[str, Any]) -> bool:
    """The connection is closed: whether the answer is whole."""
    if answer["status"] and answer["left"] < 0 and not answer["chunked"]:
        answer["done"] = True
    return bool(answer["done"])
