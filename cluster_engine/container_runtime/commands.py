"""What runs in a Pod's containers beside their main processes, and who is attached to these.

A *command* is the process of a probe, a hook or a session; a session is somebody outside, who is told what it writes in
the moment of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cluster_engine.container_runtime.errors import StartError, exec_error
from cluster_engine.container_runtime.keeper import Keeper
from cluster_engine.container_runtime.sandbox_data import Command, Data
from cluster_engine.container_runtime.setup import environment
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.machine import Machine
from cluster_engine.linux.text import octets

COLUMNS, ROWS = 80, 24
"""A terminal's size until somebody says it."""
OUTPUT = 16 * 1024
"""Bytes of a command's output that are kept for its caller (the CRI's limit is 16 MiB)."""
_KILLED = 137


class Commands:
    """One Pod's. What is saved of them lies in the sandbox's ``Data``."""

    def __init__(
        self,
        key: str,
        keeper: Keeper,
        hostname: str,
        data: Data,
        *,
        touch: Callable[[], Machine],
        ready: Callable[[], None],
    ) -> None:
        """``touch`` gives the Pod's machine, to be changed; ``ready`` is told that it wants to run."""
        self._key = key
        self._keeper = keeper
        self._hostname = hostname
        self._data = data
        self._touch = touch
        self._ready = ready

    # ---- what is asked for -----------------------------------------------------------------------------

    def exec_sync(
        self, container: str, argv: list[str], timeout: int, then: list[Any], background: bool
    ) -> None:
        """Runs a command; the clock event ``then`` gets ``["exited", status, output]`` or ``["timeout"]``.

        ``timeout`` is in µs, 0 for none. Raises StartError.
        """
        name = f"x{self._data.fresh()}"
        command = self._command(name, container, argv, then, background, ("null",), ("session", name))
        if timeout:
            due = self._keeper.now + timeout
            command.timer = self._keeper.time_out_at(self._key, name, due, background=background)

    def open(self, session: str, container: str, argv: list[str], *, stdin: bool, tty: bool) -> None:
        """Runs a command for a session: ``Sandboxes`` is told what it writes, and its end. Raises StartError."""
        if tty:
            self._touch().open_terminal(session, COLUMNS, ROWS)
            self._command(session, container, argv, [], False, ("tty", session), ("tty", session))
        else:
            source = ("session", session) if stdin else ("null",)
            self._command(session, container, argv, [], False, source, ("session", session))

    def _command(
        self,
        name: str,
        container: str,
        argv: list[str],
        then: list[Any],
        background: bool,
        stdin: Sequence[str],
        stdout: Sequence[str],
    ) -> Command:
        machine, setup = self._touch(), self._data.containers[container].setup
        machine.run(self._keeper.now, 0)
        try:
            process = machine.spawn(
                [octets(word) for word in argv],
                root=container,
                env={
                    **environment(self._keeper.registry, setup, self._hostname),
                    **({"TERM": "xterm"} if stdout[0] == "tty" else {}),
                },
                cwd=setup.workdir,
                uid=setup.uid,
                gid=setup.gid,
                groups=setup.groups,
                stdin=stdin,
                stdout=stdout,
                stderr=stdout,
                tag=container,
                now=self._keeper.now,
            )
        except FileError as error:
            if stdout[0] == "tty":
                machine.close_terminal(name)
            raise StartError(exec_error(argv[0], error)) from error
        command = self._data.commands[name] = Command(container, process, then, background)
        self._ready()
        return command

    def attach(self, session: str, container: str) -> None:
        """The session gets what the main process writes from now on, and may be its standard input."""
        self._data.attached[session] = container

    def input(self, session: str, text: str) -> None:
        """Byte text for a session's standard input."""
        if target := self._input(session):
            self._touch().input(target, text)

    def end_input(self, session: str) -> None:
        """No more input comes. A main process whose input is not only for the first who attaches waits for the next."""
        container = self._data.attached.get(session)
        entry = self._data.containers.get(container) if container is not None else None
        if entry is not None and entry.setup.stdin and not entry.setup.stdin_once and not entry.setup.tty:
            return
        if target := self._input(session):
            self._touch().end_input(target)

    def resize(self, session: str, columns: int, rows: int) -> None:
        """The session's terminal has a new size."""
        container = self._data.attached.get(session)
        self._touch().resize(f"main/{container}" if container else session, columns, rows)

    def _input(self, session: str) -> str:
        container = self._data.attached.get(session)
        if container is None:
            return session if session in self._data.commands else ""
        entry = self._data.containers.get(container)
        return f"main/{container}" if entry is not None and (entry.setup.stdin or entry.setup.tty) else ""

    def hang_up(self, session: str) -> None:
        """Whoever had the session is gone. A command sees its input end, or its terminal hang up."""
        container = self._data.attached.pop(session, None)
        entry = self._data.containers.get(container) if container is not None else None
        if entry is not None and entry.setup.stdin_once and not entry.setup.tty:
            # As containerd: a terminal stays open for the next one.
            self._touch().end_input(f"main/{container}")
        elif session in self._data.commands:
            self._touch().hangup(session)

    def time_out(self, name: str) -> None:
        """Clock event: a command took too long."""
        command = self._data.commands.get(name)
        if command is not None:
            command.timer = None
            self._answer(command, ["timeout"])
            command.then = []
            self._touch().signal(command.process, "KILL")

    def _ended(self, name: str, status: int) -> None:
        command = self._data.commands.pop(name)
        self._keeper.cancel(command.timer)
        if name.startswith("x"):
            self._answer(command, ["exited", status, command.out])
        else:
            self._touch().close_terminal(name)
            self._keeper.told.session_ended(name, status)

    def _answer(self, command: Command, answer: list[Any]) -> None:
        if command.then:
            self._keeper.answer(command.then, answer, background=command.background)

    # ---- what happens to them --------------------------------------------------------------------------

    def exited(self, process: int, status: int) -> None:
        """A process has ended that was no container's main process."""
        for name, command in self._data.commands.items():
            if command.process == process:
                self._ended(name, status)
                return

    def output(self, session: str, fd: int, text: str) -> None:
        """A command wrote something."""
        command = self._data.commands.get(session)
        if command is not None and session.startswith("x"):
            command.out = (command.out + text)[:OUTPUT]
        else:
            self._keeper.told.output(session, fd, text)

    def follow(self, container: str, fd: int, text: str) -> None:
        """A main process wrote something: whoever is attached gets it."""
        for session, name in self._data.attached.items():
            if name == container:
                self._keeper.told.output(session, fd, text)

    def detach(self, container: str, status: int) -> None:
        """A main process has ended: nobody is attached to it any more."""
        data = self._data
        for session in [s for s, name in data.attached.items() if name == container]:
            del data.attached[session]
            self._keeper.told.session_ended(session, status)

    def stop(self) -> None:
        """All of them are killed, and who followed is told."""
        data, keeper = self._data, self._keeper
        for command in data.commands.values():
            keeper.cancel(command.timer)
        sessions = [name for name in data.commands if not name.startswith("x")]
        data.commands.clear()
        for session in [*sessions, *data.attached]:
            keeper.told.session_ended(session, _KILLED)
        data.attached.clear()
