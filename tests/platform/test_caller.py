"""Who is calling: a proxy is believed when it is named, nobody else is; origins are scheme, host and port."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from config.caller import FORWARDED, BehindProxies, behind_proxies, same_origin
from config.networks import network_of


def scope_of(client: str | None, kind: str = "http", **headers: str) -> Any:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": kind,
        "scheme": "ws" if kind == "websocket" else "http",
        "client": (client, 5) if client else None,
        "headers": [(b"host", b"learn.example"), *named],
    }


#: Who connects, what X-Forwarded-For says, whose call it is. 10.0.0.0/8 and ::1 are trusted.
CALLS = [
    ("a stranger", "203.0.113.9", "198.51.100.1", "203.0.113.9"),
    ("a stranger from the loopback", "127.0.0.1", "198.51.100.1", "127.0.0.1"),
    ("a proxy", "10.0.0.1", "198.51.100.1", "198.51.100.1"),
    ("a proxy over IPv6", "::1", "2001:db8::5", "2001:db8::5"),
    ("what the client itself wrote counts not", "10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
    ("two proxies", "10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
    ("two proxies, and a lie", "10.0.0.1", "9.9.9.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
    ("only proxies", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ("nonsense", "10.0.0.1", "unknown", "10.0.0.1"),
    ("nonsense behind a proxy", "10.0.0.1", "x, 10.0.0.2", "10.0.0.2"),
    ("nothing", "10.0.0.1", "", "10.0.0.1"),
]


@pytest.fixture(autouse=True)
def _proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8"), ip_network("::1")]


@pytest.mark.parametrize(
    ("client", "said", "expected"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS]
)
def test_the_address(client: str, said: str, expected: str) -> None:
    settled = behind_proxies(scope_of(client, x_forwarded_for=said, x_real_ip="1.1.1.1"))
    assert settled["client"][0] == expected
    assert not {name for name, _ in settled["headers"]} & FORWARDED


@pytest.mark.parametrize(
    ("client", "kind", "said", "scheme"),
    [
        ("10.0.0.1", "http", "https", "https"),
        ("10.0.0.1", "websocket", "https", "wss"),
        ("10.0.0.1", "http", "http, https", "https"),
        ("10.0.0.1", "http", "gopher", "http"),
        ("203.0.113.9", "http", "https", "http"),
        ("203.0.113.9", "websocket", "https", "ws"),
    ],
)
def test_the_scheme(client: str, kind: str, said: str, scheme: str) -> None:
    assert behind_proxies(scope_of(client, kind, x_forwarded_proto=said))["scheme"] == scheme


def test_a_long_chain_and_no_client() -> None:
    chain = ", ".join(["198.51.100.1", *["10.0.0.9"] * 40])
    assert behind_proxies(scope_of("10.0.0.1", x_forwarded_for=chain))["client"][0] == "10.0.0.9"
    assert behind_proxies(scope_of(None, x_forwarded_for="1.2.3.4"))["client"] is None


def test_nothing_else_is_touched() -> None:
    seen: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    for scope in ({"type": "lifespan"}, scope_of("203.0.113.9", accept="*/*")):
        async_to_sync(BehindProxies(inner))(scope, None, None)  # type: ignore[arg-type]
        assert seen.pop() == scope


NETWORKS = [
    ("192.0.2.7", "192.0.2.7"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
    ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ("::ffff:192.0.2.7", "192.0.2.7"),
    ("", ""),
    ("unix", ""),
]


@pytest.mark.parametrize(("address", "expected"), NETWORKS)
def test_whom_a_stranger_is_counted_with(address: str, expected: str) -> None:
    assert network_of(address) == expected


#: Scheme of the connection, Host, Origin (None: none), whether it is ours.
ORIGINS = [
    ("ours", "http", "learn.example", "http://learn.example", True),
    ("ours, for a socket", "ws", "learn.example", "http://learn.example", True),
    ("ours, secure", "wss", "learn.example", "https://learn.example", True),
    ("the default port, spelled", "https", "learn.example:443", "https://learn.example", True),
    ("in capitals", "http", "Learn.Example:8000", "http://learn.example:8000", True),
    ("another port", "ws", "learn.example:8000", "http://learn.example:8001", False),
    ("no port", "ws", "learn.example:8000", "http://learn.example", False),
    ("another scheme", "wss", "learn.example", "http://learn.example", False),
    ("another scheme, same port", "http", "learn.example:8000", "https://learn.example:8000", False),
    ("another host", "http", "learn.example", "http://evil.example", False),
    ("a longer host", "http", "learn.example", "http://learn.example.evil", False),
    ("a sandboxed frame", "http", "learn.example", "null", False),
    ("a file", "http", "learn.example", "file://learn.example", False),
    ("an extension", "http", "learn.example", "chrome-extension://learn.example", False),
    ("a port that is none", "http", "learn.example", "http://learn.example:x", False),
    ("with a path", "http", "learn.example", "http://learn.example/x", False),
    ("trusted by name", "http", "learn.example", "https://teach.example", True),
    ("trusted by name, another port", "http", "learn.example", "https://teach.example:8443", False),
    ("none", "http", "learn.example", None, False),
]


@pytest.mark.parametrize(
    ("scheme", "host", "origin", "ours"), [row[1:] for row in ORIGINS], ids=[row[0] for row in ORIGINS]
)
def test_origins(settings: Any, scheme: str, host: str, origin: str | None, ours: bool) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://teach.example"]
    headers = {"host": host} | ({"origin": origin} if origin is not None else {})
    assert same_origin({"type": "http", "scheme": scheme}, headers) is ours


def test_without_an_origin_the_browser_may_still_say_so() -> None:
    scope = {"type": "http", "scheme": "http"}
    for site, ours in (("same-origin", True), ("same-site", False), ("cross-site", False), ("none", False)):
        assert same_origin(scope, {"host": "learn.example", "sec-fetch-site": site}) is ours
