"""What a command sees: its streams, files, variables and the host."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import Stopped, VfsError
from .kernel import HostCall, Kernel
from .limits import size
from .streams import Closed, Source, Stream
from .vfs import IS_DIRECTORY, NO_ENTRY, Vfs

if TYPE_CHECKING:
    from .process import Process

CLOSED = Closed()


@dataclass(frozen=True, slots=True)
class Command:
    """One entry of the command table."""

    name: str
    summary: str
    run: Callable[[Context, list[str]], Awaitable[int]]
    special: bool = False
    """A special builtin of POSIX: prefix assignments stay, functions cannot hide it."""
    usage: str = ""


@dataclass(frozen=True, slots=True)
class External:
    """A program that the host runs. `refuse` may answer a call with a message instead."""

    name: str
    summary: str = ""
    refuse: Callable[[list[str]], str | None] = lambda argv: None


@dataclass(slots=True)
class Host:
    """What the shell asks of its surroundings, synchronously and deterministically.

    Whatever takes time goes through `Context.call` instead and is answered by the driver.
    """

    now: Callable[[], int] = lambda: 0
    """µs since the Unix epoch."""
    open_editor: Callable[[str], str] | None = None
    """Open a file (absolute path) for the user; returns what to print."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """For commands of other packages (containers)."""


class Context:
    """Handed to `Command.run`."""

    __slots__ = ("_held", "io", "kernel", "name", "process")

    def __init__(self, process: Process, name: str, io: dict[int, Stream]) -> None:
        self.process = process
        self.name = name
        self.io = io
        self.kernel: Kernel = process.shell.kernel
        self._held = 0

    # --- where we are -----------------------------------------------------------------------

    @property
    def vfs(self) -> Vfs:
        """The file system."""
        return self.process.shell.vfs

    @property
    def env(self) -> dict[str, str]:
        """The exported variables (a copy)."""
        return self.process.environment()

    @property
    def cwd(self) -> str:
        """The current directory."""
        return self.process.cwd

    @property
    def host(self) -> Host:
        """The host's hooks."""
        return self.process.shell.host

    def path(self, name: str) -> str:
        """`name` as an absolute path."""
        return self.process.path(name)

    # --- streams ----------------------------------------------------------------------------

    @property
    def stdin(self) -> Stream:
        """Descriptor 0."""
        return self.io.get(0, CLOSED)

    @property
    def stdout(self) -> Stream:
        """Descriptor 1."""
        return self.io.get(1, CLOSED)

    @property
    def stderr(self) -> Stream:
        """Descriptor 2."""
        return self.io.get(2, CLOSED)

    async def out(self, text: str) -> None:
        """Write text to standard output."""
        if text:
            await self.stdout.write(encode(text))

    async def error(self, message: str) -> None:
        """`<command>: <message>` on standard error."""
        stderr = self.stderr
        if stderr is not CLOSED:
            await stderr.write(encode(f"{self.name}: {message}\n"))

    async def open(self, name: str) -> Stream:
        """A file to read; `-` is standard input."""
        if name == "-":
            return self.stdin
        special = self.process.evaluator.device(name, self.io)
        if special is not None:
            return special
        try:
            return Source(self.kernel, self.vfs.read(self.path(name)))
        except VfsError as error:
            raise VfsError(name, error.reason) from None

    async def read_all(self, stream: Stream) -> bytes:
        """Everything a stream still has, within the buffer limit."""
        data = bytearray()
        while chunk := await stream.read():
            data += chunk
            self._hold(len(chunk))
        return bytes(data)

    def _hold(self, count: int) -> None:
        limits, usage = self.kernel.limits, self.kernel.usage
        self._held += count
        usage.held += count
        if self._held > limits.buffer:
            raise Stopped(f"{self.name} would hold more than {size(limits.buffer)} in memory")
        if usage.held > limits.held:
            raise Stopped(f"one command line would hold more than {size(limits.held)} in memory")

    def release(self) -> None:
        """The command has ended: what it held is free again."""
        self.kernel.usage.held -= self._held
        self._held = 0

    async def input(self, names: list[str]) -> tuple[str, int]:
        """All text of the named files (or standard input) and 1 if one could not be read."""
        status = 0
        data = bytearray()
        for name in names or ["-"]:
            try:
                data += await self.read_all(await self.open(name))
            except VfsError as error:
                await self.error(str(error))
                status = 1
        return decode(bytes(data)), status

    # --- time and the host ------------------------------------------------------------------

    async def tick(self, steps: int = 1) -> None:
        """Count work (call it in every loop)."""
        await self.kernel.tick(steps)

    async def call(self, name: str, *args: Any) -> Any:
        """Ask the driver for something that takes time, such as `("sleep", seconds)`."""
        return await HostCall(self.kernel, name, *args).wait()

    def must_be_file(self, name: str) -> str:
        """The absolute path of an existing regular file, or `VfsError`."""
        path = self.path(name)
        if self.vfs.is_dir(path):
            raise VfsError(name, IS_DIRECTORY)
        if not self.vfs.exists(path):
            raise VfsError(name, NO_ENTRY)
        return path


def encode(text: str) -> bytes:
    """Text as bytes; what came in as undecodable bytes goes out unchanged."""
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str:
    """Bytes as text, losslessly."""
    return data.decode("utf-8", "surrogateescape")
