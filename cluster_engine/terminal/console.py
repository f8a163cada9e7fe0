"""The terminal's machine: one root with the learner's files, some ttys each with a shell, and what its host is asked.

It is deterministic and knows no event loop. Its host (`ConsoleHost`) only notes what is told; `run` goes on. `state` is
JSON by reference, as a machine's; who loads one has none of the programs that ran beside it, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cluster_engine.linux.limits import Limits
from cluster_engine.linux.machine import HOST_BUDGET, Machine
from cluster_engine.linux.terminals import PASTE, PASTED
from cluster_engine.linux.text import characters, octets
from cluster_engine.terminal import programs
from cluster_engine.terminal.disk import Disk
from cluster_engine.terminal.tree import UID, root

ROOT = "terminal"
INIT = "init"
"""Process 1: a shell that reads what never comes, so that it looks after orphans and outlives every terminal."""
SHELL = ("sh", "-E")
"""What runs in a terminal: a shell that edits its lines."""
PATH = "/usr/local/bin:/usr/bin:/bin"
ADDRESS = "172.18.0.1"
"""On the nodes' network, which is all that it sees of the cluster."""
DISK_BYTES = 8 * 1024 * 1024
"""Bytes of all files of a terminal."""
LIMITS = Limits(burst=8_000_000)
"""A shell that has waited for some minutes may work for some seconds; then it gets its share."""
PROMPT = "\\[\\e[1;32m\\]\\u@\\h\\[\\e[0m\\]:\\[\\e[1;34m\\]\\w\\[\\e[0m\\]\\$ "
"""`learner@drydock:~$ `, in colour."""
_SHRC = "[ -f ~/.shrc ] && . ~/.shrc\n"


@dataclass(frozen=True, slots=True)
class Options:
    """Who sits at the terminal."""

    home: str = "/home/learner"
    user: str = "learner"
    hostname: str = "drydock"
    env: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=lambda: {"k": "kubectl", "ll": "ls -l"})
    banner: str = ""
    limits: Limits = LIMITS


class Outwards(Protocol):
    """Where connections lead that leave the machine."""

    def resolve(self, call: str, name: str) -> None:
        """The addresses of a name are wanted (``machine.resolved`` tells them)."""

    def connect(self, sock: str, ip: str, port: int) -> None:
        """A connection is wanted (``machine.connected``, ``machine.failed``)."""

    def send(self, sock: str, text: str) -> None:
        """Byte text for the peer (``machine.acked`` when it has gone)."""

    def shutdown(self, sock: str) -> None:
        """Nothing more is sent."""

    def close(self, sock: str) -> None:
        """The socket is forgotten."""

    def took(self, sock: str, count: int) -> None:
        """Bytes of the peer that a process has read."""

    def datagram(self, port: int, ip: str, to_port: int, data: str) -> None:
        """A datagram leaves (``machine.datagram_in``, if it is answered)."""


class ConsoleHost(Protocol):
    """What lies outside. Its methods only note: nothing comes back inside a call."""

    @property
    def outward(self) -> Outwards:
        """The network."""

    def output(self, terminal: str, data: bytes) -> None:
        """Bytes for a screen."""

    def ended(self, terminal: str, status: int) -> None:
        """The shell of a terminal has ended."""

    def call(self, call: str, name: str, args: Any) -> None:
        """A program asks: `run` (kubectl), `complete`, `edit`, `time`, `fault`."""

    def tell(self, call: str, data: Any) -> None:
        """More for a call that is going on."""

    def drop(self, call: str) -> None:
        """Nobody waits for this call any more."""

    def faulted(self, program: str, error: Exception) -> bool:
        """A program has a bug; False lets the exception through."""


