"""What a process will do, as data over virtual time.

A program gets a ``Launch`` and answers with a ``Plan``. The plan is never stored: the same launch always
gives the same plan, so a snapshot holds the launch alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cluster_engine.container_runtime.network import HttpReply, HttpRequest

if TYPE_CHECKING:
    from cluster_engine.shell.vfs import Vfs

SECOND = 1_000_000

Line = tuple[int, str, str]
"""(offset in µs from the start, "stdout" or "stderr", text without the line's end)."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How a container is started."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    tag: str
    hostname: str
    started_at: int = 0
    read_only: bool = False
    """Whether the root file system is."""
    writable: tuple[str, ...] = ()
    """Volumes in it that may be written to."""

    def refuses(self, path: str) -> bool:
        """Whether nothing can be made at that path."""
        inside = any(path == at or path.startswith(f"{at}/") for at in self.writable)
        return self.read_only and not inside


Handler = Callable[["HttpRequest", "Vfs", "Launch"], HttpReply]


@dataclass(frozen=True, slots=True)
class Plan:
    """A process's life, unless it is killed earlier."""

    log: tuple[Line, ...] = ()
    exits: tuple[int, int] | None = None
    """(offset in µs, exit code); None: it runs until it is told to stop."""
    on_term: tuple[int, int] | None = None
    """(delay in µs, exit code) after SIGTERM; None: the signal is ignored."""
    term_log: tuple[Line, ...] = ()
    """Lines after SIGTERM, offsets from the signal."""
    ports: tuple[tuple[int, int], ...] = ()
    """(TCP port, offset in µs from which it listens)."""
    tls: tuple[int, ...] = ()
    """Those of the ports that speak HTTPS."""
    http: Handler | None = None
    access_log: Callable[[HttpRequest, HttpReply, int], Line | None] | None = None
    memory: int = 4 * 1024 * 1024
    """Bytes in use; above its limit the kernel kills the process (OOMKilled)."""
    script: bool = False
    """Run by the shell on the virtual clock; everything above but ``memory`` is ignored."""
    error: str = ""
    """Why the process cannot even be started (runc's words)."""

    def listens(self, port: int, offset: int) -> bool:
        """Whether the port is open so long after the start."""
        return any(p == port and offset >= since for p, since in self.ports)


def lines(text: str, at: int = 0, step: int = 0, stream: str = "stdout") -> tuple[Line, ...]:
    """Log lines from a block of text, ``step`` µs apart."""
    return tuple((at + i * step, stream, line) for i, line in enumerate(text.strip("\n").split("\n")))


def once(text: str, code: int = 0, stream: str = "stdout", at: int = 20_000) -> Plan:
    """A program that prints and ends."""
    return Plan(log=lines(text, at // 2, stream=stream) if text else (), exits=(at, code), on_term=(0, 143))


def forever(**more: object) -> Plan:
    """A program that does nothing, and ends at once when it is told to."""
    return Plan(on_term=(5_000, 0), **more)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Server:
    """A plain HTTP server: port, log lines at start, a handler."""

    port: int
    handler: Handler
    log: tuple[Line, ...] = field(default=())

    def plan(self) -> Plan:
        """Its plan."""
        return Plan(
            log=self.log,
            ports=((self.port, 50_000),),
            http=self.handler,
            on_term=(20_000, 0),
            memory=8 * 1024 * 1024,
        )
