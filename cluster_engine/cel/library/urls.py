"""URLs: ``url('https://example.com:80/a?b=c').getHost()``.

Models k8s.io/apiserver/pkg/cel/library/urls.go and Go's net/url.
"""

from __future__ import annotations

import re
from json import dumps

from cluster_engine.cel.errors import CelError
from cluster_engine.cel.library.function import Function, Overload, of_first
from cluster_engine.cel.values import Opaque, Value

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})(.{0,2})", re.DOTALL)
_PORT = re.compile(r"(?::[0-9]*)?")
_PATH_SAFE = "$&+,/:;=@-_.~!'()*[]"


class URL(Opaque):
    """A URL in its parts."""

    type_name = "kubernetes.URL"
    __slots__ = ("host", "path", "query", "scheme", "text")

    def __init__(self, text: str, scheme: str, host: str, path: str, query: str) -> None:
        self.text = text
        self.scheme = scheme
        self.host = host
        self.path = path
        self.query = query

    def __eq__(self, other: object) -> bool:
        return type(other) is URL and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text


def _read(text: str) -> URL:
    """url.ParseRequestURI and url.Parse; raises ValueError with their words."""
    if any(ord(char) < 0x20 or char == "\x7f" for char in text):
        raise ValueError("net/url: invalid control character in URL")
    if not text:
        raise ValueError("empty url")
    match = _SCHEME.match(text)
    scheme, rest = (match.group()[:-1].lower(), text[match.end() :]) if match else ("", text)
    if not match and text[0] != "/":
        first = text.partition("/")[0]
        raise ValueError("missing protocol scheme" if first[0] == ":" else "invalid URI for request")
    if not rest.startswith("/"):
        raise ValueError("invalid URI for request")
    rest = rest.partition("#")[0]
    rest, _, query = rest.partition("?")
    host = ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        host, rest = _host(authority), slash + path
    if bad := _ESCAPE.search(rest):
        raise ValueError(f"invalid URL escape {dumps(bad.group())}")
    return URL(text, scheme, host, rest, query)


def _host(authority: str) -> str:
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        address, bracket, port = host.partition("]")
        if not bracket:
            raise ValueError("missing ']' in host")
    else:
        address, colon, port = host.rpartition(":")
        port = colon + port if colon else ""
        address = address if colon else host
    if not _PORT.fullmatch(port):
        raise ValueError(f"invalid port {dumps(port)} after host")
    if " " in address or any(char in address for char in '<>"'):
        char = next(char for char in address if char in ' <>"')
        raise ValueError(f"invalid character {dumps(char)} in host name")
    return host


def _url(text: str) -> URL:
    try:
        return _read(text)
    except ValueError as error:
        raise CelError(
            f"URL parse error during conversion from string: parse {dumps(text)}: {error}"
        ) from None


def is_url(text: str) -> bool:
    """Whether a text is an absolute URL or path."""
    try:
        _read(text)
    except ValueError:
        return False
    return True


def problem(text: str) -> str:
    """What url.ParseRequestURI says of a text; nothing when it is good."""
    try:
        _read(text)
    except ValueError as error:
        return f"parse {dumps(text)}: {error}"
    return ""


def _hostname(url: URL) -> str:
    if url.host.startswith("["):
        return url.host[1:].partition("]")[0]
    return url.host.rpartition(":")[0] if ":" in url.host else url.host


def _port(url: URL) -> str:
    rest = url.host.partition("]")[2] if url.host.startswith("[") else url.host
    return rest.rpartition(":")[2] if ":" in rest else ""


def _escaped_path(url: URL) -> str:
    return "".join(
        char
        if char in _PATH_SAFE or char == "%" or (char.isascii() and char.isalnum())
        else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
        for char in url.path
    )


def _unescaped(text: str) -> str | None:
    if _ESCAPE.search(text):
        return None
    parts = text.replace("+", " ").split("%")
    raw = parts[0].encode() + b"".join(bytes((int(part[:2], 16),)) + part[2:].encode() for part in parts[1:])
    return raw.decode("utf-8", "replace")


def _query(url: URL) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for part in url.query.split("&"):
        name, _, value = part.partition("=")
        key, content = _unescaped(name), _unescaped(value)
        if part and ";" not in part and key is not None and content is not None:
            found.setdefault(key, []).append(content)
    return found


_U = "kubernetes.URL"

FUNCTIONS = (
    Function("url", Overload("string_to_url", f"(string) -> {_U}", _url, of_first)),
    Function("isURL", Overload("is_url_string", "(string) -> bool", is_url, of_first)),
    Function("getScheme", Overload("url_get_scheme", f"{_U}.() -> string", lambda url: url.scheme)),
    Function("getHost", Overload("url_get_host", f"{_U}.() -> string", lambda url: url.host)),
    Function("getHostname", Overload("url_get_hostname", f"{_U}.() -> string", _hostname)),
    Function("getPort", Overload("url_get_port", f"{_U}.() -> string", _port)),
    Function("getEscapedPath", Overload("url_get_escaped_path", f"{_U}.() -> string", _escaped_path)),
    Function("getQuery", Overload("url_get_query", f"{_U}.() -> map(string, list(string))", _query)),
)
"""One entry for each function."""
