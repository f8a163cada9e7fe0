"""A run's terminal: one shell session in the host, any number of browsers looking at it.

The session outlasts its viewers: who connects (again) is shown the last 64 KiB and goes on. The files it works on
are the run's; what changes among them goes into the journal, the last state of each within a moment.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import yaml
from config.doors import Receive, Send
from django.conf import settings

from cluster_engine.cluster import Cluster
from cluster_engine.shell import Vfs, VfsError
from cluster_engine.shell.confine import ConfinedProgram, ConfinementError
from cluster_engine.shell.kubectl import kubectl_path
from cluster_engine.shell.session import SessionHooks, SessionOptions, TerminalSession
from cluster_engine.shell.vfs import normal
from runs.host.building import HOME
from runs.host.errors import HostError
from runs.host.writer import JournalUnavailableError
from runs.journal import FencedError, JournalFullError

logger = logging.getLogger(__name__)

SCROLLBACK = 64 * 1024
#: A viewer that is this far behind loses the middle; the rest is worth less than the memory.
BACKLOG = 1024 * 1024
FRAME = 64 * 1024
MAX_VIEWS = 8
FILE_LIMIT = 256 * 1024
#: Changes of one file within this time are one journal entry.
SETTLE_SECONDS = 0.25
#: What a run's files may add to its journal from one start of its host to the next.
FILES_BYTES = 32 * 1024 * 1024


class View:
    """One browser: what is still to be sent to it."""

    def __init__(self) -> None:
        self.output = bytearray()
        self.messages: list[str] = []
        self.wake = asyncio.Event()
        self.ended = False

    def show(self, data: bytes) -> None:
        """Terminal bytes."""
        self.output += data
        if len(self.output) > BACKLOG:
            del self.output[:-SCROLLBACK]
        self.wake.set()

    def tell(self, message: str) -> None:
        """A JSON text frame."""
        self.messages.append(message)
        self.wake.set()

    def end(self) -> None:
        """No more will come."""
        self.ended = True
        self.wake.set()


class Owner(Protocol):
    """What a terminal asks of the run that it belongs to."""

    run_id: uuid.UUID
    token: str
    cluster: Cluster

    @property
    def url(self) -> str:
        """Where the host of the run answers."""

    @property
    def scratch(self) -> Path:
        """The folder in which confined programs get theirs."""

    def touch(self) -> None:
        """Somebody is using it."""

    def abandon(self) -> None:
        """Its journal cannot be written: let go."""

    async def note_file(self, path: str, content: bytes | None) -> None:
        """Keep a file of the learner's; None: it is gone."""


