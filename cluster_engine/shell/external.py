"""A run of a real program, seen from inside the shell.

The kernel side moves bytes between the shell's streams and two bounded queues; the host side
(`session.py`, or `run_line` for synchronous users) moves them between the queues and the child.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .errors import BrokenPipe
from .kernel import HostCall, Kernel, Task
from .streams import Stream

QUEUE = 64 * 1024


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """What to run. `tty`: all three standard streams are the terminal."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    tty: bool


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How it ended. `unread`: input the child never took; `interrupted`: Ctrl-C killed it."""

    status: int
    unread: bytes = b""
    interrupted: bool = False


class ExecCall(HostCall):
    """`HostCall("exec", request)` with streams."""

    def __init__(self, kernel: Kernel, request: ExecRequest) -> None:
        super().__init__(kernel, "exec", request)
        self.request = request
        self.result: ExecResult = ExecResult(127)
        self.on_input: Callable[[], None] = lambda: None
        """Called when `take_input` may have more."""
        self.on_room: Callable[[], None] = lambda: None
        """Called when `backlog` has shrunk."""
        self.on_resize: Callable[[int, int], None] = lambda cols, rows: None
        self.gathered = bytearray()
        """For synchronous drivers, which run the program once its whole input is known."""
        self.backlog = 0
        self._input = bytearray()
        self._input_ended = False
        self._output: deque[tuple[int, bytes]] = deque()

    # --- the host's side --------------------------------------------------------------------

    def take_input(self, limit: int = QUEUE) -> bytes | None:
        """Input for the child: bytes (empty: nothing now) or None at its end."""
        if not self._input:
            return None if self._input_ended else b""
        data = bytes(self._input[:limit])
        del self._input[:limit]
        self.changed.fire()
        return data

    def push_input(self, data: bytes) -> None:
        """Typed input, straight from the terminal (only with `request.tty`)."""
        if len(self._input) < QUEUE:
            self._input += data
            self.on_input()

    def feed(self, descriptor: int, data: bytes) -> None:
        """Output of the child on 1 or 2. Wait for `on_room` while `backlog` is above QUEUE."""
        if not self.cancelled and data:
            self.backlog += len(data)
            self._output.append((descriptor, data))
            self.changed.fire()

    def cancel(self) -> None:
        super().cancel()
        self.on_input()
        self.on_room()

    # --- the kernel's side ------------------------------------------------------------------

    async def run(self, io: Mapping[int, Stream]) -> ExecResult:
        """Begin the call and move bytes until the host resolves it."""
        self._kernel.calls.append(self)
        pump: Task | None = None
        broken: BrokenPipe | None = None
        if not self.request.tty and 0 in io:
            pump = self._kernel.spawn(self._pump(io[0]))
        else:
            self._input_ended = not self.request.tty
        try:
            while True:
                while self._output:
                    descriptor, data = self._output.popleft()
                    self.backlog -= len(data)
                    self.on_room()
                    if descriptor in io and broken is None:
                        try:
                            await io[descriptor].write(data)
                        except BrokenPipe as error:
                            # End it, but wait for what it left unread: that may be the next line, typed ahead.
                            broken = error
                            self.on_cancel()
                if self.resolved:
                    break
                await self.changed.wait()
        finally:
            self._kernel.calls.remove(self)
            if not self.resolved:
                self.cancel()
            if pump is not None:
                self._kernel.kill(pump)
        left = self.result.unread + bytes(self._input)
        if left and 0 in io:
            io[0].unread(left)
        if broken is not None:
            raise broken
        return self.result

    async def _pump(self, stdin: Stream) -> int:
        while True:
            while len(self._input) >= QUEUE:
                await self.changed.wait()
            data = await stdin.read()
            if not data:
                self._input_ended = True
                self.on_input()
                return 0
            self._input += data
            self.on_input()
