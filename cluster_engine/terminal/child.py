"""One running child process: its pipes or pseudo-terminal, on an asyncio loop.

It knows nothing of confinement or files; `confine.py` decides what to run and where.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import termios

from cluster_engine.linux.limits import KIB, MIB
from cluster_engine.terminal.beside import Outcome, Output, ReadInput

GRACE = 2.0
"""Seconds between SIGINT and SIGKILL."""
CHUNK = 32 * 1024
PAGE = os.sysconf("SC_PAGE_SIZE")


class Child:
    """One running program. `wait` serves it; `interrupt`, `resize`, `kill` act on it meanwhile."""

    def __init__(self, command: list[bytes], tty: bool, dimensions: tuple[int, int]) -> None:
        self._tty = tty
        self._killed = ""
        self._interrupted = False
        self._written = 0
        if tty:
            self._master, self._slave = os.openpty()
            _prepare_tty(self._slave)
            self.resize(*dimensions)
            inside = (self._slave, self._slave, self._slave)
            self._outputs = {self._master: 1}
        else:
            input_read, self._input_write = os.pipe()
            out_read, out_write = os.pipe()
            err_read, err_write = os.pipe()
            inside = (input_read, out_write, err_write)
            self._outputs = {out_read: 1, err_read: 2}
        try:
            self._process = subprocess.Popen(
                command,
                stdin=inside[0],
                stdout=inside[1],
                stderr=inside[2],
                env={},
                cwd="/",
                start_new_session=True,
                close_fds=True,
            )
        finally:
            if not tty:
                os.close(out_write)
                os.close(err_write)
        # Our end of the child's input stays open: what it leaves unread goes back to the shell.
        self._input_read = self._slave if tty else input_read
        if tty:
            self._input_write = self._master
        self._exit = os.pidfd_open(self._process.pid)
        for descriptor in dict.fromkeys([*self._outputs, self._input_write]):
            os.set_blocking(descriptor, False)

    # --- acting on it -----------------------------------------------------------------------

    def interrupt(self) -> None:
        """Ctrl-C: SIGINT now, SIGKILL after a grace."""
        self._interrupted = True
        self._signal(signal.SIGINT)
        asyncio.get_running_loop().call_later(GRACE, self.kill)

    def kill(self, reason: str = "") -> None:
        """End it now."""
        self._killed = self._killed or reason
        self._signal(signal.SIGKILL)

    def resize(self, cols: int, rows: int) -> None:
        """The terminal has another size."""
        if self._tty and self._master >= 0:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    @property
    def handles_signals(self) -> bool:
        """Do control characters mean signals on its terminal? A program that made it raw gets them as they are."""
        return self._tty and self._master >= 0 and bool(termios.tcgetattr(self._master)[3] & termios.ISIG)

    @property
    def memory(self) -> int:
        """Resident bytes; 0 once it is gone."""
        try:
            with open(f"/proc/{self._process.pid}/statm") as file:
                return int(file.read().split()[1]) * PAGE
        except (OSError, IndexError):
            return 0

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    # --- serving it -------------------------------------------------------------------------

    async def wait(
        self, stdin: ReadInput | None, on_output: Output, *, timeout: float, output_limit: int
    ) -> Outcome:
        """Move bytes until the program ends."""
        left: list[bytes] = []
        feeder = asyncio.ensure_future(self._feed(stdin, left))
        readers = [
            asyncio.ensure_future(self._read(descriptor, name, on_output, output_limit))
            for descriptor, name in self._outputs.items()
        ]
        try:
            async with asyncio.timeout(timeout):
                await _ready(self._exit)
        except TimeoutError:
            self.kill(f"more than {timeout:.0f} seconds")
            await _ready(self._exit)
        finally:
            feeder.cancel()
            self._signal(signal.SIGKILL)
            self._process.wait()
            if self._tty:
                for reader in readers:
                    reader.cancel()
            await asyncio.gather(feeder, *readers, return_exceptions=True)
            unread = self._take_back(left)
            rest = self._drain_tty() if self._tty else b""
            self._close()
        if rest:
            await on_output(1, rest)
        status = -signal.SIGKILL if self._killed else self._process.returncode
        died = self._interrupted or status == -signal.SIGINT
        return Outcome(128 - status if status < 0 else status, unread, died, self._killed)

    async def _feed(self, stdin: ReadInput | None, left: list[bytes]) -> None:
        if self._tty and stdin is None:
            return
        while True:
            data = await stdin() if stdin is not None else None
            if data is None:
                if not self._tty:
                    os.close(self._input_write)
                    self._input_write = -1
                return
            view = memoryview(data)
            left[:] = [data]
            while view:
                try:
                    written = os.write(self._input_write, view[:CHUNK])
                except BlockingIOError:
                    await _ready(self._input_write, write=True)
                    continue
                view = view[written:]
                left[:] = [bytes(view)] if view else []

    async def _read(self, descriptor: int, name: int, on_output: Output, limit: int) -> None:
        while True:
            await _ready(descriptor)
            try:
                data = os.read(descriptor, CHUNK)
            except BlockingIOError:
                continue
            except OSError:
                return
            if not data:
                return
            self._written += len(data)
            if self._written > limit:
                self.kill(f"more than {size(limit)} of output")
                return
            await on_output(name, data)

    def _take_back(self, left: list[bytes]) -> bytes:
        """Input that was written but never read."""
        if self._tty:
            attributes = termios.tcgetattr(self._input_read)
            attributes[3] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(self._input_read, termios.TCSANOW, attributes)
        os.set_blocking(self._input_read, False)
        taken: list[bytes] = []
        with contextlib.suppress(OSError):
            while data := os.read(self._input_read, CHUNK):
                taken.append(data)
        return b"".join([*taken, *left])

    def _drain_tty(self) -> bytes:
        data: list[bytes] = []
        with contextlib.suppress(OSError):
            while chunk := os.read(self._master, CHUNK):
                data.append(chunk)
        return b"".join(data)

    def _close(self) -> None:
        descriptors = [*self._outputs, self._input_read, self._exit]
        if not self._tty and self._input_write >= 0:
            descriptors.append(self._input_write)
        for descriptor in descriptors:
            os.close(descriptor)
        if self._tty:
            self._master = -1


def size(count: int) -> str:
    """A limit in words: `1 MiB`, `64 KiB`."""
    if count >= MIB and count % MIB == 0:
        return f"{count // MIB} MiB"
    return f"{count // KIB} KiB" if count >= KIB and count % KIB == 0 else f"{count} bytes"


async def _ready(descriptor: int, *, write: bool = False) -> None:
    """Wait until a descriptor can be read (or written)."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not future.done():
            future.set_result(None)

    add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
    add(descriptor, wake)
    try:
        await future
    finally:
        remove(descriptor)


def _prepare_tty(descriptor: int) -> None:
    attributes = termios.tcgetattr(descriptor)
    attributes[0] |= 0o040000  # IUTF8: Backspace takes a whole character back.
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
