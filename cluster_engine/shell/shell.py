"""One shell: its process state, tables, host; and the ways to run a line in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .context import Command, External, Host, decode
from .errors import ExitControl, ParseError, ShellError
from .external import ExecCall, ExecRequest, ExecResult
from .kernel import Blocked, Done, HostCall, Kernel
from .limits import DEFAULT, Limits
from .process import Process
from .streams import Sink, Source, Stream
from .vfs import Vfs

MAX_HISTORY = 1_000
MAX_REMEMBERED = 8 * 1024
"""Characters of one line of the history."""

UNSUPPORTED = {
    "bg": "there are no background jobs in this shell",
    "fg": "there are no background jobs in this shell",
    "jobs": "there are no background jobs in this shell",
    "wait": "there are no background jobs in this shell",
    "exec": "not supported in this shell",
    "trap": "not supported in this shell",
    "umask": "not supported in this shell",
    "ulimit": "not supported in this shell",
    "getopts": "not supported in this shell",
    "declare": "belongs to bash; write name=value",
    "typeset": "belongs to bash; write name=value",
    "let": "belongs to bash; write name=$((…))",
    "shopt": "belongs to bash",
    "time": "not supported in this shell",
    "ln": "this file system has no links",
    "sudo": "there is no other user here; run the command without it",
}
"""Names that deserve a better answer than `not found`."""


class Shell:
    """A shell session: variables, functions, aliases and the directory outlive each line."""

    def __init__(
        self,
        vfs: Vfs,
        env: Mapping[str, str] | None = None,
        externals: Mapping[str, External] | None = None,
        host: Host | None = None,
        *,
        commands: Mapping[str, Command] | None = None,
        cwd: str = "/",
        aliases: Mapping[str, str] | None = None,
        limits: Limits = DEFAULT,
        name: str = "sh",
    ) -> None:
        if commands is None:
            from .commands import COMMANDS

            commands = COMMANDS
        self.vfs = vfs
        self.host = host or Host()
        self.commands = commands
        self.externals = dict(externals or {})
        self.unsupported = UNSUPPORTED
        self.kernel = Kernel(limits)
        self.history: list[str] = []
        self.tty: Stream | None = None
        self.exited: int | None = None
        """The status given to `exit`, once it was called at the top level."""
        self.size = (80, 24)
        self.process = Process(self)
        self.process.name = name
        self.process.cwd = cwd
        self.process.aliases = dict(aliases or {})
        for variable, value in (env or {}).items():
            self.process.assign(variable, value)
            self.process.exported[variable] = None
        self.process.variables["PWD"] = cwd

    def start(self, text: str, io: dict[int, Stream]) -> None:
        """Begin a command line; drive it with `kernel.run`."""
        self.kernel.start(self._line(text, io))

    def start_argv(self, argv: list[str], io: dict[int, Stream]) -> None:
        """Begin one command given as arguments (no parsing, no expansion)."""
        self.kernel.start(self._argv(argv, io))

    async def _line(self, text: str, io: dict[int, Stream]) -> int:
        process = self._fresh()
        try:
            status = await process.evaluator.run_text(text, io)
        except ExitControl as control:
            self.exited = status = control.status
        except ParseError as error:
            await process.evaluator.complain(str(error), io)
            status = 2
        except ShellError as error:
            await process.evaluator.complain(str(error), io)
            status = error.status
        process.status = status
        return status

    async def _argv(self, argv: list[str], io: dict[int, Stream]) -> int:
        process = self._fresh()
        command = self.commands.get(argv[0])
        try:
            status = await process.evaluator.dispatch_program(argv, command, io)
        except ExitControl as control:
            status = control.status
        except ShellError as error:
            await process.evaluator.complain(str(error), io)
            status = error.status
        process.status = status
        return status

    def _fresh(self) -> Process:
        """The session's process; a line that was killed may have left counters behind."""
        process = self.process
        process.depth = process.conditions = process.loops = process.calls = 0
        process.locals.clear()
        return process

    def remember(self, line: str) -> None:
        """Append to the history (blank lines and immediate repeats are left out)."""
        if line.strip() and len(line) <= MAX_REMEMBERED and (not self.history or self.history[-1] != line):
            self.history.append(line)
            del self.history[:-MAX_HISTORY]


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished line gave; a named triple."""

    status: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """Standard output as text."""
        return decode(self.out)

    @property
    def error_text(self) -> str:
        """Standard error as text."""
        return decode(self.err)


Answer = Callable[..., Any]


def run_line(
    shell: Shell,
    text: str,
    *,
    stdin: bytes = b"",
    answers: Mapping[str, Answer] | None = None,
    externals: Callable[[ExecRequest, bytes], tuple[int, bytes, bytes]] | None = None,
) -> Result:
    """Run one line to its end, synchronously and deterministically.

    `answers` maps the name of a host call to a function of its arguments (`sleep` defaults to
    doing nothing); `externals` runs an external program given its whole input.
    """
    return _drive(shell, lambda io: shell.start(text, io), stdin, answers, externals)


def run_argv(
    shell: Shell,
    argv: list[str],
    *,
    stdin: bytes = b"",
    answers: Mapping[str, Answer] | None = None,
    externals: Callable[[ExecRequest, bytes], tuple[int, bytes, bytes]] | None = None,
) -> Result:
    """Run one command given as arguments, as `exec` into a container does."""
    return _drive(shell, lambda io: shell.start_argv(argv, io), stdin, answers, externals)


def _drive(
    shell: Shell,
    start: Callable[[dict[int, Stream]], None],
    stdin: bytes,
    answers: Mapping[str, Answer] | None,
    externals: Callable[[ExecRequest, bytes], tuple[int, bytes, bytes]] | None,
) -> Result:
    kernel = shell.kernel
    out, err = bytearray(), bytearray()
    start(
        {0: Source(kernel, stdin), 1: Sink(kernel, out.extend), 2: Sink(kernel, err.extend)},
    )
    table = {"sleep": lambda seconds: None, **(answers or {})}
    try:
        state = _until_done(kernel, table, externals)
    finally:
        if kernel.busy:
            kernel.interrupt()
    if kernel.message:
        err += f"sh: {kernel.message}\n".encode()
        shell.process.status = state.status
    return Result(state.status, bytes(out), bytes(err))


def _until_done(
    kernel: Kernel,
    table: Mapping[str, Answer],
    externals: Callable[[ExecRequest, bytes], tuple[int, bytes, bytes]] | None,
) -> Done:
    while True:
        state = kernel.run(1_000_000_000)
        if isinstance(state, Done):
            return state
        if not isinstance(state, Blocked):
            continue
        for call in state.calls:
            if isinstance(call, ExecCall):
                _run_external(call, externals)
            else:
                _answer(call, table)


def _answer(call: HostCall, table: Mapping[str, Answer]) -> None:
    if call.name not in table:
        raise LookupError(f"no answer for the host call {call.name!r}")
    call.resolve(table[call.name](*call.args))


def _run_external(
    call: ExecCall,
    externals: Callable[[ExecRequest, bytes], tuple[int, bytes, bytes]] | None,
) -> None:
    while data := call.take_input():
        call.gathered += data
    if data is None:
        if externals is None:
            call.resolve(ExecResult(127))
            return
        status, out, err = externals(call.request, bytes(call.gathered))
        call.feed(1, out)
        call.feed(2, err)
        call.resolve(ExecResult(status))
