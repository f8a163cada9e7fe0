"""A console with a screen, a keyboard, a clock, and a host that answers its calls from a script."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.linux.files import Storage
from cluster_engine.linux.limits import Limits
from cluster_engine.linux.width import char_width
from cluster_engine.terminal.console import LIMITS, Console, Options
from cluster_engine.terminal.disk import Disk
from cluster_engine.terminal.tree import root

TOKEN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b.|[\s\S]")
START = 1_767_225_600_000_000
SECOND = 1_000_000

Program = Callable[[dict[str, Any], bytes], tuple[int, bytes, bytes]]
"""(what it was called with, its whole input) -> status, output, errors."""


def disk(files: Mapping[str, str], home: str = "/home/learner") -> Disk:
    """The files of a machine without programs."""
    storage = Storage()
    contents = {path: text.encode() for path, text in files.items()}
    made = root((), contents, home=home, user="learner", hostname="h", shrc="", mtime=START)
    for name in ("etc", "dev", "tmp"):
        del made["e"][name]
    storage.add_root("r", made)
    return Disk(lambda: storage, "r", home, lambda: START)


class Screen:
    """As much of a terminal as the editor's output needs."""

    loose = False
    """Programs may print anything."""

    def __init__(self, cols: int) -> None:
        self.cols = cols
        self.rows: list[list[str]] = [[]]
        self.row = self.col = 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def write(self, data: bytes) -> None:
        for token in TOKEN.findall(self._decode(data)):
            self._token(token)

    def _token(self, token: str) -> None:
        if token == "\r":
            self.col = 0
        elif token == "\n":
            self._down(1)
        elif token == "\b":
            self.col = max(0, self.col - 1)
        elif token in ("\x07", "\x1b") or (len(token) > 1 and token.endswith(("m", "h", "l"))):
            return
        elif token.startswith("\x1b["):
            count = int(re.sub(r"\D", "", token) or 1)
            match token[-1]:
                case "A":
                    self.row -= count
                case "B":
                    self.row += count
                case "C":
                    self.col += count
                case "D":
                    self.col -= count
                case "K":
                    del self.rows[self.row][self.col :]
                case "J" if token == "\x1b[2J":
                    self.rows = [[] for _ in self.rows]
                case "J":
                    del self.rows[self.row][self.col :]
                    for row in self.rows[self.row + 1 :]:
                        row.clear()
                case "H":
                    self.row = self.col = 0
            if self.loose:
                self.row, self.col = max(0, self.row), max(0, self.col)
                self._down(0)
            assert min(self.row, self.col) >= 0
        elif len(token) == 1:
            self._put(token)

    def _down(self, count: int) -> None:
        self.row += count
        while len(self.rows) <= self.row:
            self.rows.append([])

    def _put(self, char: str) -> None:
        width = char_width(char)
        if self.col + width > self.cols:
            self.col = 0
            self._down(1)
        row = self.rows[self.row]
        row.extend(" " * (self.col - len(row)))
        row[self.col : self.col + width] = [char] + [""] * (width - 1)
        self.col += width

    def text(self) -> str:
        return "\n".join("".join(row).rstrip() for row in self.rows).rstrip("\n")


class Nowhere:
    """A network with one neighbour that refuses, and one name."""

    NAMES = {"node-1": ["172.18.0.2"]}

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.answers: list[Callable[[], None]] = []

    def resolve(self, call: str, name: str) -> None:
        found = self.NAMES.get(name, "not found")
        self.answers.append(lambda: self.desk.console.machine.resolved(call, found))

    def connect(self, sock: str, ip: str, port: int) -> None:
        reason = "refused" if [ip] in self.NAMES.values() else "unreachable"
        self.answers.append(lambda: self.desk.console.machine.failed(sock, reason))

    def send(self, sock: str, text: str) -> None:
        raise AssertionError("there is no connection")

    def shutdown(self, sock: str) -> None:
        pass

    def close(self, sock: str) -> None:
        pass

    def took(self, sock: str, count: int) -> None:
        raise AssertionError("there is no connection")

    def datagram(self, port: int, ip: str, to_port: int, data: str) -> None:
        pass


