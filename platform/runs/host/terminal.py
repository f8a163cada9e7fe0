"""A run's terminals: one session in the host, any number of browsers looking at each terminal.

The session outlasts its viewers: who connects (again) is shown the last 64 KiB and goes on. The files it works on
are the run's; what changes among them goes into the journal, the last state of each within a moment. What runs in the
terminals, their variables and history are the host's alone and end with it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import yaml
from config.doors import Receive, Send
from django.conf import settings
from django.utils.translation import gettext as _

from cluster_engine.cluster import Cluster
from cluster_engine.linux.errors import FileError
from cluster_engine.serving import ClusterApp
from cluster_engine.terminal.confine import ConfinedProgram, ConfinementError
from cluster_engine.terminal.console import Options
from cluster_engine.terminal.disk import normal
from cluster_engine.terminal.forwarding import Forward
from cluster_engine.terminal.kubectl import kubectl_path
from cluster_engine.terminal.session import TerminalSession
from cluster_engine.terminal.session_hooks import BusyError, SessionHooks
from runs.host.building import HOME
from runs.host.errors import HostError
from runs.host.forwarding import NotForwardedError, forwarded, namespace_of
from runs.host.logins import Logins
from runs.host.outside import Dialer
from runs.host.screens import Screen, View, parse
from runs.host.script import HANG_UP_SECONDS, SCRIPT, SCRIPT_COLUMNS, SCRIPT_ROWS, Told
from runs.host.writer import JournalRefusedError, JournalUnavailableError
from runs.journal import FencedError, JournalFullError

logger = logging.getLogger(__name__)

FILE_LIMIT = 256 * 1024
CLOSE_BAD, CLOSE_AGAIN = 4400, 1013
#: Changes of one file within this time are one journal entry.
SETTLE_SECONDS = 0.25
#: What a run's files may add to its journal from one start of its host to the next.
FILES_BYTES = 32 * 1024 * 1024


class Owner(Protocol):
    """What a terminal asks of the run that it belongs to."""

    run_id: uuid.UUID
    token: str
    cluster: Cluster
    app: ClusterApp

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

    def now(self) -> int:
        """The time of its cluster, µs."""

    def go_to(self, due: int) -> bool:
        """Somebody sleeps until then (µs): whether time goes there at once."""

    async def typed_time(self, words: list[str]) -> str:
        """What `time pause` and the like of the terminal do, and say. Raises ValueError."""

    async def typed_why(self, what: dict[str, Any]) -> str:
        """What `why` of the terminal says. Raises ValueError."""

    async def typed_hint(self, what: dict[str, Any]) -> str:
        """What `hint` of the terminal says. Raises ValueError."""

    async def inject(self, what: dict[str, Any]) -> None:
        """What `fault` does. Raises ValueError."""

    async def note_file(self, path: str, content: bytes | None) -> None:
        """Keep a file of the learner's; None: it is gone."""


