"""Connections out of the terminal's machine: what goes which way, and the limits, with a line that is played."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cluster_engine.terminal import outward
from cluster_engine.terminal.outward import LineError, Outward

LIMIT = 30


class Played:
    """A machine that notes what it is told, a dialer, and the lines that it has dialed."""

    def __init__(self, reason: str = "") -> None:
        self.told: list[tuple[Any, ...]] = []
        self.reason = reason
        self.sent: list[tuple[bytes, bool]] = []
        self.comes: asyncio.Queue[bytes | LineError] = asyncio.Queue()
        self.hung_up = 0
        self.tasks: list[asyncio.Task[None]] = []
        self.outward = Outward(lambda: self, lambda: self, self.spawn, self.turn, lambda: None)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in ("connected", "failed", "received", "closed", "acked", "resolved"):
            raise AttributeError(name)
        return lambda *given: self.told.append((name, *given))

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.ensure_future(coroutine))

    async def turn(self) -> None:
        """It is always one's turn."""

    def addresses(self, name: str) -> list[str]:
        return ["172.18.0.3"] if name == "worker-1" else []

    async def dial(self, ip: str, port: int) -> Played:
        if self.reason:
            raise LineError(self.reason)
        return self

    async def send(self, data: bytes, *, end: bool) -> None:
        self.sent.append((data, end))

    async def read(self) -> bytes:
        found = await self.comes.get()
        if isinstance(found, LineError):
            raise found
        return found

    async def close(self) -> None:
        self.hung_up += 1

    async def until(self, *told: Any) -> None:
        async with asyncio.timeout(LIMIT):
            while told not in self.told:
                await asyncio.sleep(0)


def play(scenario: Callable[[Played], Coroutine[Any, Any, None]], reason: str = "") -> Played:
    async def whole() -> Played:
        played = Played(reason)
        await scenario(played)
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(*played.tasks)
        assert not played.outward.busy
        return played

    return asyncio.run(whole())


def test_both_directions_to_the_end() -> None:
    async def scenario(played: Played) -> None:
        played.outward.connect("s", "172.18.0.3", 80)
        await played.until("connected", "s")
        played.outward.send("s", "GET")
        played.outward.send("s", " /\xff")
        played.outward.shutdown("s")
        await played.until("acked", "s", 6)
        played.comes.put_nowait(b"ok\xff")
        played.comes.put_nowait(b"")
        await played.until("closed", "s")
        played.outward.close("s")

    played = play(scenario)
    assert b"".join(data for data, _ in played.sent) == b"GET /\xff"
    assert [end for _, end in played.sent] == [False] * (len(played.sent) - 1) + [True]
    assert ("received", "s", "ok\xff") in played.told
    assert played.hung_up == 1


def test_what_breaks_is_told_once() -> None:
    async def scenario(played: Played) -> None:
        played.outward.connect("s", "172.18.0.3", 80)
        played.comes.put_nowait(LineError("reset"))
        await played.until("failed", "s", "reset")

    played = play(scenario)
    assert played.told == [("connected", "s"), ("failed", "s", "reset")]
    assert played.hung_up == 1


def test_no_connection() -> None:
    async def scenario(played: Played) -> None:
        played.outward.connect("s", "172.18.0.3", 81)
        await played.until("failed", "s", "refused")

    assert play(scenario, "refused").hung_up == 0


def test_names() -> None:
    async def scenario(played: Played) -> None:
        played.outward.resolve("c", "worker-1")
        played.outward.resolve("d", "web")
        await played.until("resolved", "d", "not found")

    assert play(scenario).told[0] == ("resolved", "c", ["172.18.0.3"])


def test_more_is_not_read_than_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outward, "UNREAD", 3)

    async def scenario(played: Played) -> None:
        played.outward.connect("s", "172.18.0.3", 80)
        for piece in (b"abcd", b"e"):
            played.comes.put_nowait(piece)
        await played.until("received", "s", "abcd")
        for _ in range(20):
            await asyncio.sleep(0)
        assert ("received", "s", "e") not in played.told
        played.outward.took("s", 4)
        await played.until("received", "s", "e")
        played.outward.close("s")

    play(scenario)


def test_one_connection_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outward, "WAYS", 1)

    async def scenario(played: Played) -> None:
        played.outward.connect("s", "172.18.0.3", 80)
        played.outward.connect("t", "172.18.0.3", 80)
        await played.until("failed", "t", "refused")
        played.outward.close("s")

    play(scenario)
