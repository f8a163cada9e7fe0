"""Copies of a lesson's cluster, each with a terminal of its own, for blocks that do not build on the others.

A copy is taken of the cluster as it was at the start, or after a block that has a name; for that the blocks above are
run on a copy once more, whatever the reader has done. What a copy and its files become is nobody's afterwards.
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from config.doors import Receive, Scope, Send

from cluster_engine.cluster import Cluster
from cluster_engine.release import release
from cluster_engine.serving import ClusterApp, Driver, Pacer
from cluster_engine.serving.application import Resolve
from labs.kit import blocks, runner
from labs.kit.blocks import Block
from labs.kit.picture import picture
from runs.host.terminal import Terminal
from runs.host.why import explain
from runs.reasons import typed


class Host(Protocol):
    """What a copy asks of the host."""

    pacer: Pacer

    @property
    def tokens(self) -> MutableMapping[str, Any]:
        """The terminals' own way in."""


class Owner(Protocol):
    """What is asked of the run."""

    run_id: uuid.UUID
    lab: Any
    cluster: Cluster

    @property
    def host(self) -> Host:
        """Which holds the run."""

    @property
    def url(self) -> str:
        """Where the host of the run answers."""

    @property
    def scratch(self) -> Path:
        """The folder in which confined programs get theirs."""

    def touch(self) -> None:
        """Somebody is using it."""

    def used(self) -> Any:
        """Somebody asks it something inside. Raises `HostError` where its user does so too often."""

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        """What ``fn(*args)`` returns, off the event loop."""


@dataclass(frozen=True, slots=True)
class _Base:
    """What copies are taken of."""

    cluster: Cluster
    files: dict[str, bytes]


class Copy:
    """A cluster that is gone when its block has run. It is reached as its terminal reaches a run."""

    def __init__(self, owner: Owner, base: _Base, resolve: Resolve) -> None:
        self._owner = owner
        self.run_id = owner.run_id
        self.token = secrets.token_urlsafe(32)
        self.url, self.scratch = owner.url, owner.scratch
        self.closed = False
        self.serving: set[asyncio.Task[None]] = set()
        self.cluster = base.cluster.fork()
        self.driver = Driver(self.cluster, "max", pacer=owner.host.pacer)
        self.app = ClusterApp(self.cluster, driver=self.driver, resolve=resolve)
        self.terminal = Terminal(self, base.files)

    def touch(self) -> None:
        """Whoever uses the copy uses the run."""
        self._owner.touch()

    def abandon(self) -> None:
        """It has no journal that could be lost."""

    @contextmanager
    def used(self) -> Iterator[None]:
        """Somebody asks it something inside. Raises `HostError` where its user does so too often."""
        with self._owner.used():
            yield

    async def answer(self, scope: Scope, receive: Receive, send: Send, typed: bool) -> None:
        """The Kubernetes API."""
        await self.app(scope, receive, send)

    def now(self) -> int:
        """The time of the cluster, µs."""
        self.driver.catch_up()
        return self.cluster.clock.now

    def go_to(self, due: int) -> bool:
        """Somebody sleeps until then (µs): whether time goes there at once."""
        return self.driver.go_to(due)

    async def typed_time(self, words: list[str]) -> str:
        """Raises ValueError: a script needs nothing but `sleep` of it."""
        raise ValueError(f"time {words[0]}: time stands beside a lesson, and leaps while a block waits")

    async def typed_why(self, what: dict[str, Any]) -> str:
        """What `why` says of an object. Raises HostError."""
        return typed(explain(self.cluster, what))

    async def typed_hint(self, what: dict[str, Any]) -> str:
        """Raises ValueError: a lesson has no checks."""
        raise ValueError("beside a lesson nothing is checked")

    async def inject(self, what: dict[str, Any]) -> None:
        """What `fault` does. Raises ValueError."""
        await self.app.fault(what)

    async def note_file(self, path: str, content: bytes | None) -> None:
        """Its files are nobody's afterwards."""

    async def close(self) -> None:
        """Leave nothing of it but its files."""
        self.closed = True
        tasks = list(self.serving)
        for task in tasks:
            task.cancel()
        self.driver.stop()
        await self.terminal.close()
        await asyncio.gather(*tasks, return_exceptions=True)


class Copies:
    """Those of one run, one at a time."""

    def __init__(self, owner: Owner, resolve: Resolve) -> None:
        self._owner = owner
        self._resolve = resolve
        self._turn = asyncio.Lock()
        self._bases: dict[str, _Base] = {}

    async def run(
        self,
        all_blocks: tuple[Block, ...],
        block: Block,
        run: Callable[[Terminal, tuple[Block, ...], Block], Awaitable[dict[str, Any]]],
    ) -> dict[str, Any]:
        """Run the block, which says what it is a copy of; `run` is what runs one in a terminal."""
        async with self._turn:
            told: list[dict[str, Any]] = []
            base, name = await self._start(), block.own or ""
            if name and name not in self._bases:
                async with self._copy(base) as copy:
                    for each in blocks.below(all_blocks, name):
                        told.append(await run(copy.terminal, all_blocks, each))
                        if told[-1]["status"] != 0:
                            return _answer(told, copy.cluster)
                    self._bases[name] = _Base(copy.cluster.fork(), copy.terminal.contents())
            async with self._copy(self._bases[name]) as copy:
                told = [await run(copy.terminal, all_blocks, block)]
                return _answer(told, copy.cluster)

    def close(self) -> None:
        """Take apart what copies are taken of."""
        for base in self._bases.values():
            release(base.cluster)
        self._bases.clear()

    async def _start(self) -> _Base:
        if "" not in self._bases:
            options = self._owner.cluster.options
            cluster = await self._owner.in_thread(runner.boot, self._owner.lab, options.seed, options.start)
            self._bases[""] = _Base(cluster, {})
        return self._bases[""]

    @asynccontextmanager
    async def _copy(self, base: _Base) -> AsyncIterator[Copy]:
        copy = Copy(self._owner, base, self._resolve)
        tokens = self._owner.host.tokens
        tokens[copy.token] = copy
        copy.driver.start()
        try:
            yield copy
        finally:
            tokens.pop(copy.token, None)
            await copy.close()
            release(copy.cluster)


def _answer(told: list[dict[str, Any]], cluster: Cluster) -> dict[str, Any]:
    return {"ran": told, "now": cluster.now, "picture": picture(cluster), "copy": True}
