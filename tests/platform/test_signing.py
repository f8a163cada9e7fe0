"""Requests to hosts: signed for one host, one request, one moment, and taken once."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from runs import signing
from runs.host.edge import Edge
from runs.hosting import MISDIRECTED
from runs.signing import SIGNATURE_HEADER, ForgedError, Verifier, sign

EMPTY = hashlib.sha256(b"").hexdigest()


def test_what_is_signed_is_taken_once() -> None:
    verifier = Verifier("a")
    value = sign("a", "POST", "/check/1", b"{}")
    assert verifier.check(value, "POST", "/check/1") == hashlib.sha256(b"{}").hexdigest()
    with pytest.raises(ForgedError, match="used before"):
        verifier.check(value, "POST", "/check/1")
    assert verifier.check(sign("a", "GET", "/check/1"), "GET", "/check/1") == EMPTY


def swapped(index: int, word: str) -> Callable[[str], str]:
    def change(value: str) -> str:
        words = value.split(" ")
        words[index] = word
        return " ".join(words)

    return change


FORGED: list[tuple[str, str, str, str, Callable[[str], str]]] = [
    ("another host", "b", "GET", "/x", str),
    ("another method", "a", "PUT", "/x", str),
    ("another path", "a", "GET", "/y", str),
    ("a query more", "a", "GET", "/x?a", str),
    ("another time", "a", "GET", "/x", swapped(0, "9999999999.000")),
    ("another nonce", "a", "GET", "/x", swapped(1, "00")),
    ("another body", "a", "GET", "/x", swapped(2, "00")),
    ("another mac", "a", "GET", "/x", swapped(3, "00")),
    ("not ASCII", "a", "GET", "/x", swapped(3, "\xff")),
    ("nothing", "a", "GET", "/x", lambda value: ""),
    ("too much", "a", "GET", "/x", lambda value: value + " x"),
]


@pytest.mark.parametrize(
    ("host", "method", "target", "change"), [row[1:] for row in FORGED], ids=[row[0] for row in FORGED]
)
def test_forged(host: str, method: str, target: str, change: Callable[[str], str]) -> None:
    with pytest.raises(ForgedError):
        Verifier(host).check(change(sign("a", "GET", "/x")), method, target)


@pytest.mark.parametrize(("age", "taken"), [(0, True), (29, True), (-29, True), (31, False), (-31, False)])
def test_the_window(monkeypatch: pytest.MonkeyPatch, age: float, taken: bool) -> None:
    now = 1_800_000_000.0
    monkeypatch.setattr(signing.time, "time", lambda: now - age)
    value = sign("a", "GET", "/x")
    monkeypatch.setattr(signing.time, "time", lambda: now)
    if taken:
        Verifier("a").check(value, "GET", "/x")
    else:
        with pytest.raises(ForgedError, match="clocks"):
            Verifier("a").check(value, "GET", "/x")


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "REMEMBERED", 3)
    verifier = Verifier("a")
    values = [sign("a", "GET", "/x") for _ in range(5)]
    for value in values:
        verifier.check(value, "GET", "/x")
    assert len(verifier._seen) == 3
    with pytest.raises(ForgedError):
        verifier.check(values[-1], "GET", "/x")


def test_another_secret(settings: object) -> None:
    value = sign("a", "GET", "/x")
    settings.HOST_SECRET = "another-secret-of-an-installation"  # type: ignore[attr-defined]
    with pytest.raises(ForgedError, match="wrong signature"):
        Verifier("a").check(value, "GET", "/x")


@pytest.mark.parametrize("age", [31, -31])
def test_who_signed_before_the_clock_jumped_signs_anew(monkeypatch: pytest.MonkeyPatch, age: float) -> None:
    """As for a run that is not there: `hosting.send` looks again, and signs again. Nothing was done by then."""
    edge = Edge(cast(Any, SimpleNamespace(name="a", hung=False, runs={}, tokens={})))
    now, path = signing.time.time(), f"/clusters/{uuid.uuid4()}/version"
    monkeypatch.setattr(signing.time, "time", lambda: now - age)
    header = (SIGNATURE_HEADER.encode(), sign("a", "GET", path).encode())
    monkeypatch.setattr(signing.time, "time", lambda: now)
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [header],
    }  # fmt: skip
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    asyncio.run(edge(scope, receive, send))
    assert sent[0]["status"] == MISDIRECTED