class Terminal:
    """See the module. Its session begins with the first thing that needs it."""

    def __init__(self, hosted: Owner, files: dict[str, bytes]) -> None:
        self._hosted = hosted
        self._views: list[View] = []
        self._scrollback = bytearray()
        self._program: ConfinedProgram | None = None
        self._session: TerminalSession | None = None
        self._dirty: dict[str, bytes | None] = {}
        self._saving: asyncio.Task[None] | None = None
        self._saved_bytes = 0
        self._size = (80, 24)
        self.vfs = Vfs(
            {normal(path, HOME): data for path, data in files.items()}, clock=lambda: hosted.cluster.clock.now
        )
        self.vfs.mkdir(HOME, parents=True)
        self.vfs.changes()

    # -- the session ------------------------------------------------------------------------------------

    def _kubeconfig(self) -> str:
        name = "drydock"
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {"name": name, "cluster": {"server": f"{self._hosted.url}/t/{self._hosted.token}"}}
                ],
                "users": [{"name": "learner", "user": {}}],
                "contexts": [{"name": name, "context": {"cluster": name, "user": "learner"}}],
                "current-context": name,
            }
        )

    def session(self) -> TerminalSession:
        """The shell session, begun if there is none. Raises `HostError` where kubectl cannot be confined."""
        if self._session is not None and not self._session.closed:
            return self._session
        try:
            if self._program is None:
                self._program = ConfinedProgram(
                    kubectl_path(),
                    api_port=urlsplit(self._hosted.url).port,
                    kubeconfig=self._kubeconfig(),
                    home=HOME,
                    allow_unconfined=not settings.REQUIRE_LANDLOCK,
                    parent=self._hosted.scratch,
                )
        except (ConfinementError, OSError) as error:
            logger.error("no terminal on this machine: %s", error)
            raise HostError(503, f"The terminal cannot be started on this machine: {error}") from error
        if not self._program.confined:
            logger.warning("kubectl runs unconfined: this machine lacks Landlock or seccomp")
        hooks = SessionHooks(
            on_output=self._on_output,
            on_files_changed=self._on_files_changed,
            on_edit=lambda path: self._tell({"type": "edit", "path": relative(path)}),
            on_exit=self._on_exit,
            now=lambda: self._hosted.cluster.clock.now,
        )
        cols, rows = self._size
        self._session = TerminalSession(
            self.vfs, self._program, hooks, SessionOptions(home=HOME, cols=cols, rows=rows)
        )
        return self._session

    async def settle(self) -> None:
        """End the session and keep what it left behind."""
        if self._session is not None:
            await self._session.close()
        await self.flush()

    @property
    def watched(self) -> bool:
        """Whether anybody looks at it."""
        return bool(self._views)

    async def close(self) -> None:
        """Leave nothing running; what is not in the journal by now is lost."""
        if self._session is not None:
            await self._session.close()
        if self._program is not None:
            self._program.close()
        for view in self._views:
            view.end()
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.gather(self._saving, return_exceptions=True)

    # -- what the session tells -------------------------------------------------------------------------

    def _on_output(self, data: bytes) -> None:
        self._scrollback += data
        if len(self._scrollback) > 2 * SCROLLBACK:
            del self._scrollback[:-SCROLLBACK]
        for view in self._views:
            view.show(data)

    def _on_files_changed(self, changes: list[tuple[str, bytes | None]]) -> None:
        for path, content in changes:
            self._dirty[path] = content
            self._tell({"type": "file", "path": relative(path)})
        self._save_soon()

    def _on_exit(self, status: int) -> None:
        self._tell({"type": "exit", "status": status})
        self._scrollback.clear()
        self._session = None
        for view in self._views:
            view.end()

    def _tell(self, data: dict[str, Any]) -> None:
        message = json.dumps(data)
        for view in self._views:
            view.tell(message)

    # -- files ------------------------------------------------------------------------------------------

    def _save_soon(self) -> None:
        if self._saving is None or self._saving.done():
            self._saving = asyncio.get_running_loop().create_task(self._save_later())

    async def _save_later(self) -> None:
        while self._dirty:
            await asyncio.sleep(SETTLE_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write changed files to the journal now."""
        while self._dirty:
            path = next(iter(self._dirty))
            content = self._dirty.pop(path)
            try:
                await self._note(path, content)
            except (FencedError, JournalUnavailableError):
                self._hosted.abandon()
                return
            except JournalFullError as error:
                logger.info("files are no longer kept: %s", error, extra={"run": self._hosted.run_id})
                self._dirty.clear()
                self._on_output(f"\r\n{error}\r\n".encode())

    async def _note(self, path: str, content: bytes | None) -> None:
        self._saved_bytes += len(content or b"")
        if self._saved_bytes > FILES_BYTES:
            raise JournalFullError(
                "Your files have changed too much to be kept; what you change from now on is lost when the lab sleeps."
            )
        await self._hosted.note_file(path, content)

    def files(self) -> list[dict[str, str]]:
        """The text files of the home folder, for the editor."""
        found = []
        for path, data in sorted(self.vfs.files(HOME).items()):
            if len(data) <= FILE_LIMIT:
                with suppress(UnicodeDecodeError):
                    found.append({"path": relative(path), "content": data.decode("utf-8")})
        return found

    async def save(self, path: str, content: str) -> None:
        """Save one file from the editor; it is in the journal when this returns. Raises `HostError`."""
        target = normal(path, HOME)
        if target != HOME and not target.startswith(HOME + "/"):
            raise HostError(400, "Files are kept in the home folder.")
        try:
            self.session().save(target, content)
        except VfsError as error:
            raise HostError(409, str(error)) from error
        await self.flush()

    async def run(self, argv: list[str]) -> dict[str, Any]:
        """Run one program beside the terminal."""
        result = await self.session().run_command(argv)
        return {
            "exit_code": result.status,
            "stdout": result.out.decode("utf-8", "replace"),
            "stderr": result.err.decode("utf-8", "replace"),
        }

    # -- viewers ----------------------------------------------------------------------------------------

    async def serve(self, receive: Receive, send: Send) -> None:
        """One browser's WebSocket, from its handshake to its end."""
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        view = View()
        try:
            session = self.session()
        except HostError as error:
            await send({"type": "websocket.send", "bytes": f"{error}\r\n".encode()})
            await send({"type": "websocket.close", "code": 1013})
            return
        if len(self._views) >= MAX_VIEWS:
            self._views[0].end()
        if self._scrollback:
            view.show(bytes(self._scrollback[-SCROLLBACK:]))
        self._views.append(view)
        writer = asyncio.ensure_future(self._write(view, send))
        reader = asyncio.ensure_future(self._read(session, receive))
        try:
            await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
            if writer.done() and not reader.done():
                await send({"type": "websocket.close", "code": 1000})
        finally:
            if view in self._views:
                self._views.remove(view)
            for task in (writer, reader):
                task.cancel()
            await asyncio.gather(writer, reader, return_exceptions=True)

    @staticmethod
    async def _write(view: View, send: Send) -> None:
        while True:
            while view.output or view.messages:
                messages, view.messages = view.messages, []
                for message in messages:
                    await send({"type": "websocket.send", "text": message})
                if view.output:
                    data = bytes(view.output[:FRAME])
                    del view.output[: len(data)]
                    await send({"type": "websocket.send", "bytes": data})
            if view.ended:
                return
            view.wake.clear()
            await view.wake.wait()

    async def _read(self, session: TerminalSession, receive: Receive) -> None:
        """Frames come checked: the web tier passes nothing else on."""
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return
            frame = json.loads(message["text"])
            self._hosted.touch()
            if frame["type"] == "input":
                session.feed(frame["data"])
            else:
                self._size = (int(frame["cols"]), int(frame["rows"]))
                session.resize(*self._size)


def relative(path: str) -> str:
    """As the editor names it: below the home folder without the folder."""
    return path[len(HOME) + 1 :] if path.startswith(HOME + "/") else path
