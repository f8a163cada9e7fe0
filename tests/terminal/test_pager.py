"""`less`, `more`, `man` and `help` on a small screen: what stands on it after some keys."""

from __future__ import annotations

import pytest

from cluster_engine.linux.programs import pager
from tests.terminal.desk import Desk, Screen

ROWS = 24
FILES = {
    "/h/hundred": "".join(f"line {number}\n" for number in range(1, 101)),
    "/h/short": "one\ntwo\n",
    "/h/wide": "世" * 35 + "\n" + "x" * 61 + "\n\tt\x01\n" + "end",
    "/h/bytes": "\udcff\n".encode("utf-8", "surrogateescape").decode("latin-1"),
}
UP, DOWN, HOME, END, PAGE_UP, PAGE_DOWN = "\x1b[A", "\x1b[B", "\x1b[H", "\x1b[F", "\x1b[5~", "\x1b[6~"

LESS = {
    "opens": ("less hundred", "", "line 1", "line 23", "hundred"),
    "a pipe": ("cat hundred | less", "", "line 1", "line 23", ":"),
    "standard input": ("less < hundred", " ", "line 24", "line 46", ":"),
    "space": ("less hundred", " ", "line 24", "line 46", ":"),
    "page down and up": ("less hundred", PAGE_DOWN * 3 + PAGE_UP, "line 47", "line 69", ":"),
    "lines": ("less hundred", DOWN * 3 + "jj\r" + UP + "k", "line 5", "line 27", ":"),
    "halves": ("less hundred", "ddu", "line 12", "line 34", ":"),
    "a count": ("less hundred", "10j", "line 11", "line 33", ":"),
    "the end": ("less hundred", "G", "line 78", "line 100", "(END)"),
    "beyond the end": ("less hundred", "     \r\r", "line 78", "line 100", "(END)"),
    "end and home": ("cat hundred | less", END + HOME, "line 1", "line 23", ":"),
    "a line": ("less hundred", "50g", "line 50", "line 72", ":"),
    "beyond the last line": ("less hundred", "5000g", "line 78", "line 100", "(END)"),
    "search": ("cat hundred | less", "/line 4.$\r", "line 40", "line 62", ":"),
    "the next": ("less hundred", "/0\rnn", "line 30", "line 52", ":"),
    "the other way": ("less hundred", "/0\rnnN", "line 20", "line 42", ":"),
    "other way once": ("less hundred", "/0\rnnNn", "line 30", "line 52", ":"),
    "back": ("less hundred", "G?line 3.$\r", "line 39", "line 61", ":"),
    "back and on": ("less hundred", "G?line 3.$\rn", "line 38", "line 60", ":"),
    "nothing found": ("less hundred", "/nope\r", "line 1", "line 23", "Pattern not found  (press RETURN)"),
    "a wrong pattern": ("less hundred", "/(\r", "line 1", "line 23", "Unmatched ( or \\(  (press RETURN)"),
    "no pattern before": ("less hundred", "n", "line 1", "line 23", "No previous regular expression  (press RETURN)"),
    "case": ("less -i hundred", "/LINE 5$\r", "line 5", "line 27", ":"),
    "a half-typed pattern": ("less hundred", "/linx\x7fe", "line 1", "line 23", "/line"),
    "given up": ("less hundred", "/lin\x03j", "line 2", "line 24", ":"),
    "starts there": ("less +/7$ hundred", "", "line 7", "line 29", ":"),
    "starts at the end": ("less +G hundred", "", "line 78", "line 100", "(END)"),
    "starts at a line": ("less +30 hundred", "", "line 30", "line 52", ":"),
    "numbers": ("less -N hundred", "j", "      2 line 2", "     24 line 24", ":"),
    "numbers later": ("less hundred", "-N\r", "      2 line 2", "     24 line 24", ":"),
    "short": ("less short", "", "one", "~", "short (END)"),
    "folded": ("less wide", "", "世" * 30, "~", "wide (END)"),
    "chopped": ("less -S wide", "j\x1b[B", "世" * 30, "~", "wide (END)"),
    "where": ("less hundred", "j=", "line 2", "line 24", "hundred lines 2-24/?  (press RETURN)"),
    "where of all": ("less hundred", "Gg=", "line 1", "line 23", "hundred lines 1-23/100  (press RETURN)"),
    "two files": ("less short hundred", ":n", "line 1", "line 23", "hundred (file 2 of 2)"),
    "and back": ("less short hundred", ":n:p", "one", "~", "short (file 1 of 2) (END)"),
    "no file after": ("less short", ":n", "one", "~", "No next file  (press RETURN)"),
    "help": ("less hundred", "h", pager.HELP[0][:60].rstrip(), "~", "HELP -- press q to go back to the text"),
    "back from help": ("less hundred", "jhjq", "line 2", "line 24", ":"),
    "interrupted": ("less hundred", "\x03j", "line 2", "line 24", ":"),
    "endless": ("yes | less", "  ", "y", "y", ":"),
    "endless search": ("yes | less", "/n\r", "y", "y", "Pattern not found  (press RETURN)"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Screen, "loose", True)
    monkeypatch.setattr(pager, "MAX_HELD", 100_000)


def rows(desk: Desk) -> list[str]:
    """The rows of the screen since it was last cleared to its first line."""
    return ["".join(row).rstrip() for row in desk.screen.rows[:ROWS]]


@pytest.mark.parametrize(("line", "keys", "first", "last", "bottom"), LESS.values(), ids=LESS.keys())
def test_less(line: str, keys: str, first: str, last: str, bottom: str) -> None:
    desk = Desk(FILES, cols=60)
    desk.type(line + "\r")
    desk.type(keys)
    shown = rows(desk)
    assert (shown[0], shown[ROWS - 2], shown[ROWS - 1]) == (first, last, bottom)
    desk.type("\x03qqq")
    assert desk.console.foreground("1") is None
    assert desk.raw.count(b"\x1b[?1049h") == desk.raw.count(b"\x1b[?1049l") == 1
    desk.type("\x15")
    assert desk.line("echo back") == "back\n"


def test_more_goes_on_row_by_row_and_ends_with_the_text() -> None:
    desk = Desk(FILES, cols=40)
    assert desk.type("more hundred\r").endswith("line 23\r\n\x1b[7m--More--\x1b[m")
    assert desk.type("\r") == "\r\x1b[Kline 24\r\n\x1b[7m--More--\x1b[m"
    desk.type("  x ")
    assert desk.console.foreground("1") == "more hundred"
    assert "line 100\r\n" in desk.type(" ")
    assert desk.console.foreground("1") is None
    desk.type("cat hundred | more\r")
    desk.type("q")
    assert desk.console.foreground("1") is None


@pytest.mark.parametrize(
    ("line", "out"),
    {
        "to a pipe": ("less hundred | tail -n 1; cat short | more | cat", "line 100\none\ntwo\n"),
        "no such file": (
            "less nope; echo $?; less /h",
            "nope: No such file or directory\n1\n/h is a directory\n",
        ),
        "no file": ("less", 'Missing filename ("less --help" for help)\n'),
        "if it is one screen": ("less -F short", "one\ntwo\n"),
        "manual": (
            "man sleep | head -n 7; man nosuch; echo $?",
            "SLEEP(1)\n\nNAME\n       sleep - wait\n\nSYNOPSIS\n       sleep [N]...\nNo manual entry for nosuch\n16\n",
        ),
        "memory is bounded": ("yes | less | head -n 1", "y\n"),
    }.values(),
)
def test_lines(line: str, out: str) -> None:
    assert Desk(FILES, cols=60).line(line) == out


def test_what_is_typed_behind_the_last_key_is_the_shells() -> None:
    desk = Desk(FILES, cols=60)
    desk.type("less hundred\r")
    assert "typed-42" in desk.type("qecho typed-$((40+2))\r")
    assert desk.console.foreground("1") is None


def test_stopped_and_taken_up_again() -> None:
    desk = Desk(FILES, cols=60)
    desk.type("less hundred\r")
    desk.type("j")
    desk.type("\x1a")
    assert desk.console.foreground("1") is None
    desk.type("fg\r")
    assert (rows(desk)[0], desk.console.foreground("1")) == ("line 2", "less hundred")
    desk.console.resize("1", 60, 10)
    desk.settle()
    assert rows(desk)[9] == ":"
    desk.type("q")
    assert desk.console.foreground("1") is None


def test_manuals_and_help_are_paged() -> None:
    desk = Desk(cols=80, program=lambda args, given: (0, " ".join(args["argv"]).encode() + b"\n", b""))
    desk.type("help\r")
    assert rows(desk)[0].startswith("Programs (help NAME tells")
    assert rows(desk)[ROWS - 1] == ":"
    desk.type("q")
    desk.type("man kubectl-rollout-undo\r")
    assert rows(desk)[0] == "kubectl rollout undo --help"
    desk.type("q")
    assert desk.console.foreground("1") is None


def test_counts_and_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pager, "MAX_NUMBER", 10)
    monkeypatch.setattr(pager, "MAX_AHEAD", 5)
    desk = Desk(FILES, cols=60)
    desk.type("less hundred\r")
    desk.type("50j")
    assert rows(desk)[0] == "line 11"
    desk.type("jjjjjjjj")
    assert rows(desk)[0] == "line 16"