class Terminal:
    """See the module. Its session begins with the first thing that needs it."""

    def __init__(self, hosted: Owner, files: dict[str, bytes]) -> None:
        self._owner: Owner | None = hosted
        self._back: Callable[[], Awaitable[Any]] | None = None
        """Brings the run back that dozes."""
        self._files = {normal(path, HOME): data for path, data in files.items()}
        self._screens: dict[str, Screen] = {}
        self._program: ConfinedProgram | None = None
        self._session: TerminalSession | None = None
        self._dirty: dict[str, bytes | None] = {}
        self._saving: asyncio.Task[None] | None = None
        self._saved_bytes = 0
        self._script: Told | None = None
        self._editor = False
        """What changes just now is changed by the editor of the page."""

    @property
    def _hosted(self) -> Owner:
        assert self._owner is not None, "nothing happens in a terminal while its run dozes"
        return self._owner

    def belongs_to(self, owner: Owner | None, back: Callable[[], Awaitable[Any]] | None = None) -> None:
        """Its run is awake in another form, or dozes (None); nothing may be under way.

        `back` is called when somebody types meanwhile.
        """
        self._owner, self._back = owner, back
        if self._session is not None:
            self._session.hand_over(SessionHooks() if owner is None else self._hooks())

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
        """The session, begun if there is none. Raises `HostError` where kubectl cannot be confined."""
        if self._session is not None and self.has_session:
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
            raise HostError(
                503, _("The terminal cannot be started on this machine: %(why)s") % {"why": error}
            ) from error
        if not self._program.confined:
            logger.warning("kubectl runs unconfined: this machine lacks Landlock or seccomp")
        self._session = TerminalSession(self._files, self._program, self._hooks(), Options(home=HOME))
        return self._session

    def _hooks(self) -> SessionHooks:
        return SessionHooks(
            on_output=self._on_output,
            on_files_changed=self._on_files_changed,
            on_edit=self._on_edit,
            on_preview=self._on_preview,
            on_exit=self._on_exit,
            on_time=self._hosted.typed_time,
            on_fault=self._hosted.inject,
            on_why=self._hosted.typed_why,
            on_hint=self._hosted.typed_hint,
            now=self._hosted.now,
            leap=self._hosted.go_to,
            dialer=Dialer(self._hosted),
            logins=Logins(self._hosted),
        )

    @property
    def has_session(self) -> bool:
        """Whether there is a session."""
        return self._session is not None and not self._session.closed

    def warn(self, text: str) -> None:
        """Tell what waits in it for the cluster."""
        if self._session is not None and self.has_session:
            self._session.warn(text)

    async def settle(self) -> None:
        """End the session and keep what it left behind."""
        await self._end_session()
        await self.flush()

    async def _end_session(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._files = self._session.console.disk.files()
            self._session = None

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way."""
        saved = not self._dirty and (self._saving is None or self._saving.done())
        still = self._session is None or self._session.closed or self._session.quiet
        return saved and still and self._script is None

    @property
    def watched(self) -> bool:
        """Whether anybody looks at it."""
        return any(screen.views for screen in self._screens.values())

    async def close(self) -> None:
        """Leave nothing running; what is not in the journal by now is lost."""
        await self._end_session()
        if self._program is not None:
            self._program.close()
        for screen in self._screens.values():
            for view in screen.views:
                view.end()
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.gather(self._saving, return_exceptions=True)

    # -- what the session tells -------------------------------------------------------------------------

    def _screen(self, terminal: str) -> Screen:
        return self._screens.setdefault(terminal, Screen())

    def _on_files_changed(self, changes: list[tuple[str, bytes | None]]) -> None:
        by = "editor" if self._editor else "terminal"
        for path, content in changes:
            self._dirty[path] = content
            gone = {"gone": True} if content is None else {}
            self._tell({"type": "file", "path": relative(path), "by": by, **gone})
        self._save_soon()

    def _on_edit(self, path: str) -> str:
        self._tell({"type": "edit", "path": relative(path)})
        return f"{path} is open in the editor."

    def _on_preview(self, wanted: Forward, kubeconfig: str) -> tuple[str, int]:
        try:
            of = forwarded(self._hosted.cluster, wanted, namespace_of(kubeconfig))
        except NotForwardedError as error:
            return str(error), 1
        self._tell({"type": "preview", "of": of})
        return (
            f"No browser reaches a port of this machine: the page of {of['kind']}/{of['name']}, port {of['port']}, "
            "opens beside the terminal instead.",
            0,
        )

    def _on_output(self, terminal: str, data: bytes) -> None:
        if terminal == SCRIPT and self._script is not None:
            self._script.show(data)
        else:
            self._screen(terminal).show(data)

    def _on_exit(self, terminal: str, status: int) -> None:
        if terminal == SCRIPT and self._script is not None:
            self._script.end(status)
            return
        self._tell({"type": "exit", "status": status}, terminal)
        self._screen(terminal).clear()
        self._tell_which()

    def _tell_which(self) -> None:
        if self._session is not None:
            self._tell({"type": "terminals", "ids": self._session.terminals})

    def _tell(self, data: dict[str, Any], terminal: str = "") -> None:
        """To the browsers at one terminal, or at all of them."""
        message = json.dumps(data)
        for name, screen in self._screens.items():
            if terminal in ("", name):
                for view in screen.views:
                    view.tell(message)

    # -- files ------------------------------------------------------------------------------------------

    def _save_soon(self) -> None:
        if self._saving is None or self._saving.done():
            self._saving = asyncio.get_running_loop().create_task(self._save_later())

    async def _save_later(self) -> None:
        while self._dirty:
            await asyncio.sleep(SETTLE_SECONDS)
            try:
                await self.flush()
            except JournalRefusedError as error:
                logger.info("files are not kept yet: %s", error, extra={"run": self._hosted.run_id})
            except (FencedError, JournalUnavailableError):
                return

    async def flush(self) -> None:
        """Write changed files to the journal now. Raises what the journal raises: nobody is told that they are kept."""
        while self._dirty:
            path = next(iter(self._dirty))
            content = self._dirty.pop(path)
            try:
                await self._note(path, content)
            except JournalRefusedError:
                self._dirty.setdefault(path, content)
                self._saved_bytes -= len(content or b"")
                self._save_soon()  # it is tried again
                raise
            except (FencedError, JournalUnavailableError):
                self._hosted.abandon()
                raise
            except JournalFullError as error:
                logger.info("files are no longer kept: %s", error, extra={"run": self._hosted.run_id})
                self._dirty.clear()
                for screen in self._screens.values():
                    screen.show(f"\r\n{error}\r\n".encode())

    async def _note(self, path: str, content: bytes | None) -> None:
        self._saved_bytes += len(content or b"")
        if self._saved_bytes > FILES_BYTES:
            raise JournalFullError(
                _(
                    "Your files have changed too much to be kept; "
                    "what you change from now on is lost when the lab sleeps."
                )
            )
        await self._hosted.note_file(path, content)

    def files(self) -> list[dict[str, str]]:
        """The text files of the home folder, for the editor."""
        found = []
        for path, data in sorted(self.contents().items()):
            if path.startswith(f"{HOME}/") and len(data) <= FILE_LIMIT:
                with suppress(UnicodeDecodeError):
                    found.append({"path": relative(path), "content": data.decode("utf-8")})
        return found

    def contents(self) -> dict[str, bytes]:
        """All files of the learner's, by absolute path."""
        return self._session.files() if self._session is not None else self._files

    @property
    def namespace(self) -> str:
        """Where kubectl works in this terminal when nothing is said. Raises `HostError`."""
        return namespace_of(self.session().kubeconfig)

    async def save(self, path: str, content: str) -> None:
        """Save one file from the editor; it is in the journal when this returns. Raises `HostError`."""
        target = normal(path, HOME)
        if target != HOME and not target.startswith(HOME + "/"):
            raise HostError(400, _("Files are kept in the home folder."))
        session = self.session()
        self._editor = True
        try:
            session.save(target, content)
        except FileError as error:
            raise HostError(409, f"{relative(target)}: {error.reason}") from error
        finally:
            self._editor = False
        await self.flush()

    def _file(self, path: str) -> str:
        """The absolute path of a file in the home folder that is there. Raises `HostError`."""
        target = normal(path, HOME)
        if target not in self.session().files():
            raise HostError(404, _("There is no file %(path)s.") % {"path": path})
        return target

    async def remove(self, path: str) -> None:
        """Delete one file; it is in the journal when this returns. Raises `HostError`."""
        target = self._file(path)
        self._editor = True
        try:
            self.session().remove(target)
        finally:
            self._editor = False
        await self.flush()

    async def rename(self, path: str, to: str) -> None:
        """Give one file a name that nothing has; in the journal when this returns. Raises `HostError`."""
        session, source, target = self.session(), self._file(path), normal(to, HOME)
        if not target.startswith(HOME + "/"):
            raise HostError(400, _("Files are kept in the home folder."))
        if target in session.files():
            raise HostError(409, _("There is a file %(path)s already.") % {"path": relative(target)})
        self._editor = True
        try:
            session.save(target, session.files()[source])
            session.remove(source)
        except FileError as error:
            raise HostError(409, f"{relative(target)}: {error.reason}") from error
        finally:
            self._editor = False
        await self.flush()

    def waits_for(self, path: str) -> bool:
        """Does something in a terminal wait until this file is saved?"""
        return self._session is not None and self._session.waits_for(path)

    async def run(self, argv: list[str]) -> dict[str, Any]:
        """Run one program beside the terminal."""
        result = await self.session().run_command(argv)
        return {
            "exit_code": result.status,
            "stdout": result.out.decode("utf-8", "replace"),
            "stderr": result.err.decode("utf-8", "replace"),
        }

    async def run_script(
        self, script: str, seconds: float, lines: Callable[[bytes], None] | None = None
    ) -> Told:
        """Run a script in a terminal that nobody looks at, one at a time. Raises `HostError`.

        `lines` is given what it prints, line by line.
        """
        if self._script is not None:
            raise HostError(409, _("Another block is running. Wait until it has ended."))
        session = self.session()
        told = self._script = Told(lines)
        try:
            session.open(SCRIPT, SCRIPT_COLUMNS, SCRIPT_ROWS, ["sh", "-ec", script])
            try:
                async with asyncio.timeout(seconds):
                    await told.ended.wait()
            except TimeoutError:
                session.hang_up(SCRIPT)
                with suppress(TimeoutError):
                    async with asyncio.timeout(HANG_UP_SECONDS):
                        await told.ended.wait()
                told.late = True
            return told
        finally:
            self._script = None

    # -- viewers ----------------------------------------------------------------------------------------

    async def serve(self, terminal: str, receive: Receive, send: Send) -> None:
        """One browser's WebSocket at one terminal, from its handshake to its end."""
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        try:
            session = self.session()
        except HostError as error:
            await send({"type": "websocket.send", "bytes": f"{error}\r\n".encode()})
            await send({"type": "websocket.close", "code": CLOSE_AGAIN})
            return
        screen = self._screen(terminal)
        session.open(terminal, *screen.size)
        view = screen.join()
        self._tell_which()
        writer = asyncio.ensure_future(view.write(send))
        reader = asyncio.ensure_future(self._read(terminal, view, receive))
        try:
            await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
            if writer.done() and not reader.done():
                await send({"type": "websocket.close", "code": 1000})
            elif reader.done() and not reader.cancelled() and reader.result():
                await send({"type": "websocket.close", "code": CLOSE_BAD})
        finally:
            screen.part(view)
            for task in (writer, reader):
                task.cancel()
            await asyncio.gather(writer, reader, return_exceptions=True)

    async def _read(self, terminal: str, view: View, receive: Receive) -> bool:
        """Act on frames until the browser leaves (False) or sends what is none (True)."""
        while (message := await receive())["type"] == "websocket.receive":
            frame = parse(message.get("text"))
            if frame is None:
                return True
            if self._back is not None:
                await self._back()
            if self._owner is None:
                return False  # the run is not back, and the browser finds out why
            self._owner.touch()
            await self._act(terminal, view, frame)
        return False

    async def _act(self, terminal: str, view: View, frame: dict[str, Any]) -> None:
        session = self.session()
        match frame:
            case {"type": "input", "data": data}:
                session.feed(terminal, data)
            case {"type": "resize", "cols": cols, "rows": rows}:
                self._screen(terminal).size = (cols, rows)
                session.resize(terminal, cols, rows)
            case {"type": "run", "line": line, "stop": stop}:
                try:
                    await session.run_line(terminal, line, stop=stop)
                except BusyError as busy:
                    view.tell(json.dumps({"type": "busy", "line": line, "command": str(busy)}))
            case {"type": "close"}:
                session.hang_up(terminal)


def relative(path: str) -> str:
    """As the editor names it: below the home folder without the folder."""
    return path[len(HOME) + 1 :] if path.startswith(HOME + "/") else path
