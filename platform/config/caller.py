"""Who is at the other end of a connection: address, scheme, origin.

What a proxy says of its client counts only where the proxy's own address is in `TRUSTED_PROXIES`; said by anybody
else it is taken out before anything reads it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host

from config.doors import App, Receive, Scope, Send
from config.networks import network_of

FORWARDED = frozenset(
    b"forwarded x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-forwarded-server "
    b"x-real-ip".split()
)
#: A proxy chain longer than this is somebody's invention.
MAX_HOPS = 16
DEFAULT_PORTS = {"http": 80, "https": 443}
PLAIN_SCHEMES = {"ws": "http", "wss": "https"}


def _is_trusted(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in settings.TRUSTED_PROXIES)


def behind_proxies(scope: Scope) -> Scope:
    """The scope with the client's own address and scheme, and without what proxies (or liars) say of them."""
    said = {
        name.lower(): value.decode("latin-1") for name, value in scope["headers"] if name.lower() in FORWARDED
    }
    settled = dict(scope)
    client = scope.get("client")
    if client is not None and _is_trusted(client[0]):
        for hop in reversed(said.get(b"x-forwarded-for", "").split(",")[-MAX_HOPS:]):
            try:
                address = str(ipaddress.ip_address(hop.strip()))
            except ValueError:
                break
            settled["client"] = (address, 0)
            if not _is_trusted(address):
                break
        scheme = said.get(b"x-forwarded-proto", "").rpartition(",")[2].strip().lower()
        if scheme in DEFAULT_PORTS:
            secure = {"http": "ws", "https": "wss"}
            settled["scheme"] = secure[scheme] if scope["type"] == "websocket" else scheme
    if said:
        settled["headers"] = [(n, v) for n, v in scope["headers"] if n.lower() not in FORWARDED]
    return settled


class BehindProxies:
    """The application inside sees who is calling, whatever stands between."""

    def __init__(self, inner: App) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.inner(scope if scope["type"] == "lifespan" else behind_proxies(scope), receive, send)


def network(request: HttpRequest) -> str:
    """`network_of` for the client of a Django request."""
    return network_of(str(request.META.get("REMOTE_ADDR", "")))


def host_allowed(headers: Mapping[str, str]) -> bool:
    """The Host header names this site (Django checks this for its own pages; beside Django nobody else does)."""
    domain, _port = split_domain_port(headers.get("host", ""))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _origin(text: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, or None for what is no origin."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path or parts.query:
        return None
    return parts.scheme, parts.hostname, port or DEFAULT_PORTS[parts.scheme]


def same_origin(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Whether a browser sent this from one of our own pages: same scheme, host and port, or a trusted origin.

    A cookie alone proves nothing: any page on the web can make the browser send it.
    """
    sent = headers.get("origin", "")
    if not sent:
        return headers.get("sec-fetch-site", "") == "same-origin"
    origin = _origin(sent)
    scheme = str(scope.get("scheme", "http"))
    own = _origin(f"{PLAIN_SCHEMES.get(scheme, scheme)}://{headers.get('host', '')}")
    return origin is not None and origin in (own, *map(_origin, settings.CSRF_TRUSTED_ORIGINS))
