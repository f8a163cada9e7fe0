"""Every limit of the rooms that host runs, crossed."""

from __future__ import annotations

import asyncio
import math
import uuid
from types import SimpleNamespace
from typing import Any, cast

import pytest
from runs import hosting, upstream
from runs.host import writer
from runs.host.host import EngineHost
from runs.host.hosted import HostedRun
from runs.host.writer import JournalRefusedError, JournalWriter
from runs.journal import Lot, Record
from runs.proxy import access
from runs.registry import Location
from runs.upstream import Upstream

RECORD = Record(1, 0, "request", {})


def test_a_journal_that_is_not_written_is_not_queued_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "QUEUE", 3)
    stuck = JournalWriter()  # never started

    async def scene() -> list[Any]:
        waiting = [asyncio.ensure_future(stuck.write(Lot(uuid.uuid4(), 1, [RECORD]))) for _ in range(5)]
        done, pending = await asyncio.wait(waiting, timeout=0.1)
        for task in pending:
            task.cancel()
        return [task.exception() for task in done]

    errors = asyncio.run(scene())
    assert [type(error) for error in errors] == [JournalRefusedError] * 2
    assert str(errors[0]) == "too many writes are waiting for the database"


def test_what_is_known_of_runs_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "KNOWN_RUNS", 3)
    runs = [uuid.uuid4() for _ in range(5)]
    for run in runs:
        hosting._remember(run, Location("http://127.0.0.1:1", 1, "a"))
    assert list(hosting._known) == runs[2:]


def test_decisions_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "CACHE_SIZE", 3)
    monkeypatch.setattr(access, "_decide_in_thread", lambda run, credentials: access.NOT_FOUND)
    gate = access.Gate()

    async def scene() -> None:
        for _ in range(5):
            await gate.check(uuid.uuid4(), access.Credentials(token="x"))

    asyncio.run(scene())
    assert len(gate._known) == 3


def test_idle_connections_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "MAX_IDLE", 2)

    async def answer(reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.02)
            out.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    async def scene() -> tuple[list[bytes], int]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = Upstream()

        async def ask() -> bytes:
            return await (await client.request("GET", f"http://127.0.0.1:{port}/")).read()

        answers = await asyncio.gather(*(ask() for _ in range(5)))
        kept = sum(len(idle) for idle in client._idle.values())
        await client.aclose()
        server.close()
        return answers, kept

    answers, kept = asyncio.run(scene())
    assert answers == [b"ok"] * 5
    assert kept == 2


def test_a_reply_may_not_be_without_end() -> None:
    async def answer(reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        out.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100_000)

    async def scene() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reply = await Upstream().request("GET", f"http://127.0.0.1:{port}/")
        with pytest.raises(upstream.UpstreamError, match="the answer is larger than 1000 bytes"):
            await reply.read(limit=1000)
        server.close()

    asyncio.run(scene())


@pytest.mark.parametrize(("watched", "given"), [(False, 1), (True, 0)], ids=["nobody", "somebody"])
def test_free_memory_goes_back_when_nobody_is_connected(
    watched: bool, given: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = EngineHost()
    host.runs[uuid.uuid4()] = cast(HostedRun, SimpleNamespace(watched=watched))
    host.upkeep.collected_at = -math.inf
    calls = []
    monkeypatch.setattr("runs.host.upkeep.gc.collect", lambda: None)
    monkeypatch.setattr("runs.host.upkeep.give_back", lambda: calls.append("free"))
    host.upkeep.collect()
    host.upkeep.collect()
    assert len(calls) == given
