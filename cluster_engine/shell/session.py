"""One learner's terminal on an event loop: `Terminal` + `Shell` + the confined program.

The shell's kernel works in small slices with the loop getting its turn in between, so a busy
line never starves a neighbour; sleeps are the loop's, programs run beside it. This is the only
module of the shell, with `confine`, that knows of asyncio.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .completion import Offer, Request
from .confine import ConfinedProgram, ConfinementError
from .context import External, Host
from .external import QUEUE, ExecCall, ExecResult
from .kernel import HostCall, Paused
from .kubectl import KUBECTL, parse_completions
from .limits import DEFAULT, Limits
from .shell import Result, Shell
from .tty import Terminal, default_prompt
from .vfs import Vfs, normal, parent_of

SLICE_STEPS = 500
SLICE_SECONDS = 0.003
"""The loop's neighbours wait no longer than about this for a busy shell."""
COMPLETION_SECONDS = 5.0
MAX_FRAME = 64 * 1024
COMMAND_OUTPUT = 1024 * 1024

FileChange = tuple[str, bytes | None]


@dataclass(slots=True)
class SessionHooks:
    """What the session tells its host. Paths are absolute; content None: the file is gone."""

    on_output: Callable[[bytes], None] = lambda data: None
    on_files_changed: Callable[[list[FileChange]], None] = lambda changes: None
    on_edit: Callable[[str], None] | None = None
    on_exit: Callable[[int], None] = lambda status: None
    on_kubeconfig: Callable[[str], None] = lambda text: None
    now: Callable[[], int] = lambda: time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Who sits at the terminal."""

    home: str = "/home/learner"
    user: str = "learner"
    hostname: str = "drydock"
    env: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=lambda: {"k": "kubectl", "ll": "ls -l"})
    banner: str = ""
    cols: int = 80
    rows: int = 24
    limits: Limits = DEFAULT


class TerminalSession:
    """Feed it keys, show its output; it ends with `close`."""

    def __init__(
        self,
        vfs: Vfs,
        program: ConfinedProgram,
        hooks: SessionHooks,
        options: SessionOptions | None = None,
        *,
        external: External = KUBECTL,
    ) -> None:
        chosen = options or SessionOptions()
        self.vfs = vfs
        self.closed = False
        self._program = program
        self._external = external
        self._hooks = hooks
        self._options = chosen
        self._wake = asyncio.Event()
        self._serving: dict[asyncio.Task[None], None] = {}
        self._kubeconfig = program.kubeconfig
        vfs.mkdir(chosen.home, parents=True)
        environment = {
            "HOME": chosen.home,
            "USER": chosen.user,
            "HOSTNAME": chosen.hostname,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            **chosen.env,
        }
        self.shell = Shell(
            vfs,
            environment,
            {external.name: external},
            Host(now=hooks.now, open_editor=self._edit if hooks.on_edit else None),
            cwd=chosen.home,
            aliases=chosen.aliases,
            limits=chosen.limits,
        )
        self.terminal = Terminal(
            self.shell,
            hooks.on_output,
            prompt=default_prompt,
            complete=self._complete,
            banner=chosen.banner,
            cols=chosen.cols,
            rows=chosen.rows,
        )
        self._worker = self._begin()

    # --- the outer surface ------------------------------------------------------------------

    def feed(self, text: str | bytes) -> None:
        """Input from the browser (at most MAX_FRAME at a time; the rest of a frame is dropped)."""
        if not self.closed:
            self.terminal.feed(text[:MAX_FRAME])
            self._wake.set()

    def resize(self, cols: int, rows: int) -> None:
        """The browser's terminal has another size."""
        if not self.closed:
            self.terminal.resize(cols, rows)

    def redraw(self) -> None:
        """Show the prompt again, for a browser that came back."""
        if not self.closed:
            self.terminal.redraw()

    def files(self) -> dict[str, bytes]:
        """The files below the home folder."""
        return self.vfs.files(self._options.home)

    def save(self, path: str, content: bytes | str) -> None:
        """Write a file from outside (the editor pane). `VfsError` if it does not fit."""
        target = normal(path, self._options.home)
        self.vfs.mkdir(parent_of(target), parents=True)
        self.vfs.write(target, content.encode() if isinstance(content, str) else content)
        self._report()

    async def run_command(
        self, argv: Sequence[str], files: Mapping[str, str | bytes] | None = None, *, timeout: float = 60.0
    ) -> Result:
        """Run the program once beside the terminal (the editor's Apply button).

        `files` are saved first; the result has status, out and err.
        """
        for path, content in (files or {}).items():
            self.save(path, content)
        refusal = self._external.refuse(list(argv))
        if refusal is not None:
            return Result(1, b"", f"{argv[0]}: {refusal}\n".encode())
        collected = {1: bytearray(), 2: bytearray()}

        async def keep(descriptor: int, data: bytes) -> None:
            collected[descriptor] += data

        try:
            outcome = await self._program.run(
                argv,
                self.vfs,
                cwd=self._options.home,
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
        """End the terminal and everything it runs. The program's folder is its owner's to close."""
        if self.closed:
            return
        self.closed = True
        if self.shell.kernel.busy:
            self.shell.kernel.interrupt()
        self._worker.cancel()
        tasks = [self._worker, *self._serving]
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._report()

    # --- the loop ---------------------------------------------------------------------------

    def _begin(self) -> asyncio.Task[None]:
        worker = asyncio.ensure_future(self._work())
        worker.add_done_callback(self._worker_ended)
        return worker

    def _worker_ended(self, worker: asyncio.Task[None]) -> None:
        """A mistake in one command ends its line, never the terminal; the loop's handler is told."""
        if worker.cancelled() or (error := worker.exception()) is None:
            return
        asyncio.get_running_loop().call_exception_handler(
            {"message": "a shell command failed unexpectedly", "exception": error, "task": worker}
        )
        if not self.closed:
            self.terminal.recover("stopped: an internal error of the shell; it was reported")
            self._worker = self._begin()

    async def _work(self) -> None:
        while not self.closed:
            began = time.monotonic()
            paused = False
            while time.monotonic() - began < SLICE_SECONDS:
                state = self.terminal.run(SLICE_STEPS)
                self._serve()
                paused = isinstance(state, Paused)
                if not paused:
                    break
            if self.terminal.closed:
                self._report()
                self._hooks.on_exit(self.shell.exited or 0)
                return
            if paused:
                # Leave the loop as much time as was taken.
                await asyncio.sleep(SLICE_SECONDS)
                continue
            self._report()
            self._wake.clear()
            await self._wake.wait()

    def _report(self) -> None:
        changes = self.vfs.changes()
        if changes:
            self._hooks.on_files_changed(changes)

    def _edit(self, path: str) -> str:
        self._report()
        assert self._hooks.on_edit is not None
        self._hooks.on_edit(path)
        return f"{path} is open in the editor."

    def _serve(self) -> None:
        """Begin to answer new host calls."""
        for call in self.shell.kernel.calls:
            if call.taken:
                continue
            call.taken = True
            if isinstance(call, ExecCall):
                # Ctrl-C, a closed pipe, a budget: `_exec` has the program interrupted.
                self._keep(asyncio.ensure_future(self._exec(call)))
            elif call.name == "sleep":
                task = asyncio.ensure_future(self._sleep(call))
                call.on_cancel = task.cancel
                self._keep(task)
            else:
                raise LookupError(f"no answer for the host call {call.name!r}")

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._serving[task] = None
        task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._serving.pop(task, None)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def _sleep(self, call: HostCall) -> None:
        await asyncio.sleep(min(float(call.args[0]), 86_400.0))
        call.resolve()

    async def _exec(self, call: ExecCall) -> None:
        result = ExecResult(126)
        try:
            result = await self._run(call)
        except (ConfinementError, OSError) as error:
            call.feed(2, f"{call.request.argv[0]}: {error}\n".encode())
        finally:
            call.resolve(result)
        self._report()
        text = self._program.kubeconfig if not self._program.closed else self._kubeconfig
        if text != self._kubeconfig:
            self._kubeconfig = text
            self._hooks.on_kubeconfig(text)

    async def _run(self, call: ExecCall) -> ExecResult:
        request = call.request
        arrived, room = asyncio.Event(), asyncio.Event()
        call.on_input, call.on_room = arrived.set, room.set
        run = self._program.start(
            request.argv,
            self.vfs,
            cwd=request.cwd,
            env=request.env,
            tty=request.tty,
            size=self.shell.size,
        )
        call.on_resize = run.resize
        call.on_cancel = run.interrupt

        async def read() -> bytes | None:
            while True:
                data = call.take_input()
                if data is None or data:
                    self._wake.set()
                    return data
                arrived.clear()
                await arrived.wait()

        async def show(descriptor: int, data: bytes) -> None:
            call.feed(descriptor, data)
            self._wake.set()
            while call.backlog > QUEUE and not call.cancelled:
                room.clear()
                await room.wait()

        outcome = await run.wait(read, show)
        if outcome.reason:
            call.feed(2, f"{request.argv[0]}: stopped: {outcome.reason}\n".encode())
        return ExecResult(outcome.status, outcome.unread, outcome.interrupted)

    # --- completion -------------------------------------------------------------------------

    def _complete(self, request: Request, words: list[str]) -> None:
        if len([task for task in self._serving if task.get_name() == "complete"]) < 2:
            task = asyncio.ensure_future(self._ask(request, words))
            task.set_name("complete")
            self._keep(task)

    async def _ask(self, request: Request, words: list[str]) -> None:
        out = bytearray()

        async def keep(descriptor: int, data: bytes) -> None:
            if descriptor == 1:
                out.extend(data)

        found = Offer()
        try:
            outcome = await self._program.run(
                [words[0], "__complete", *words[1:]],
                self.vfs,
                cwd=self.shell.process.cwd,
                env=self.shell.process.environment(),
                on_output=keep,
                timeout=COMPLETION_SECONDS,
                output_limit=COMMAND_OUTPUT,
            )
            if outcome.status == 0:
                found = parse_completions(out.decode("utf-8", "replace"))
        except (ConfinementError, OSError):
            found = Offer()
        if not self.closed:
            self.terminal.offer(request, found)
