"""The fork in front of everything: who serves what, and how large a request may be."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from config.doors import BODY_LIMIT, ClusterDoor

CASES = [
    ("a page", "http", "/lessons/pods/", "others"),
    ("a cluster", "http", "/clusters/x/api", "clusters"),
    ("an exec", "websocket", "/clusters/x/api", "clusters"),
    ("a tab", "websocket", "/runs/x/socket/", "others"),
    ("not quite a cluster", "http", "/clusters", "others"),
]


class Inner:
    def __init__(self) -> None:
        self.seen: list[str] = []
        self.closed = False

    def app(self, name: str) -> Any:
        async def serve(scope: Any, receive: Any, send: Any) -> None:
            self.seen.append(name)
            if scope["type"] == "http":
                while (await receive()).get("more_body"):
                    pass

        return serve


async def run(scope: Any, chunks: list[bytes] | None = None) -> tuple[list[str], list[Any]]:
    inner = Inner()
    messages = [{"body": chunk, "more_body": True, "type": "http.request"} for chunk in chunks or []]
    messages.append({"body": b"", "more_body": False, "type": "http.request"})
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await ClusterDoor(inner.app("clusters"), inner.app("others"))(scope, receive, send)
    return inner.seen, sent


@pytest.mark.parametrize(
    ("kind", "path", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_who_serves(kind: str, path: str, expected: str) -> None:
    seen, _ = asyncio.run(run({"type": kind, "path": path, "headers": []}))
    assert seen == [expected]


LARGE = [
    ("at the limit", [], [b"x" * BODY_LIMIT], 0),
    ("announced", [(b"content-length", str(BODY_LIMIT + 1).encode())], [], 413),
    ("nonsense", [(b"content-length", b"-4")], [], 413),
    ("unannounced", [], [b"x" * BODY_LIMIT, b"y"], 413),
]


@pytest.mark.parametrize(
    ("headers", "chunks", "status"), [row[1:] for row in LARGE], ids=[row[0] for row in LARGE]
)
def test_size(headers: Any, chunks: list[bytes], status: int) -> None:
    _, sent = asyncio.run(run({"type": "http", "path": "/api/v1/me/", "headers": headers}, chunks))
    assert [message["status"] for message in sent if "status" in message] == ([status] if status else [])
    if status:
        assert json.loads(sent[1]["body"])["error"] == "The request is larger than 4 MiB."


class Slow:
    """A client that sends part of its body and then nothing."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.sent: list[Any] = []
        self.begun = False

    async def receive(self) -> Any:
        if not self.begun:
            self.begun = True
            return {"type": "http.request", "body": b"x" * self.size, "more_body": True}
        return await asyncio.sleep(3600)

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"]) if self.sent else 0


@pytest.mark.parametrize("path", ["/api/v1/me/", "/clusters/x/api"])
def test_bodies_that_do_not_come(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half-sent bodies are bounded in time and, all together, in bytes; then others are served again."""
    monkeypatch.setattr("config.doors.BODIES_BYTES", 5_000)
    monkeypatch.setattr("config.doors.BODY_SECONDS", 0.1)
    inner = Inner()
    door = ClusterDoor(inner.app("clusters"), inner.app("others"))
    scope = {"type": "http", "path": path, "headers": []}
    clients = [Slow(1_000) for _ in range(8)]

    async def scene() -> None:
        await asyncio.gather(*(door(dict(scope), client.receive, client.send) for client in clients))

    asyncio.run(scene())
    assert [client.status for client in clients] == [408] * 5 + [503] * 3
    assert door.bodies.held == 0


COMING = [
    ("of the process", "COMING", ["203.0.113.1", "203.0.113.2", "203.0.113.3"], "203.0.113.4"),
    ("of an address", "COMING_FROM_ONE", ["203.0.113.1"] * 3, "203.0.113.1"),
    ("of an IPv6 network", "COMING_FROM_ONE", [f"2001:db8::{n}" for n in "abc"], "2001:db8::d"),
]


@pytest.mark.parametrize("path", ["/api/v1/me/", "/clusters/x/api"])
@pytest.mark.parametrize(
    ("limit", "callers", "refused"), [row[1:] for row in COMING], ids=[row[0] for row in COMING]
)
def test_how_many_half_sent_bodies_are_waited_for(
    path: str, limit: str, callers: list[str], refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more is refused at once; whole ones and other callers' are served, and when time is up all are gone."""
    monkeypatch.setattr(f"config.doors.{limit}", 3)
    monkeypatch.setattr("config.doors.BODY_SECONDS", 0.2)
    inner = Inner()
    door = ClusterDoor(inner.app("clusters"), inner.app("others"))

    def scope(caller: str) -> Any:
        return {"type": "http", "path": path, "headers": [], "client": (caller, 1)}

    async def scene() -> tuple[list[int], int, int]:
        slow = [Slow(10) for _ in callers]
        held = [
            asyncio.ensure_future(door(scope(caller), one.receive, one.send))
            for caller, one in zip(callers, slow, strict=True)
        ]
        await asyncio.sleep(0)
        more = Slow(10)
        await door(scope(refused), more.receive, more.send)
        other = Slow(10)
        if limit == "COMING_FROM_ONE":
            waits = asyncio.ensure_future(door(scope("198.51.100.7"), other.receive, other.send))
            await asyncio.sleep(0)
            assert not other.sent
            held.append(waits)
        await asyncio.gather(*held)
        return [one.status for one in slow], more.status, other.status

    told, at_once, elsewhere = asyncio.run(scene())
    assert (told, at_once) == ([408] * 3, 429)
    assert elsewhere == (408 if limit == "COMING_FROM_ONE" else 0)
    assert not door.bodies.half_sent.waited
