"""One learner's terminals on an event loop: the console's machine, its clock, and the confined program.

The machine works in small slices with the loop getting its turn in between, so a busy line never starves a neighbour.
Whoever owns time says what time it is; programs run beside the machine. This is, with `confine`, `child` and `outward`,
the only module of the room that knows of asyncio.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cluster_engine.linux.limits import MIB
from cluster_engine.linux.text import characters, octets
from cluster_engine.terminal.beside import Beside, LoginError, Outcome
from cluster_engine.terminal.completing import Completer
from cluster_engine.terminal.confine import ConfinedProgram, ConfinementError
from cluster_engine.terminal.console import SHELL, Console, Options
from cluster_engine.terminal.disk import normal
from cluster_engine.terminal.forwarding import Forward
from cluster_engine.terminal.kubectl import refuse, subcommands, waits
from cluster_engine.terminal.outward import Outward
from cluster_engine.terminal.session_hooks import BusyError, Result, SessionHooks

SLICE_STEPS = 1_000
SLICE_SECONDS = 0.003
"""The loop's neighbours wait no longer than about this for a busy machine."""
SHOWN_PER_SECOND = MIB
"""Bytes that go to the screens; a machine that writes more waits."""
MAX_FRAME = 64 * 1024
"""Characters of one input."""
COMMAND_OUTPUT = MIB
QUEUE = 64 * 1024
"""Bytes of a program's output that the machine has not taken."""
STARTS, STARTS_PER_SECOND = 100, 2.0
"""Programs that may be started in a burst, and how many a second after it."""
LONGEST_WAIT = 1.0
"""Seconds after which the clock is asked again."""
NO_DIFF = b'error: failed to run "diff": executable file not found in $PATH\n'
"""What `kubectl diff` says when it starts no second program; the machine's own `diff` comes after it."""
STOP_SECONDS = 3.0
"""How long a line that is to be run waits for what it stopped."""


_Asked = TypeVar("_Asked")


@dataclass(slots=True)
class _Running:
    """A program that a process of the machine waits for."""

    tty: bool
    input: deque[bytes] = field(default_factory=deque)
    ended: bool = False
    interrupted: bool = False
    dropped: bool = False
    backlog: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    run: Beside | None = None
    argv: list[str] = field(default_factory=list)