class Console:
    """See the module."""

    def __init__(
        self, host: ConsoleHost, files: Mapping[str, bytes], options: Options | None = None, *, now: int = 0
    ) -> None:
        self._host = host
        self.options = options or Options()
        self.now = now
        self.machine = self._machine()
        chosen = self.options
        aliases = "".join(f"alias {name}='{value}'\n" for name, value in chosen.aliases.items())
        made = root(
            programs.PROGRAMS, files, home=chosen.home, user=chosen.user, hostname=chosen.hostname,
            shrc=aliases + _SHRC, mtime=now,
        )  # fmt: skip
        self.machine.add_root(ROOT, made, limit=DISK_BYTES)
        self.machine.set_addresses([ADDRESS])
        none = ["session", INIT]
        self.machine.spawn(
            ["init", "-c", "read nothing"],
            root=ROOT,
            env={"PATH": PATH},
            stdin=none,
            stdout=none,
            stderr=none,
            now=now,
        )
        self.disk = Disk(lambda: self.machine.storage, ROOT, chosen.home, lambda: self.now)

    def _machine(self) -> Machine:
        return Machine(self.options.hostname, self, programs.PROGRAMS.get, self.options.limits)

    # --- terminals --------------------------------------------------------------------------------

    def open(self, terminal: str, cols: int, rows: int, argv: Sequence[str] = SHELL) -> None:
        """A terminal with a shell, or another program, of its own."""
        chosen = self.options
        self.machine.open_terminal(terminal, cols, rows, patient=True)
        if chosen.banner:
            self.output(terminal, 1, octets(chosen.banner.replace("\n", "\r\n")))
        environment = {
            "HOME": chosen.home,
            "USER": chosen.user,
            "HOSTNAME": chosen.hostname,
            "PATH": PATH,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "ENV": "/etc/shrc",
            "PS1": PROMPT,
            **chosen.env,
        }
        tty = ["tty", terminal]
        self.machine.spawn(
            [octets(word) for word in argv], root=ROOT, env=environment, cwd=chosen.home, uid=UID, gid=UID,
            stdin=tty, stdout=tty, stderr=tty, session=terminal, now=self.now,
        )  # fmt: skip

    def keys(self, terminal: str, text: str) -> None:
        """What was typed or pasted."""
        self.machine.input(terminal, octets(text.encode("utf-8", "replace").decode()))

    def resize(self, terminal: str, cols: int, rows: int) -> None:
        """The screen has another size."""
        self.machine.resize(terminal, max(4, min(cols, 1000)), max(1, min(rows, 1000)))

    def hang_up(self, terminal: str) -> None:
        """The user is gone for good."""
        self.machine.hangup(terminal)

    def foreground(self, terminal: str) -> str | None:
        """The command that has the terminal; None when its shell waits for a line."""
        waits = self.machine.waits(terminal)
        return None if waits else self.machine.foreground(terminal)

    def enter(self, terminal: str, line: str) -> None:
        """Enter a line at a prompt, in the place of what stands half typed there."""
        clear = "\x03" if self.machine.waits(terminal) == "more" else "\x07\x05\x15"
        self.keys(terminal, f"{clear}{PASTE}{line.rstrip()}{PASTED}\r")

    # --- running ----------------------------------------------------------------------------------

    def run(self, now: int, budget: int = HOST_BUDGET) -> int | None:
        """Run what is ready; when to be called again (`now` itself: there is more to do)."""
        self.now = max(now, self.now)
        return self.machine.run(self.now, budget)

    def answer(self, call: str, data: Any, *, last: bool = True) -> None:
        """An answer to one of its calls."""
        self.machine.answer(call, data, last=last)

    def state(self) -> dict[str, Any]:
        """All of it as JSON, by reference."""
        return self.machine.state()

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state. What ran on its host does not run here."""
        self.machine = self._machine()
        self.machine.load(state)
        for call in self.machine.calls():
            self.machine.answer(call, ["lost"])

    # --- what the machine says (MachineHost) ------------------------------------------------------

    def faulted(self, program: str, error: Exception) -> bool:
        return self._host.faulted(program, error)

    def out_of_memory(self, root: str) -> None:
        """A terminal's memory has no limit but the machine's."""

    def others(self, namespace: str) -> list[dict[str, Any]]:
        """Nobody else is on it."""
        return []

    def wake(self, due: int | None) -> None:
        """`run` says the same."""

    def exited(self, process: int, status: int) -> None:
        """`ended` says the same."""

    def log(self, tag: str, stream: str, text: str) -> None:
        """No process of a terminal has a log."""

    def output(self, session: str, fd: int, text: str) -> None:
        self._host.output(session, text.encode("latin-1"))

    def ended(self, session: str, status: int) -> None:
        if session != INIT:
            self._host.ended(session, status)

    def call(self, call: str, name: str, args: Any) -> None:
        self._host.call(call, name, args)

    def tell(self, call: str, data: Any) -> None:
        self._host.tell(call, data)

    def drop(self, call: str) -> None:
        self._host.drop(call)

    def resolve(self, call: str, root: str, name: str) -> None:
        self._host.outward.resolve(call, characters(name))

    def connect(self, sock: str, ip: str, port: int) -> None:
        self._host.outward.connect(sock, ip, port)

    def send(self, sock: str, text: str) -> None:
        self._host.outward.send(sock, text)

    def shutdown(self, sock: str) -> None:
        self._host.outward.shutdown(sock)

    def close(self, sock: str) -> None:
        self._host.outward.close(sock)

    def took(self, sock: str, count: int) -> None:
        self._host.outward.took(sock, count)

    def datagram(self, port: int, ip: str, to_port: int, data: str) -> None:
        self._host.outward.datagram(port, ip, to_port, data)
