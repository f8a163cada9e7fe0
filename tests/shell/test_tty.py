# ruff: noqa: E501 (one case a line)
"""The line editor and the terminal's discipline, key by key, on a small screen emulator."""

from __future__ import annotations

import re

import pytest

from cluster_engine.shell import External, Shell, Terminal, Vfs
from cluster_engine.shell.completion import Offer
from cluster_engine.shell.external import ExecCall, ExecResult
from cluster_engine.shell.width import char_width

TOKEN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b.|[\s\S]")


class Screen:
    """As much of a terminal as the editor's output needs."""

    def __init__(self, cols: int) -> None:
        self.cols = cols
        self.rows: list[list[str]] = [[]]
        self.row = self.col = 0

    def write(self, data: bytes) -> None:
        for token in TOKEN.findall(data.decode()):
            self._token(token)

    def _token(self, token: str) -> None:
        if token == "\r":
            self.col = 0
        elif token == "\n":
            self._down(1)
        elif token == "\b":
            self.col = max(0, self.col - 1)
        elif token == "\x07" or (len(token) > 1 and token.endswith(("m", "h", "l"))):
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
                case "J" if token == "\x1b[2J":
                    self.rows = [[] for _ in self.rows]
                case "J":
                    del self.rows[self.row][self.col :]
                    for row in self.rows[self.row + 1 :]:
                        row.clear()
                case "H":
                    self.row = self.col = 0
            assert min(self.row, self.col) >= 0
        else:
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


class Desk:
    """A terminal with its screen."""

    def __init__(self, cols: int = 40, **options: object) -> None:
        vfs = Vfs(
            {"/h/apple.yaml": "a: 1\n", "/h/apricot.txt": "x\n", "/h/my dir/file": "", "/h/.hidden": ""}
        )
        self.asked: list[list[str]] = []
        self.request: object = None
        self.shell = Shell(
            vfs, {"HOME": "/h"}, {"kubectl": External("kubectl")}, cwd="/h", aliases={"k": "kubectl"}
        )
        self.screen = Screen(cols)
        self.terminal = Terminal(
            self.shell, self.screen.write, prompt=lambda shell: "$ ", complete=self._complete, cols=cols
        )

    def _complete(self, request: object, words: list[str]) -> None:
        self.request = request
        self.asked.append(words)

    def type(self, keys: str) -> None:
        self.terminal.feed(keys)
        while self.terminal.run(100_000).__class__.__name__ == "Paused":
            pass


UP, DOWN, RIGHT, LEFT, HOME, END, DELETE = (
    "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[3~"
)  # fmt: skip
PASTE, PASTED = "\x1b[200~", "\x1b[201~"

EDITING = {
    "type": ("echo hi", "$ echo hi", 9),
    "backspace": ("echoo\x7f a", "$ echo a", 8),
    "insert in the middle": ("eco" + LEFT + "h", "$ echo", 5),
    "home and end": ("cho" + HOME + "e" + END + "!", "$ echo!", 7),
    "ctrl-a ctrl-e": ("cho\x01e\x05!", "$ echo!", 7),
    "delete": ("eecho" + HOME + DELETE, "$ echo", 2),
    "ctrl-u": ("junk\x15ok", "$ ok", 4),
    "ctrl-k": ("keep junk" + LEFT * 5 + "\x0b", "$ keep", 6),
    "ctrl-w": ("one two/three  \x17x", "$ one x", 7),
    "yank": ("abc\x15x\x19\x19", "$ xabcabc", 9),
    "word left": ("one two" + "\x1b[1;5D" + "X", "$ one Xtwo", 7),
    "word right": ("one two" + HOME + "\x1bf" + "X", "$ oneX two", 6),
    "alt-d": ("one two" + HOME + "\x1bd", "$  two", 2),
    "transpose": ("ehco" + LEFT * 2 + "\x14", "$ echo", 5),
    "left at start": ("a" + LEFT * 5 + "b", "$ ba", 3),
    "ctrl-d deletes": ("abc" + HOME + "\x04", "$ bc", 2),
    "wide": ("世界x" + LEFT * 2 + "\x7f", "$ 界x", 2),
    "combining": ("e\u0301x" + LEFT, "$ e\u0301x".replace("e\u0301", "e"), 3),
    "wraps": ("a" * 10, "$ aaaaaa\naaaa", 4),
    "wraps exactly": ("a" * 6, "$ aaaaaa", 0),
    "wraps and goes back": ("a" * 10 + HOME + "X", "$ Xaaaaa\naaaaa", 3),
    "wraps and shrinks": ("a" * 10 + "\x7f" * 6, "$ aaaa", 6),
    "wide at the margin": ("a" * 5 + "世", "$ aaaaa\n世", 2),
    "unknown sequences": ("a\x1b[99~\x1bOq\x1b[5~b", "$ ab", 4),
    "control characters": ("a\x00\x1cb", "$ ab", 4),
    "split sequence": ("ab\x1b|[D|X", "$ aXb", 4),
    "split utf-8": ("世", "$ 世", 4),
    "paste": (PASTE + "a\tb\x03c" + PASTED, "$ a    bc", 9),
    "ctrl-l": ("abc\x0c", "$ abc", 5),
}
NARROW = {"wraps", "wraps exactly", "wraps and goes back", "wraps and shrinks", "wide at the margin"}


