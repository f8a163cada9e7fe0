"""A small deterministic kernel: coroutines, bounded pipes, budgets; no clock, no threads.

A shell process is a coroutine. It runs until it waits on a `Signal` (a pipe, a child, the host)
or until the slice is used up. First in, first out: the same input gives the same interleaving.

What lies outside (a real program, the passing of time) is a `HostCall`: the kernel hands it to
the host through `Blocked` and goes on when the host resolves it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any

from .errors import BrokenPipe, Interrupted, Stopped
from .limits import DEFAULT, Limits, size

SIGINT_STATUS = 130
SIGPIPE_STATUS = 141
STOPPED_STATUS = 137


class _Trap:
    """Yielded to the kernel: `signal` to wait on, or None at the end of a slice."""

    __slots__ = ("signal",)

    def __init__(self, signal: Signal | None) -> None:
        self.signal = signal

    def __await__(self) -> Generator[_Trap, None, None]:
        yield self


_PAUSE = _Trap(None)
_YIELD = _Trap(None)
QUANTUM = 100
"""Steps after which a process lets the next one run, so that `loop | head -1` ends soon."""


class Signal:
    """Something to wait for. Waiters re-check their condition when they wake."""

    __slots__ = ("_kernel", "_trap", "outside", "waiters")

    def __init__(self, kernel: Kernel, outside: bool = False) -> None:
        self._kernel = kernel
        self._trap = _Trap(self)
        self.outside = outside
        self.waiters: list[Task] = []

    async def wait(self) -> None:
        """Park the running task until `fire`."""
        await self._trap

    def fire(self) -> None:
        """Wake every waiter."""
        waiters, self.waiters = self.waiters, []
        for task in waiters:
            self._kernel.wake(task)


class Task:
    """One process of the shell: a pipeline member, a substitution, the line itself."""

    __slots__ = ("coro", "done", "finished", "status", "waiting_on")

    def __init__(self, kernel: Kernel, coro: Coroutine[Any, Any, int]) -> None:
        self.coro = coro
        self.done = False
        self.status = 0
        self.finished = Signal(kernel)
        self.waiting_on: Signal | None = None


class HostCall:
    """A request to the host: `name` with `args`; the host answers with `resolve`."""

    def __init__(self, kernel: Kernel, name: str, *args: Any) -> None:
        self.name = name
        self.args = args
        self.changed = Signal(kernel, outside=True)
        self.result: Any = None
        self.resolved = False
        self.cancelled = False
        self.taken = False
        """For the host: set once it has begun to serve the call."""
        self.on_cancel: Callable[[], object] = lambda: None
        """For the host: called when nobody waits for the answer any more."""
        self._kernel = kernel

    def resolve(self, result: Any = None) -> None:
        """The host's answer; late answers to a cancelled call are ignored."""
        if self.resolved or self.cancelled:
            return
        self.result, self.resolved = result, True
        self.changed.fire()

    def cancel(self) -> None:
        """The line no longer waits for this."""
        if not self.cancelled:
            self.cancelled = True
            self.on_cancel()

    async def wait(self) -> Any:
        """Wait for the host's answer."""
        self._kernel.calls.append(self)
        try:
            while not self.resolved:
                await self.changed.wait()
            return self.result
        finally:
            self._kernel.calls.remove(self)
            if not self.resolved:
                self.cancel()


@dataclass(frozen=True, slots=True)
class Done:
    """The line has ended."""

    status: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """Every process waits for the outside: for `calls`, or for typed input."""

    calls: tuple[HostCall, ...]
    reads_tty: bool


@dataclass(frozen=True, slots=True)
class Paused:
    """The slice is used up; there is more to do."""


@dataclass
class Usage:
    """What the running command line has used so far."""

    steps: int = 0
    output: int = 0
    externals: int = 0
    held: int = 0


