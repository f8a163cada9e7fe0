"""HTTP as the images' servers read it, and what a server does with a talk of several requests."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine.container_runtime.http import BODY_LIMIT, HEAD_LIMIT, http_date, log_time, parse, slashed

END = "\r\n\r\n"
REQUESTS: dict[str, tuple[str, Any]] = {
    "a request": (
        f"GET /a?b HTTP/1.1\r\nHost: x\r\nX-Y: 1 2{END}",
        ("GET", "/a?b", {"host": "x", "x-y": "1 2"}, "", ""),
    ),
    "with a body": (
        f"POST / HTTP/1.1\r\nContent-Length: 3{END}abcGET",
        ("POST", "/", {"content-length": "3"}, "abc", "GET"),
    ),
    "two at once": (
        f"GET /1 HTTP/1.1{END}GET /2 HTTP/1.1{END}",
        ("GET", "/1", {}, "", f"GET /2 HTTP/1.1{END}"),
    ),
    "not all of it": ("GET / HTTP/1.1\r\nHost: x\r\n", None),
    "not all of its body": (f"POST / HTTP/1.1\r\nContent-Length: 3{END}ab", None),
    "nonsense": (f"hello{END}", 400),
    "no version": (f"GET /{END}", 400),
    "a header without a colon": (f"GET / HTTP/1.1\r\nnonsense{END}", 400),
    "a bad length": (f"GET / HTTP/1.1\r\nContent-Length: -1{END}", 400),
    "a body that is too long": (f"GET / HTTP/1.1\r\nContent-Length: {BODY_LIMIT + 1}{END}", 413),
    "headers without end": ("GET / HTTP/1.1\r\n" + "x: y\r\n" * HEAD_LIMIT, 400),
    "a greeting of TLS": ("\x16\x03\x01GET", 400),
}


@pytest.mark.parametrize(("text", "expected"), REQUESTS.values(), ids=REQUESTS.keys())
def test_parse(text: str, expected: Any) -> None:
    found = parse(text, "10.0.0.1", 4_000)
    if expected is None:
        assert found is None
        return
    assert found is not None
    request, rest, status = found
    if isinstance(expected, int):
        assert (request, status) == (None, expected)
    else:
        assert request is not None
        assert (request.method, request.path, dict(request.headers), request.body, rest) == expected
        assert (request.peer, request.peer_port) == ("10.0.0.1", 4_000)


def test_times() -> None:
    at = 1_767_225_600_000_000 + 86_399_000_000
    assert http_date(at // 1_000_000) == "Thu, 01 Jan 2026 23:59:59 GMT"
    assert http_date(at // 1_000_000 + 1) == "Fri, 02 Jan 2026 00:00:00 GMT"
    assert log_time(at) == "01/Jan/2026:23:59:59 +0000"
    assert slashed(at) == "2026/01/01 23:59:59"
