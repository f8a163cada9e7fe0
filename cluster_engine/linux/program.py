"""What a program is, and what the machine does for it while it runs.

A program never keeps anything between calls but its state, which is JSON: so a process can be saved,
copied and read back at any moment. It comes in one of three shapes (exactly one is given):

- ``run``: *instant*. It looks, writes and gives back its exit status. It never waits or reads a stream. With ``pause``
  it may do nothing but wait, and ends with 0 then; nothing of it is stepped meanwhile.
- ``filter``: reads files or standard input chunk by chunk. Opening, waiting and end of file are the machine's.
- ``on``: a machine of states. It asks (``read``, ``sleep``, ``spawn`` …) and is called again with the answer.

All text is byte text (see ``text.py``): arguments, environment, file names, what is read and written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

State = dict[str, Any]
"""A program's memory: JSON. During a call the dict and the lists and dicts directly in it may be changed
in place; anything deeper must be replaced, for a snapshot may share it."""

Event = list[Any]
"""What an ``on`` program is called with:

``["start", argv]`` · ``["data", fd, chunk]`` · ``["end", fd]`` · ``["timer", id]`` · ``["exited", pid, status]`` ·
``["signal", name]`` · ``["resolved", name, [ip, …]]`` · ``["unresolved", name, reason]`` · ``["connected", fd]`` ·
``["failed", fd, reason]`` · ``["accepted", listener, fd, peer_ip, peer_port]`` ·
``["datagram", fd, ip, port, data]`` · ``["answer", id, data]`` · ``["go"]`` (all that was written has been taken).
"""


class Exit(Exception):
    """The program ends here, with a status. Only the machine catches it."""

    @property
    def status(self) -> int:
        """What it ends with: the exception's one argument."""
        status: int = self.args[0]
        return status


