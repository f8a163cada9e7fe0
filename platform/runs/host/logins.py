"""A learner logged in to a node of the cluster from the terminal (`ssh NODE`): a session of the run's journal."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from cluster_engine.serving import ClusterApp
from cluster_engine.sim.journal import pack_bytes
from cluster_engine.terminal.beside import LoginError, Outcome, Output, ReadInput
from runs.host.writer import JournalUnavailableError
from runs.journal import FencedError, JournalFullError

GONE = 255
"""What ssh ends with when its connection ends first."""


class Run(Protocol):
    """What is needed of the run."""

    app: ClusterApp

    def abandon(self) -> None:
        """Its journal cannot be written: let go."""


class Login:
    """One of them. It is the ``Listener`` of its session."""

    handles_signals = False

    def __init__(self, run: Run, host: str, argv: list[str], tty: bool, size: tuple[int, int]) -> None:
        self._run = run
        self._host = host
        self._argv = argv
        self._tty = tty
        self._size = size
        self._came: list[tuple[int, bytes]] = []
        self._changed = asyncio.Event()
        self._status: int | None = None
        self._session = ""
        self._resized: set[asyncio.Task[None]] = set()

    # -- what the terminal asks (terminal.beside.Beside) --------------------------------------------------

    def resize(self, cols: int, rows: int) -> None:
        if self._session and self._tty:
            note = self._note("session/resize", {"columns": cols, "rows": rows})
            task = asyncio.ensure_future(self._kept(note))
            self._resized.add(task)
            task.add_done_callback(self._resized.discard)

    def interrupt(self) -> None:
        self.ended(GONE)

    async def wait(self, stdin: ReadInput, on_output: Output) -> Outcome:
        try:
            self._session = await self._run.app.log_in(self._host, self._argv, self._tty, self)
        except LookupError:
            raise LoginError("unknown") from None
        except (ConnectionError, JournalFullError):
            raise LoginError("unreachable") from None
        except (FencedError, JournalUnavailableError):
            self._run.abandon()
            raise LoginError("unreachable") from None
        self.resize(*self._size)
        typing = asyncio.ensure_future(self._kept(self._type(stdin)))
        try:
            with self._run.app.waiting():
                while self._came or self._status is None:
                    await self._show(on_output)
        finally:
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)
            await self._kept(self._note("session/close", {}))
        return Outcome(self._status or 0)

    async def _show(self, on_output: Output) -> None:
        if not self._came:
            self._changed.clear()
            await self._changed.wait()
        came, self._came = self._came, []
        for fd, data in came:
            await on_output(fd, data)

    async def _type(self, stdin: ReadInput) -> None:
        while (data := await stdin()) is not None:
            await self._note("session/input", {"data": pack_bytes(data)})
        await self._note("session/input", {"end": True})

    async def _note(self, kind: str, payload: dict[str, Any]) -> None:
        if self._session:
            await self._run.app.note(kind, {"session": self._session, **payload})

    async def _kept(self, noting: Coroutine[Any, Any, None]) -> None:
        """Does it; a journal that takes nothing ends the connection."""
        try:
            await noting
        except (FencedError, JournalUnavailableError):
            self._run.abandon()
            self.ended(GONE)
        except JournalFullError:
            self.ended(GONE)

    # -- what the cluster tells (kube_apiserver.sessions.Listener) ----------------------------------------

    def output(self, fd: int, data: bytes) -> None:
        self._came.append((fd, data))
        self._changed.set()

    def closed(self, stream: int, why: str) -> None:
        """It has no connections."""

    def ended(self, status: int) -> None:
        self._status = status if self._status is None else self._status
        self._changed.set()

    def failed(self, status: dict[str, Any]) -> None:
        self.ended(GONE)


class Logins:
    """The nodes of a run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def start(self, host: str, argv: list[str], *, tty: bool, size: tuple[int, int]) -> Login:
        """A command there, begun when it is waited for."""
        return Login(self._run, host, argv, tty, size)