@pytest.mark.parametrize(("keys", "shown", "column"), EDITING.values(), ids=EDITING.keys())
def test_editing(keys: str, shown: str, column: int, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    desk = Desk(cols=8 if name in NARROW else 40)
    for part in keys.split("|"):
        desk.type(part)
    assert (desk.screen.text(), desk.screen.col) == (shown, column)


@pytest.mark.parametrize(("keys", "shown", "column"), EDITING.values(), ids=EDITING.keys())
def test_editing_one_key_at_a_time(
    keys: str, shown: str, column: int, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    desk = Desk(cols=8 if name in NARROW else 40)
    for char in keys.replace("|", ""):
        for byte in char.encode():
            desk.terminal.feed(bytes([byte]))
    assert (desk.screen.text(), desk.screen.col) == (shown, column)


SESSIONS = {
    "run": (["echo hi\r"], "$ echo hi\nhi\n$"),
    "empty line": (["\r\r"], "$\n$\n$"),
    "no newline at the end": (["printf hi\r"], "$ printf hi\nhi\n$"),
    "history": (["echo a\r", "echo b\r", UP + UP + "\r"], "$ echo a\na\n$ echo b\nb\n$ echo a\na\n$"),
    "history and back": (["echo a\r", "dra" + UP + DOWN + "ft"], "$ echo a\na\n$ draft"),
    "history command": (["echo a\r", "history\r"], "$ echo a\na\n$ history\n    1  echo a\n    2  history\n$"),
    "search": (["echo one\r", "echo two\r", "\x12one"], "$ echo one\none\n$ echo two\ntwo\n(reverse-i-search)`one': echo one"),
    "search and run": (["echo one\r", "ls /\r", "\x12one\r"], "$ echo one\none\n$ ls /\nh\n$ echo one\none\n$"),
    "search again": (["echo a1\r", "echo a2\r", "\x12a\x12\r"], "$ echo a1\na1\n$ echo a2\na2\n$ echo a1\na1\n$"),
    "search given up": (["echo a1\r", "dra\x12a\x07ft"], "$ echo a1\na1\n$ draft"),
    "ctrl-c at the prompt": (["junk\x03", "echo $?\r"], "$ junk^C\n$ echo $?\n130\n$"),
    "ctrl-c in a continuation": (["if true\r\x03", "echo ok\r"], "$ if true\n> ^C\n$ echo ok\nok\n$"),
    "open quote": (["echo 'a\rb'\r"], "$ echo 'a\n> b'\na\nb\n$"),
    "here-document": (["cat <<EOF\ra $((1+1))\rEOF\r"], "$ cat <<EOF\n> a $((1+1))\n> EOF\na 2\n$"),
    "loop over lines": (["for i in 1 2\rdo echo $i\rdone\r"], "$ for i in 1 2\n> do echo $i\n> done\n1\n2\n$"),
    "trailing backslash": (["echo a \\\rb\r"], "$ echo a \\\n> b\na b\n$"),
    "recall many lines": (["echo 'a\rb'\r", UP + "\r"], "$ echo 'a\n> b'\na\nb\n$ echo 'a\nb'\na\nb\n$"),
    "cat echoes": (["cat\r", "one\x7f\x7fXX\r", "\x04"], "$ cat\noXX\noXX\n$"),
    "read": (["read x; echo [$x]\r", "ab\r"], "$ read x; echo [$x]\nab\n[ab]\n$"),
    "typed ahead": (["sleep 1\recho next\r"], "$ sleep 1"),
    "ctrl-c ends": (["sleep 100\r", "\x03"], "$ sleep 100\n^C\n$"),
    "paste of lines": ([PASTE + "echo a\necho b\necho c" + PASTED], "$ echo a\na\n$ echo b\nb\n$ echo c"),
    "paste of a document": ([PASTE + "cat <<EOF\n\tx: 1\nEOF\n" + PASTED],
                            "$ cat <<EOF\n>     x: 1\n> EOF\nx: 1\n$"),
    "syntax error": (["fi\r"], '$ fi\nsh: syntax error: "fi" unexpected\n$'),
    "ctrl-d in a continuation": (["if true\r\x04"], "$ if true\n>\nsh: syntax error: unexpected end of file\n$"),
    "exit": (["exit 3\r"], "$ exit 3"),
    "ctrl-d": (["\x04"], "$ exit"),
}  # fmt: skip


@pytest.mark.parametrize(("inputs", "shown"), SESSIONS.values(), ids=SESSIONS.keys())
def test_sessions(inputs: list[str], shown: str) -> None:
    desk = Desk(cols=60)
    for keys in inputs:
        desk.type(keys)
    assert desk.screen.text() == shown


COMPLETIONS = {
    "command": ("ech\t", "$ echo"),
    "unknown": ("zzz\t", "$ zzz"),
    "file": ("cat apr\t", "$ cat apricot.txt"),
    "common part": ("cat a\t", "$ cat ap"),
    "list": ("cat ap\t", "$ cat ap\napple.yaml   apricot.txt\n$ cat ap"),
    "escapes": ("ls my\t", "$ ls my\\ dir/"),
    "in quotes": ("ls 'my\t", "$ ls 'my dir/"),
    "below": ("ls my\\ dir/f\t", "$ ls my\\ dir/file"),
    "hidden": ("ls .h\t", "$ ls .hidden"),
    "home": ("ls ~/apr\t", "$ ls ~/apricot.txt"),
    "after a pipe": ("cat x | ech\t", "$ cat x | echo"),
    "redirection": ("echo > apr\t", "$ echo > apricot.txt"),
    "variable": ("echo $HO\t", "$ echo $HOME"),
    "folders only": ("cd a\tm\t", "$ cd am"),
    "in the middle": ("cat apr x" + LEFT * 2 + "\t", "$ cat apricot.txt  x"),
}


@pytest.mark.parametrize(("keys", "shown"), COMPLETIONS.values(), ids=COMPLETIONS.keys())
def test_completion(keys: str, shown: str) -> None:
    desk = Desk(cols=60)
    desk.type(keys)
    assert desk.screen.text() == shown


def test_completion_of_an_external_program_asks_the_host() -> None:
    desk = Desk()
    desk.type("x=1 k get po -n def\t")
    assert desk.asked == [["kubectl", "get", "po", "-n", "def"]]
    desk.terminal.offer(desk.request, Offer(["default"], {"default": " "}))  # type: ignore[arg-type]
    assert desk.screen.text() == "$ x=1 k get po -n default"
    desk.type("x\t")
    request = desk.request
    desk.type("y")
    desk.terminal.offer(request, Offer(["too-late"]))  # type: ignore[arg-type]
    assert desk.screen.text() == "$ x=1 k get po -n default xy"


def test_exit_closes() -> None:
    desk = Desk()
    desk.type("exit 3\r")
    assert (desk.terminal.closed, desk.shell.exited) == (True, 3)


def test_a_program_on_the_terminal_gets_raw_keys_and_returns_what_it_did_not_read() -> None:
    desk = Desk()
    sizes: list[tuple[int, int]] = []
    desk.type("kubectl exec -it x -- sh\r")
    (call,) = desk.shell.kernel.calls
    assert isinstance(call, ExecCall)
    assert call.request.tty
    call.on_resize = lambda cols, rows: sizes.append((cols, rows))
    desk.type("ls" + UP + "\x03\x04\r")
    assert call.take_input() == b"ls\x1b[A\x03\x04\r"
    desk.terminal.resize(100, 30)
    assert sizes == [(100, 30)]
    call.feed(1, b"out\r\nput")
    desk.type("echo left\r")
    call.resolve(ExecResult(5, b"echo "))
    desk.type("")
    while desk.terminal.run(1000) is not None:
        pass
    assert desk.screen.text().endswith("out\nput\n$ echo echo left\necho left\n$")


def test_input_of_a_program_in_a_pipe_is_cooked() -> None:
    desk = Desk()
    desk.type("kubectl apply -f - | cat\r")
    (call,) = desk.shell.kernel.calls
    assert isinstance(call, ExecCall)
    desk.type("ab\x7fc\r")
    desk.type("")
    assert call.take_input() == b"ac\n"
    desk.type("\x04")
    desk.type("")
    assert call.take_input() is None
    desk.type("\x03")
    assert call.cancelled
    assert desk.screen.text().endswith("^C\n$")


def test_a_burst_of_keys_is_cheap() -> None:
    desk = Desk()
    desk.terminal.feed("x" * 1_000 + "a\x01b\x05" * 1_000 + "\t" * 100 + "\r" * 100)
    rounds = 0
    while desk.terminal.run(1_000) is not None:
        rounds += 1
    assert rounds > 20


def test_a_line_that_is_too_long_is_said() -> None:
    desk = Desk(cols=100)
    desk.terminal.feed(PASTE + "x" * 9_000 + PASTED)
    assert "a line may have at most 8,192 characters: the rest was dropped" in desk.screen.text()