class Sys(Protocol):
    """The system calls, handed to a program for the length of one call."""

    # --- who and where ------------------------------------------------------------------------
    @property
    def name(self) -> str:
        """The program's name, as its messages begin (the last part of argv[0])."""

    @property
    def pid(self) -> int:
        """The process id, as the process's own pid namespace numbers it."""

    @property
    def ppid(self) -> int:
        """The parent's id, 0 when it lies outside the namespace."""

    @property
    def uid(self) -> int: ...

    @property
    def gid(self) -> int: ...

    @property
    def groups(self) -> list[int]: ...

    @property
    def argv(self) -> list[str]: ...

    @property
    def env(self) -> dict[str, str]:
        """The environment (a copy)."""

    @property
    def cwd(self) -> str: ...

    @property
    def umask(self) -> int: ...

    @property
    def now(self) -> int:
        """Virtual microseconds since the Unix epoch."""

    @property
    def hostname(self) -> str: ...

    @property
    def flavour(self) -> str:
        """Whose wording the tools have: ``busybox`` or ``debian``."""

    @property
    def fs(self) -> Any:
        """The files as this process may reach them (``files.Files``)."""

    # --- calls that never wait ------------------------------------------------------------------
    def write(self, fd: int, text: str) -> None:
        """Write; what a full pipe does not take is written later, before anything else happens here.

        Raises FileError (bad descriptor, no space). A pipe without readers ends the process (SIGPIPE).
        """

    def out(self, text: str) -> None:
        """Write to standard output; silently nothing when it is closed."""

    def err(self, text: str) -> None:
        """Write to standard error; silently nothing when it is closed."""

    def error(self, message: str) -> None:
        """``NAME: message`` and a newline on standard error."""

    def tick(self, count: int = 1) -> None:
        """Count work: one step is about a microsecond of the simulated processor."""

    def spend(self, microseconds: int, over: int = 0) -> None:
        """Processor time that the program only says it has used: it is metered, and counts in the container's quota.

        ``over``: it was spread over so many µs, and was no more than the container's limit lets it be.
        """

    def open(self, path: str, flags: str = "r") -> int:
        """Open a file (flags of ``Files.open``) on the lowest free descriptor. Raises FileError."""

    def close(self, fd: int) -> None: ...

    def dup(self, fd: int, to: int | None = None) -> int:
        """Another descriptor for the same open file. Raises FileError (bad descriptor)."""

    def isatty(self, fd: int) -> bool: ...

    def window(self, fd: int) -> tuple[int, int] | None:
        """(columns, rows) of the terminal there, None when it is none."""

    def terminal_mode(self, fd: int, mode: Mapping[str, bool] | None = None) -> dict[str, bool] | None:
        """Modes of the terminal there (``canonical echo signals output``), after setting the given ones."""

    def chdir(self, path: str) -> None:
        """Change the working directory. Raises FileError."""

    def kill(self, pid: int, signal: str) -> None:
        """Signal a process (below -1: the group of that number; "0" only asks). Raises FileError."""

    def processes(self) -> list[dict[str, Any]]:
        """The namespace's processes: ``pid ppid uid argv state container started cpu`` (µs)."""

    def addresses(self) -> list[str]:
        """The machine's own IP addresses; none of what stands on its host's network."""

    def listeners(self) -> list[dict[str, Any]]:
        """The ports of the machine that somebody listens on: ``protocol ip port pid name``, by protocol and port.

        ``pid`` is 0 where the process is of another namespace.
        """

    def trap(self, signal: str, action: str) -> None:
        """What a signal does from now on: ``catch`` (an event), ``ignore`` or ``default``."""

    def listen(self, port: int, ip: str = "") -> int:
        """A listening TCP socket; connections come as ``accepted``. Raises FileError."""

    def bind_udp(self, port: int, ip: str = "") -> int:
        """A UDP socket (port 0: any free one). Raises FileError."""

    def sendto(self, fd: int, ip: str, port: int, data: str) -> None: ...

    def shutdown(self, fd: int) -> None:
        """Nothing more will be written to this connection."""

    def exit(self, status: int) -> NoReturn:
        """End this process."""

    def exec(self, argv: list[str], env: Mapping[str, str] | None = None) -> NoReturn:
        """Become another program. Raises FileError when there is none of that name."""

    # --- calls that are answered by an event ----------------------------------------------------
    def read(self, fd: int) -> None:
        """Ask for one ``data`` or ``end``."""

    def unread(self, fd: int, text: str) -> None:
        """Put back what was read and is for somebody else."""

    def sleep(self, microseconds: int) -> int:
        """Ask for a ``timer``; the id that it will carry."""

    def cancel(self, timer: int) -> None:
        """That timer will not come."""

    def spawn(
        self,
        argv: list[str],
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        fds: Mapping[int, int] | None = None,
        group: bool = False,
    ) -> int:
        """A child process; ``exited`` tells its end. ``fds`` maps its descriptors to ours (default: all ours).

        ``group``: it leads a new process group. Raises FileError when there is no such program.
        """

    def pipe(self) -> tuple[int, int]:
        """A pipe: (descriptor to read, descriptor to write)."""

    def resolve(self, name: str) -> None:
        """Ask for the addresses of a name."""

    def connect(self, ip: str, port: int) -> int:
        """A new TCP connection; ``connected`` or ``failed`` follows. Who writes and asks to read at once hears of the
        answer (or ``failed``) only."""

    def call(self, name: str, args: Any) -> int:
        """Ask the host; the id that each ``answer`` (there may be several) will carry."""

    def tell(self, call: int, data: Any) -> None:
        """More for a call of the host that is not answered for good yet; no answer of its own comes."""

    def more(self) -> None:
        """Ask for ``go`` when everything written to sockets has been taken."""


Opened = Callable[[Sys, State, str], None]


@dataclass(frozen=True, slots=True)
class Filter:
    """A program that reads its inputs chunk by chunk."""

    init: Callable[[Sys, list[str]], tuple[State, list[str]]]
    """(sys, argv) -> (state, names of the inputs; ``-`` is standard input). May raise Exit after a message."""
    feed: Callable[[Sys, State, str], int | None]
    """One chunk. A status ends the program now (``head``); None goes on."""
    end: Callable[[Sys, State], int]
    """All inputs are read: the exit status (an input that could not be opened makes it at least 1)."""
    opened: Opened | None = None
    """Called before the first chunk of each input (``head -v``, ``grep -H``)."""
    unopened: Callable[[Sys, State, str, str], None] | None = None
    """Tells (sys, state, name, reason) of an input that cannot be opened; default: ``NAME: FILE: reason``."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program; exactly one of ``run``, ``filter``, ``on`` and ``shell``."""

    name: str
    summary: str = ""
    usage: str = ""
    run: Callable[[Sys, list[str]], int] | None = None
    pause: Callable[[list[str]], int | None] | None = None
    """For how long a call with these arguments only waits (µs); None: ``run`` it."""
    filter: Filter | None = None
    on: Callable[[Sys, State, Event], State] | None = None
    shell: bool = False
    """The machine's own shell."""
    completes: bool = False
    """The host knows what its arguments may be (``MachineHost.call`` of "complete")."""
    memory: int = 512 * 1024
    """Bytes that it uses before it holds anything; its state may say more (``state["memory"]``)."""
    version: int = 1
    """Of the shape of its state, which keyframes keep."""