class Kernel:
    """Runs the processes of one shell; one command line at a time."""

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self.limits = limits
        self.usage = Usage()
        self.calls: list[HostCall] = []
        self.message = ""
        """Why the last line was stopped, if it was; the owner of the terminal prints it."""
        self._ready: deque[Task] = deque()
        self._tasks: list[Task] = []
        self._main: Task | None = None
        self._slice_end = 0
        self._quantum_end = 0
        self._paused = False

    # --- one line ---------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Is a line running?"""
        return self._main is not None

    def start(self, coro: Coroutine[Any, Any, int]) -> None:
        """Begin a command line with fresh budgets."""
        if self._main is not None:
            coro.close()
            raise RuntimeError("a command line is running")
        self.usage = Usage()
        self.message = ""
        self._main = self._add(coro)

    def run(self, max_steps: int = 10_000) -> Done | Blocked | Paused:
        """Run until the line ends, waits for the outside, or used `max_steps` steps."""
        self._slice_end = self.usage.steps + max_steps
        while self._main is not None:
            if not self._ready:
                return self._blocked()
            self._paused = False
            self._resume(self._ready.popleft())
            if self._main is not None and self._main.done:
                return self._end(self._main.status)
            if self._paused or self.usage.steps >= self._slice_end:
                return Paused() if self._main is not None else Done(STOPPED_STATUS)
        return Done(self._last_status)

    def interrupt(self) -> Done:
        """Ctrl-C: every process of the line dies."""
        self.message = ""
        return self._end(SIGINT_STATUS)

    _last_status = 0

    def _end(self, status: int) -> Done:
        tasks, self._tasks = self._tasks, []
        self._main = None
        for task in reversed(tasks):
            if not task.done:
                task.done = True
                task.coro.close()
        self._ready.clear()
        self.calls.clear()
        self._last_status = status
        return Done(status)

    def _blocked(self) -> Blocked:
        waits = [task.waiting_on for task in self._tasks if task.waiting_on is not None]
        reads_tty = False
        for signal in waits:
            if signal.outside and not any(call.changed is signal for call in self.calls):
                reads_tty = True
        if not self.calls and not reads_tty:
            raise RuntimeError("the shell's processes wait for one another")
        return Blocked(tuple(self.calls), reads_tty)

    # --- processes --------------------------------------------------------------------------

    def spawn(self, coro: Coroutine[Any, Any, int]) -> Task:
        """Start another process of this line."""
        if len(self._tasks) >= self.limits.processes:
            coro.close()
            raise Stopped(f"more than {self.limits.processes} processes at a time")
        self.usage.steps += 5
        return self._add(coro)

    async def join(self, task: Task) -> int:
        """Wait for a process and return its status."""
        while not task.done:
            await task.finished.wait()
        return task.status

    def kill(self, task: Task) -> None:
        """End a process now, without a word."""
        if not task.done:
            if task.waiting_on is not None and task in task.waiting_on.waiters:
                task.waiting_on.waiters.remove(task)
            self._finish(task, SIGPIPE_STATUS)
            task.coro.close()

    def wake(self, task: Task) -> None:
        """Put a waiting task back into the queue."""
        if not task.done:
            task.waiting_on = None
            self._ready.append(task)

    def _add(self, coro: Coroutine[Any, Any, int]) -> Task:
        task = Task(self, coro)
        self._tasks.append(task)
        self._ready.append(task)
        return task

    def _finish(self, task: Task, status: int) -> None:
        task.done, task.status = True, status
        if task in self._tasks:
            self._tasks.remove(task)
        task.finished.fire()

    def _resume(self, task: Task) -> None:
        if task.done:
            return
        self._quantum_end = self.usage.steps + QUANTUM
        try:
            trap: _Trap = task.coro.send(None)
        except StopIteration as stop:
            self._finish(task, int(stop.value or 0))
        except BrokenPipe:
            self._finish(task, SIGPIPE_STATUS)
        except Stopped as stopped:
            self.message = f"stopped: {stopped}"
            self._end(STOPPED_STATUS)
        except Interrupted:
            self._end(SIGINT_STATUS)
        except RecursionError:
            self.message = "stopped: nested too deep"
            self._end(STOPPED_STATUS)
        else:
            if trap.signal is None:
                self._paused = trap is _PAUSE
                self._ready.append(task)
            else:
                task.waiting_on = trap.signal
                trap.signal.waiters.append(task)

    # --- budgets ----------------------------------------------------------------------------

    async def tick(self, steps: int = 1) -> None:
        """Count work; pauses at the end of the slice, stops the line at its limit."""
        usage = self.usage
        usage.steps += steps
        if usage.steps > self.limits.steps:
            raise Stopped(f"more than {self.limits.steps:,} steps in one command line")
        if usage.steps >= self._slice_end:
            await _PAUSE
        elif self._ready and usage.steps >= self._quantum_end:
            await _YIELD

    def count_output(self, count: int) -> None:
        """Count bytes on their way to the terminal."""
        self.usage.output += count
        if self.usage.output > self.limits.output:
            raise Stopped(f"more than {size(self.limits.output)} of output in one command line")

    def count_external(self) -> None:
        """Count a run of an external program."""
        self.usage.externals += 1
        if self.usage.externals > self.limits.externals:
            raise Stopped(f"more than {self.limits.externals} external programs in one command line")