class Desk:
    """It is the console's host. Programs that are run end at once, unless `program` is None."""

    def __init__(
        self,
        files: Mapping[str, str] | None = None,
        *,
        cols: int = 80,
        program: Program | None = None,
        limits: Limits = LIMITS,
        prompt: str = "$ ",
        env: Mapping[str, str] | None = None,
        home: str = "/h",
    ) -> None:
        self.screen = Screen(cols)
        self.raw = bytearray()
        self.program = program
        self.ends: dict[str, int] = {}
        self.calls: dict[str, tuple[str, Any]] = {}
        self.told: list[tuple[str, Any]] = []
        self.dropped: list[str] = []
        self.given: dict[str, bytearray] = {}
        self.heard: list[tuple[str, Any]] = []
        """What programs were told beside their input."""
        self.now = START
        self.outward = Nowhere(self)
        contents = {path: text.encode() for path, text in (files or {}).items()}
        chosen = Options(home=home, limits=limits, env={"PS1": prompt, **(env or {})})
        self.console = Console(self, contents, chosen, now=START)
        self.console.open("1", cols, 24)
        self.settle()

    # --- the host -----------------------------------------------------------------------------

    def output(self, terminal: str, data: bytes) -> None:
        self.raw += data
        self.screen.write(data)

    def ended(self, terminal: str, status: int) -> None:
        self.ends[terminal] = status

    def call(self, call: str, name: str, args: Any) -> None:
        self.calls[call] = (name, args)
        self.given[call] = bytearray()

    def tell(self, call: str, data: Any) -> None:
        self.told.append((call, data))

    def drop(self, call: str) -> None:
        self.dropped.append(call)
        self.calls.pop(call, None)

    def faulted(self, program: str, error: Exception) -> bool:
        return False

    # --- what the user does -------------------------------------------------------------------

    def type(self, keys: str) -> str:
        """What the terminal sent since."""
        before = len(self.raw)
        self.console.keys("1", keys)
        self.settle()
        return self.raw[before:].decode("utf-8", "replace")

    def line(self, text: str, seconds: float = 0) -> str:
        """What a line prints; time goes by until the prompt is back."""
        shown = self.type(text + "\r")
        end = self.now + round(seconds * SECOND)
        while self.console.foreground("1") is not None and self.now < end and "1" not in self.ends:
            due = self.console.run(self.now)
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            before = len(self.raw)
            self.settle()
            shown += self.raw[before:].decode("utf-8", "replace")
        return shown.partition("\x1b[?2004l")[2].partition("\x1b[?2004h")[0].replace("\r\n", "\n")

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + round(seconds * SECOND)
        while (due := self._run()) is not None and due <= end:
            self.now = max(self.now, due)
        self.now = end
        self.settle()

    def answer(self, call: str, data: Any, *, last: bool = True) -> None:
        if last:
            self.calls.pop(call, None)
        self.console.answer(call, data, last=last)
        self.settle()

    def settle(self) -> None:
        """Run what is ready, programs of the host included."""
        self._run()

    def _run(self) -> int | None:
        for _ in range(100_000):
            due = self.console.run(self.now)
            if due is not None and due <= self.now:
                continue
            if not self._serve():
                return due
        raise AssertionError("the console does not come to rest")

    def _serve(self) -> bool:
        """Hand a program its input, and run the one that has all of it."""
        told, self.told = self.told, []
        answers, self.outward.answers = self.outward.answers, []
        for answer in answers:
            answer()
        for call, data in told:
            if data[0] == "input" and call in self.given:
                self.given[call] += data[1].encode("latin-1")
                self.console.answer(call, ["more"], last=False)
            elif data[0] == "end" and self.program is not None and call in self.calls:
                self._finish(call)
            elif data[0] not in ("input", "took"):
                self.heard.append((call, data))
        if self.program is not None:
            for call, (name, args) in list(self.calls.items()):
                if name == "run" and args["tty"]:
                    self._finish(call)
                    return True
        return bool(told or answers)

    def _finish(self, call: str) -> None:
        assert self.program is not None
        status, out, err = self.program(self.calls.pop(call)[1], bytes(self.given[call]))
        for fd, data in ((1, out), (2, err)):
            if data:
                self.console.answer(call, ["out", fd, data.decode("latin-1")], last=False)
        self.console.answer(call, ["ended", status, False, ""])