class TerminalSession:
    """Feed it keys, show its output; it ends with `close`."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        program: ConfinedProgram,
        hooks: SessionHooks,
        options: Options | None = None,
    ) -> None:
        self.closed = False
        self._program = program
        self._hooks = hooks
        self._wake = asyncio.Event()
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._running: dict[str, _Running] = {}
        self._edited: dict[str, str] = {}
        """Calls that wait until a file is saved in the editor."""
        self._shown = 0
        self._due: int | None = None
        self._starts = float(STARTS)
        self._started = time.monotonic()
        self.outward = Outward(
            lambda: self.console.machine, lambda: self._hooks.dialer, self._spawn, self._start, self._wake.set
        )
        self.console = Console(self, files, options, now=hooks.now())
        self._completer = Completer(program, self.console.disk)
        self._terminals: dict[str, None] = {}
        self._worker = asyncio.ensure_future(self._work())
        self._worker.add_done_callback(self._worker_ended)

    # --- the outer surface ------------------------------------------------------------------------

    @property
    def terminals(self) -> list[str]:
        """The terminals that are open."""
        return list(self._terminals)

    def open(self, terminal: str, cols: int, rows: int, argv: Sequence[str] = SHELL) -> None:
        """A terminal, if it is not there yet; it ends with its program."""
        if not self.closed and terminal not in self._terminals:
            self._terminals[terminal] = None
            self.console.open(terminal, cols, rows, argv)
            self._wake.set()

    def feed(self, terminal: str, text: str) -> None:
        """Input from the browser (at most MAX_FRAME at a time; the rest of a frame is dropped)."""
        if not self.closed and terminal in self._terminals:
            self.console.keys(terminal, text[:MAX_FRAME])
            self._wake.set()

    def resize(self, terminal: str, cols: int, rows: int) -> None:
        """The browser's terminal has another size."""
        if not self.closed and terminal in self._terminals:
            self.console.resize(terminal, cols, rows)
            self._wake.set()

    def hang_up(self, terminal: str) -> None:
        """The terminal is closed: its shell and what runs in it are told."""
        if not self.closed and terminal in self._terminals:
            self.console.hang_up(terminal)
            self._wake.set()

    async def run_line(self, terminal: str, line: str, *, stop: bool = False) -> None:
        """Enter a line at the prompt, in the place of what stands half typed there.

        Raises BusyError when something runs; with `stop` that gets a Ctrl-C first, and some seconds to end.
        """
        command = self.console.foreground(terminal)
        if command is not None and stop:
            self.feed(terminal, "\x03")
            end = time.monotonic() + STOP_SECONDS
            while (command := self.console.foreground(terminal)) is not None and time.monotonic() < end:
                await asyncio.sleep(0.02)
        if command is not None:
            raise BusyError(characters(command))
        if not self.closed:
            self.console.enter(terminal, line[:MAX_FRAME])
            self._wake.set()

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way: every shell waits for keys, and nothing is due."""
        under_way = self._running or self._tasks or self._edited or self.outward.busy
        return not under_way and self._due is None and not self._wake.is_set()

    def hand_over(self, hooks: SessionHooks) -> None:
        """Somebody else looks after it from now on; nothing may be under way."""
        self._hooks = hooks

    @property
    def kubeconfig(self) -> str:
        """As kubectl last left it."""
        return self._program.kubeconfig

    def files(self) -> dict[str, bytes]:
        """The files below the home folder."""
        return self.console.disk.files(self.console.options.home)

    def save(self, path: str, content: bytes | str) -> None:
        """Write a file from outside (the editor pane). `FileError` if it does not fit."""
        target = normal(path, self.console.options.home)
        self.console.disk.write(target, content.encode() if isinstance(content, str) else content)
        self._report()
        for call in [call for call, waited in self._edited.items() if waited == target]:
            del self._edited[call]
            self._answer(call, ["saved"])

    def remove(self, path: str) -> None:
        """Delete a file from outside, if it is there."""
        self.console.disk.remove(normal(path, self.console.options.home))
        self._report()

    async def run_command(
        self, argv: Sequence[str], files: Mapping[str, str | bytes] | None = None, *, timeout: float = 60.0
    ) -> Result:
        """Run the program once beside the terminal (the editor's Apply button).

        `files` are saved first; the result has status, out and err.
        """
        for path, content in (files or {}).items():
            self.save(path, content)
        refusal = refuse(list(argv))
        if refusal is not None:
            return Result(1, b"", f"{argv[0]}: {refusal}\n".encode())
        collected = {1: bytearray(), 2: bytearray()}

        async def keep(descriptor: int, data: bytes) -> None:
            collected[descriptor] += data

        try:
            outcome = await self._program.run(
                argv,
                self.console.disk,
                cwd=self.console.options.home,
                on_output=keep,
                timeout=timeout,
                output_limit=COMMAND_OUTPUT,
            )
        except (ConfinementError, OSError) as error:
            return Result(126, b"", f"{argv[0]}: {error}\n".encode())
        if outcome.reason:
            collected[2] += f"{argv[0]}: stopped: {outcome.reason}\n".encode()
        self._report()
        return Result(outcome.status, bytes(collected[1]), bytes(collected[2]))

    async def close(self) -> None:
        """End the terminals and everything they run. The program's folder is its owner's to close."""
        if self.closed:
            return
        self.closed = True
        self._worker.cancel()
        tasks = [self._worker, *self._tasks]
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._report()

    # --- the loop ---------------------------------------------------------------------------------

    def _worker_ended(self, worker: asyncio.Task[None]) -> None:
        if not worker.cancelled() and (error := worker.exception()) is not None:
            self._complain("the terminal's machine failed", error)

    def _complain(self, message: str, error: BaseException) -> None:
        asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})

    async def _work(self) -> None:
        while True:
            busy = self._slice()
            self._report()
            if busy:
                # Leave the loop as much time as was taken.
                await asyncio.sleep(SLICE_SECONDS)
            if self._shown > SHOWN_PER_SECOND // 8:
                pause, self._shown = self._shown / SHOWN_PER_SECOND, 0
                await asyncio.sleep(pause)
            if not busy:
                await self._wait()

    def _slice(self) -> bool:
        """Run the machine for a moment; whether there is more to do now."""
        began = time.monotonic()
        self._wake.clear()
        now = self._hooks.now()
        while True:
            self._due = self.console.run(now, SLICE_STEPS)
            if self._due is None or self._due > now:
                return False
            if time.monotonic() - began > SLICE_SECONDS or self._shown > SHOWN_PER_SECOND // 8:
                return True

    async def _wait(self) -> None:
        if self._due is None:
            await self._wake.wait()
            return
        if not self._running and not self.outward.busy and self._hooks.leap(self._due):
            await asyncio.sleep(0)
            return
        seconds = max(0.001, (self._due - self._hooks.now()) / 1_000_000)
        try:
            async with asyncio.timeout(min(seconds, LONGEST_WAIT)):
                await self._wake.wait()
        except TimeoutError:
            return

    def _report(self) -> None:
        changes = self.console.disk.changes()
        if changes:
            self._hooks.on_files_changed(changes)

    def _answer(self, call: str, data: Any, *, last: bool = True) -> None:
        self.console.answer(call, data, last=last)
        self._wake.set()

    def _spawn(self, coroutine: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(coroutine)
        self._tasks[task] = None
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._complain("a call of the terminal failed", error)

    # --- what the machine asks (ConsoleHost) ------------------------------------------------------

    def output(self, terminal: str, data: bytes) -> None:
        """Bytes for a screen."""
        self._shown += len(data)
        self._hooks.on_output(terminal, data)

    def ended(self, terminal: str, status: int) -> None:
        """A terminal's shell has ended."""
        self._terminals.pop(terminal, None)
        self._report()
        self._hooks.on_exit(terminal, status)

    def faulted(self, program: str, error: Exception) -> bool:
        """A mistake in one program ends its process, never the terminal; the loop's handler is told."""
        self._complain(f"{program} failed unexpectedly", error)
        return True

    def call(self, call: str, name: str, args: Any) -> None:
        """A program asks."""
        if name in ("run", "log-in"):
            self._running[call] = _Running(args["tty"])
            self._spawn(self._run(call, self._running[call], args))
        elif name == "complete":
            self._spawn(self._complete(call, args))
        elif name == "preview":
            said, status = self._hooks.on_preview(Forward(*args), self._program.kubeconfig)
            asyncio.get_running_loop().call_soon(self._answer, call, ["said", said, status])
        elif name == "edit":
            self._report()
            path = characters(args["path"])
            asyncio.get_running_loop().call_soon(self._opened, call, self._hooks.on_edit(path))
            if args["wait"]:
                self._edited[call] = path
        elif name == "time":
            words = [characters(word) for word in args]
            absent = "this terminal has no hand on the cluster's clock"
            self._spawn(self._told(call, self._hooks.on_time, words, absent))
        elif name == "why":
            absent = "this terminal knows no reasons"
            self._spawn(self._told(call, self._hooks.on_why, _characters(args), absent))
        elif name == "hint":
            absent = "this terminal belongs to no lab"
            self._spawn(self._told(call, self._hooks.on_hint, _characters(args), absent))
        elif name == "fault":
            self._spawn(self._fault(call, _characters(args)))
        else:
            raise LookupError(f"no answer for the host call {name!r}")

    async def _told(
        self, call: str, hook: Callable[[_Asked], Awaitable[str]] | None, what: _Asked, absent: str
    ) -> None:
        try:
            if hook is None:
                raise ValueError(absent)
            self._answer(call, ["said", octets(f"{await hook(what)}\n")])
        except ValueError as error:
            self._answer(call, ["refused", octets(str(error))])

    async def _fault(self, call: str, what: dict[str, Any]) -> None:
        try:
            if self._hooks.on_fault is None:
                raise ValueError("from this terminal nothing can be made to fail")
            await self._hooks.on_fault(what)
            self._answer(call, ["done"])
        except ValueError as error:
            self._answer(call, ["refused", octets(str(error))])

    def _opened(self, call: str, said: str) -> None:
        self._answer(call, ["said", octets(said + "\n" if said else "")], last=False)
        if call not in self._edited:
            self._answer(call, ["done"])

    def waits_for(self, path: str) -> bool:
        """Does something in the terminal wait until this file is saved in the editor?"""
        return normal(path, self.console.options.home) in self._edited.values()

    def warn(self, text: str) -> None:
        """Tell those programs that wait for the cluster, as a warning that its API server sends meanwhile."""
        for call, running in self._running.items():
            if waits(running.argv) and not running.interrupted:
                said = f"Warning: {text}".encode() + (b"\r\n" if running.tty else b"\n")
                running.backlog += len(said)
                self._answer(call, ["out", 2, said.decode("latin-1")], last=False)

    def tell(self, call: str, data: Any) -> None:
        """More for a program that runs."""
        running = self._running.get(call)
        if running is None:
            return
        match data:
            case ["input", text]:
                if running.tty and (running.run is None or running.run.handles_signals):
                    text = self._signals(call, running, text)
                running.input.append(text.encode("latin-1"))
            case ["end"]:
                running.ended = True
            case ["took", count]:
                running.backlog -= count
            case ["resize", cols, rows] if running.run is not None:
                running.run.resize(cols, rows)
            case ["signal", "INT"]:
                self._interrupt(running)
        running.changed.set()

    def _signals(self, call: str, running: _Running, text: str) -> str:
        """Keys that mean signals to a program on the terminal, which may not have taken it yet; the other keys."""
        later = asyncio.get_running_loop().call_soon
        if "\x03" in text:
            later(lambda: self._answer(call, ["out", 1, "^C\r\n"], last=False))
            self._interrupt(running)
        if "\x1a" in text:
            later(lambda: self._answer(call, ["stop"], last=False))
        return text.replace("\x03", "").replace("\x1a", "")

    def drop(self, call: str) -> None:
        """The process that waited for a program, or for a file to be saved, has ended."""
        self._edited.pop(call, None)
        running = self._running.get(call)
        if running is not None:
            running.dropped = True
            self._interrupt(running)
            running.changed.set()

    def _interrupt(self, running: _Running) -> None:
        running.interrupted = running.ended = True
        if running.run is not None:
            running.run.interrupt()

    # --- the program ------------------------------------------------------------------------------

    async def _start(self) -> None:
        """Wait for one's turn: a flood of programs is slowed."""
        while True:
            now = time.monotonic()
            self._starts = min(float(STARTS), self._starts + (now - self._started) * STARTS_PER_SECOND)
            self._started = now
            if self._starts >= 1:
                self._starts -= 1
                return
            await asyncio.sleep(1 / STARTS_PER_SECOND)

    async def _run(self, call: str, running: _Running, args: Any) -> None:
        argv = running.argv = [characters(word) for word in args["argv"]]
        outcome = Outcome(126)
        try:
            await self._start()
            outcome = await self._serve(call, running, argv, args)
        except LoginError as error:
            self._answer(call, [str(error)])
            return
        except (ConfinementError, OSError) as error:
            self._answer(call, ["out", 2, octets(f"{argv[0]}: {error}\n")], last=False)
        finally:
            del self._running[call]
        if outcome.reason:
            self._answer(call, ["out", 2, octets(f"{argv[0]}: stopped: {outcome.reason}\n")], last=False)
        self._report()
        unread = b"".join([outcome.unread, *running.input]).decode("latin-1")
        self._answer(call, ["ended", outcome.status, outcome.interrupted, unread])

    async def _serve(self, call: str, running: _Running, argv: list[str], args: Any) -> Outcome:
        if running.interrupted:
            return Outcome(130, interrupted=True)
        login = "host" in args
        differs = not login and "diff" in subcommands(argv)[:1]
        run = running.run = self._log_in(argv, args) if login else self._begin(argv, args, differs)

        async def read() -> bytes | None:
            while not running.input:
                if running.ended:
                    return None
                running.changed.clear()
                await running.changed.wait()
            data = running.input.popleft()
            self._answer(call, ["more"], last=False)
            return data

        async def show(descriptor: int, data: bytes) -> None:
            if differs:
                data = data.replace(NO_DIFF, b"")
            running.backlog += len(data)
            self._answer(call, ["out", descriptor, data.decode("latin-1")], last=False)
            while running.backlog > QUEUE and not running.dropped:
                running.changed.clear()
                await running.changed.wait()

        outcome = await run.wait(read, show)
        if differs and (folders := self._program.kept(self.console.disk)):
            self._answer(call, ["differ", *map(octets, folders)], last=False)
        return outcome

    async def _complete(self, call: str, args: Any) -> None:
        self._answer(call, await self._completer.complete(args))

    def _begin(self, argv: list[str], args: Any, keeps: bool) -> Beside:
        return self._program.start(
            argv,
            self.console.disk,
            keeps=keeps,
            cwd=characters(args["cwd"]),
            env={characters(name): characters(value) for name, value in args["env"].items()},
            tty=args["tty"],
            size=(args["cols"], args["rows"]),
        )

    def _log_in(self, argv: list[str], args: Any) -> Beside:
        if self._hooks.logins is None:
            raise LoginError("unknown")
        size = (args["cols"], args["rows"])
        return self._hooks.logins.start(characters(args["host"]), argv, tty=args["tty"], size=size)


def _characters(args: dict[str, Any]) -> dict[str, Any]:
    """A host call's arguments with its texts as we write them."""
    return {key: characters(value) if isinstance(value, str) else value for key, value in args.items()}
