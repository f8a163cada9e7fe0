"""What a file descriptor can be: a pipe, an open file, the terminal, bytes, nothing.

Streams carry bytes. `readline` never takes more than the line, so that `read` in a loop and a
command after it can share one input. A stream belongs to whoever opened it; with no background
jobs a process always outlives its children, so no reference counts are needed.
"""

from __future__ import annotations

from collections.abc import Callable

from .errors import BrokenPipe, ShellError, Stopped, VfsError
from .kernel import Kernel, Signal
from .limits import MAX_TEXT_LINE, PIPE_CAPACITY, size
from .vfs import Vfs

CHUNK = 16 * 1024


class Stream:
    """The protocol, and the answers of a stream that is not open for reading or writing."""

    is_tty = False

    async def read(self, limit: int = CHUNK) -> bytes:
        """At most `limit` bytes; empty at the end."""
        raise ShellError("not open for reading", 1)

    async def readline(self) -> bytes:
        """One line with its newline (or the rest); empty at the end."""
        raise ShellError("not open for reading", 1)

    async def write(self, data: bytes) -> None:
        """Write everything, waiting for room where needed."""
        raise ShellError("not open for writing", 1)

    def unread(self, data: bytes) -> None:
        """Give bytes back that a program was handed but never read."""

    def close(self) -> None:
        """The opener is finished with the stream."""


class Null(Stream):
    """`/dev/null`."""

    async def read(self, limit: int = CHUNK) -> bytes:
        return b""

    async def readline(self) -> bytes:
        return b""

    async def write(self, data: bytes) -> None:
        return None


class Closed(Stream):
    """A descriptor closed with `>&-`."""


class Source(Stream):
    """Bytes to read: a here-document, an opened file, the input of `run_line`."""

    def __init__(self, kernel: Kernel, data: bytes) -> None:
        self._kernel = kernel
        self._data = data
        self._at = 0

    async def read(self, limit: int = CHUNK) -> bytes:
        chunk = self._data[self._at : self._at + limit]
        self._at += len(chunk)
        await self._kernel.tick(1 + len(chunk) // 1024)
        return chunk

    async def readline(self) -> bytes:
        end = self._data.find(b"\n", self._at, self._at + MAX_TEXT_LINE)
        stop = end + 1 if end >= 0 else min(len(self._data), self._at + MAX_TEXT_LINE)
        line = self._data[self._at : stop]
        self._at = stop
        await self._kernel.tick(1 + len(line) // 1024)
        return line

    def unread(self, data: bytes) -> None:
        self._at = max(0, self._at - len(data))


class FileWriter(Stream):
    """A file of the virtual file system, opened for writing."""

    def __init__(self, kernel: Kernel, vfs: Vfs, path: str, append: bool) -> None:
        self._kernel = kernel
        self._vfs = vfs
        self._path = path
        if append and vfs.is_file(path):
            vfs.write(path, b"", append=True)
        else:
            vfs.write(path, b"")

    async def write(self, data: bytes) -> None:
        try:
            self._vfs.write(self._path, data, append=True)
        except VfsError as error:
            raise Stopped(str(error)) from None
        await self._kernel.tick(1 + len(data) // 1024)


class Sink(Stream):
    """An end of the line's output: the terminal, or a buffer of `run_line`."""

    def __init__(self, kernel: Kernel, write: Callable[[bytes], None], is_tty: bool = False) -> None:
        self._kernel = kernel
        self._write = write
        self.is_tty = is_tty

    async def write(self, data: bytes) -> None:
        self._kernel.count_output(len(data))
        self._write(data)
        await self._kernel.tick(1 + len(data) // 1024)


class Collector(Stream):
    """The output of a command substitution."""

    def __init__(self, kernel: Kernel, limit: int) -> None:
        self._kernel = kernel
        self._limit = limit
        self.data = bytearray()

    async def write(self, data: bytes) -> None:
        if len(self.data) + len(data) > self._limit:
            raise Stopped(f"more than {size(self._limit)} in one command substitution")
        self.data += data
        await self._kernel.tick(1 + len(data) // 1024)


class TtyInput(Stream):
    """Typed lines, as the terminal's line discipline hands them over."""

    is_tty = True

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._data = bytearray()
        self._eof = False
        self._ready = Signal(kernel, outside=True)

    def push(self, data: bytes) -> None:
        """A finished line arrives."""
        self._data += data
        self._ready.fire()

    def push_eof(self) -> None:
        """Ctrl-D on an empty line: one reader sees the end."""
        self._eof = True
        self._ready.fire()

    def drain(self) -> bytes:
        """What nobody read: it belongs to the next prompt."""
        data, self._data, self._eof = bytes(self._data), bytearray(), False
        return data

    def unread(self, data: bytes) -> None:
        self._data[:0] = data

    async def read(self, limit: int = CHUNK) -> bytes:
        while not self._data and not self._eof:
            await self._ready.wait()
        if not self._data:
            self._eof = False
            return b""
        chunk = bytes(self._data[:limit])
        del self._data[:limit]
        await self._kernel.tick()
        return chunk

    async def readline(self) -> bytes:
        while not self._data and not self._eof:
            await self._ready.wait()
        end = self._data.find(b"\n") + 1 or len(self._data)
        if end == 0:
            self._eof = False
        return await self.read(end) if end else b""


class _PipeEnd(Stream):
    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe


class PipeReader(_PipeEnd):
    """The reading end of a pipe."""

    async def read(self, limit: int = CHUNK) -> bytes:
        pipe = self.pipe
        while not pipe.data and not pipe.writer_closed:
            await pipe.readable.wait()
        chunk = bytes(pipe.data[:limit])
        del pipe.data[:limit]
        pipe.writable.fire()
        await pipe.kernel.tick(1 + len(chunk) // 1024)
        return chunk

    async def readline(self) -> bytes:
        pipe = self.pipe
        line = bytearray()
        while True:
            end = pipe.data.find(b"\n") + 1
            take = end or len(pipe.data)
            line += pipe.data[:take]
            del pipe.data[:take]
            pipe.writable.fire()
            if end or len(line) >= MAX_TEXT_LINE or (pipe.writer_closed and not pipe.data):
                await pipe.kernel.tick(1 + len(line) // 1024)
                return bytes(line)
            if not pipe.data:
                await pipe.readable.wait()

    def unread(self, data: bytes) -> None:
        self.pipe.data[:0] = data

    def close(self) -> None:
        self.pipe.reader_closed = True
        self.pipe.data.clear()
        self.pipe.writable.fire()


class PipeWriter(_PipeEnd):
    """The writing end of a pipe."""

    async def write(self, data: bytes) -> None:
        pipe = self.pipe
        view = memoryview(data)
        while True:
            if pipe.reader_closed:
                raise BrokenPipe
            room = PIPE_CAPACITY - len(pipe.data)
            if room > 0:
                pipe.data += view[:room]
                view = view[room:]
                pipe.readable.fire()
                await pipe.kernel.tick(1)
            if not view:
                return
            if len(pipe.data) >= PIPE_CAPACITY and not pipe.reader_closed:
                await pipe.writable.wait()

    def close(self) -> None:
        self.pipe.writer_closed = True
        self.pipe.readable.fire()


class Pipe:
    """A bounded pipe between two processes of one line."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.data = bytearray()
        self.reader_closed = False
        self.writer_closed = False
        self.readable = Signal(kernel)
        self.writable = Signal(kernel)
        self.reader = PipeReader(self)
        self.writer = PipeWriter(self)
