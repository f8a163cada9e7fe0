"""A link on an event loop: what it sends in which pieces, and what becomes of what nobody reads."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from cluster_engine.network import WORKSTATION, LinkListener
from cluster_engine.serving import Link, LinkError, links


class App:
    """A cluster that connects at once, or fails."""

    def __init__(self, reason: str = "", full: bool = False) -> None:
        self.cluster = SimpleNamespace(outside=SimpleNamespace(full=full))
        self.reason = reason
        self.noted: list[tuple[str, dict[str, Any]]] = []

    async def open_link(self, source: str, ip: str, port: int, listener: LinkListener) -> str:
        self.listener = listener
        if self.reason:
            listener.failed(self.reason)
        else:
            listener.connected()
        return "l7"

    async def note(self, kind: str, payload: dict[str, Any]) -> None:
        self.noted.append((kind, payload))

    def waiting(self) -> AbstractContextManager[None]:
        return nullcontext()


async def connected(app: App) -> Link:
    link = Link(app, WORKSTATION)
    await link.connect("172.18.0.3", 80)
    return link


def test_long_texts_go_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        monkeypatch.setattr(links, "PIECE", 4)
        app = App()
        link = await connected(app)
        await link.send(b"abcdefghi\xff", end=True)
        await link.close()
        await link.close()
        given = {"source": WORKSTATION, "link": "l7"}
        assert app.noted == [
            ("link/input", {**given, "data": "abcd"}),
            ("link/input", {**given, "data": "efgh"}),
            ("link/input", {**given, "data": "i\xff", "end": True}),
            ("link/close", given),
        ]

    asyncio.run(scene())


def test_what_nobody_reads_ends_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        monkeypatch.setattr(links, "BACKLOG", 5)
        app = App()
        link = await connected(app)
        app.listener.received("abc")
        assert await link.read() == b"abc"
        app.listener.received("abc")
        app.listener.received("def")
        with pytest.raises(LinkError, match="full"):
            await link.read()
        await link.close()
        assert [kind for kind, _ in app.noted] == ["link/close"]

    asyncio.run(scene())


def test_the_end_comes_after_what_was_sent() -> None:
    async def scene() -> None:
        app = App()
        link = await connected(app)
        app.listener.received("abc")
        app.listener.closed()
        assert [await link.read(), await link.read()] == [b"abc", b""]
        app.listener.failed("reset")
        with pytest.raises(LinkError, match="reset"):
            await link.read()
        await link.close()
        assert app.noted == [], "the network has forgotten it already"

    asyncio.run(scene())


@pytest.mark.parametrize(("app", "reason"), [(App("refused"), "refused"), (App(full=True), "full")])
def test_no_connection(app: App, reason: str) -> None:
    with pytest.raises(LinkError, match=reason):
        asyncio.run(connected(app))
    assert app.noted == []
