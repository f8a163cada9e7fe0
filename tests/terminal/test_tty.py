# ruff: noqa: E501 (one case a line)
"""The line editor and the terminal's discipline, key by key, on a small screen emulator."""

from __future__ import annotations

import json

import pytest

from tests.terminal.desk import Desk

FILES = {"/h/apple.yaml": "a: 1\n", "/h/apricot.txt": "x\n", "/h/my dir/file": "", "/h/.hidden": ""}


def at(cols: int = 40) -> Desk:
    return Desk(FILES, cols=cols)


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
    desk = at(8 if name in NARROW else 40)
    for part in keys.split("|"):
        desk.type(part)
    assert (desk.screen.text(), desk.screen.col) == (shown, column)


@pytest.mark.parametrize(("keys", "shown", "column"), EDITING.values(), ids=EDITING.keys())
def test_editing_one_key_at_a_time(
    keys: str, shown: str, column: int, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    desk = at(8 if name in NARROW else 40)
    for char in keys.replace("|", ""):
        for byte in char.encode():
            desk.console.machine.input("1", chr(byte))
            desk.settle()
    assert (desk.screen.text(), desk.screen.col) == (shown, column)


SESSIONS = {
    "run": (["echo hi\r"], "$ echo hi\nhi\n$"),
    "empty line": (["\r\r"], "$\n$\n$"),
    "no newline at the end": (["printf hi\r"], "$ printf hi\nhi\n$"),
    "history": (["echo a\r", "echo b\r", UP + UP + "\r"], "$ echo a\na\n$ echo b\nb\n$ echo a\na\n$"),
    "history and back": (["echo a\r", "dra" + UP + DOWN + "ft"], "$ echo a\na\n$ draft"),
    "history command": (["echo a\r", "history\r"], "$ echo a\na\n$ history\n    1  echo a\n    2  history\n$"),
    "search": (["echo one\r", "echo two\r", "\x12one"], "$ echo one\none\n$ echo two\ntwo\n(reverse-i-search)`one': echo one"),
    "search and run": (["echo one\r", "echo x\r", "\x12one\r"], "$ echo one\none\n$ echo x\nx\n$ echo one\none\n$"),
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
    "syntax error": (["fi\r"], '$ fi\nsh: syntax error: unexpected "fi"\n$'),
    "ctrl-d in a continuation": (["if true\r\x04"], "$ if true\n>\nsh: syntax error: unexpected end of file (expecting \"then\")\n$"),
    "exit": (["exit 3\r"], "$ exit 3"),
    "ctrl-d": (["\x04"], "$ exit"),
}  # fmt: skip


@pytest.mark.parametrize(("inputs", "shown"), SESSIONS.values(), ids=SESSIONS.keys())
def test_sessions(inputs: list[str], shown: str) -> None:
    desk = at(60)
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
    "variable": ("echo $HOM\t", "$ echo $HOME"),
    "folders only": ("cd a\tm\t", "$ cd am"),
    "in the middle": ("cat apr x" + LEFT * 2 + "\t", "$ cat apricot.txt  x"),
}


@pytest.mark.parametrize(("keys", "shown"), COMPLETIONS.values(), ids=COMPLETIONS.keys())
def test_completion(keys: str, shown: str) -> None:
    desk = at(60)
    desk.type(keys)
    assert desk.screen.text() == shown


def test_completion_of_kubectl_asks_the_host() -> None:
    desk = at()
    desk.type("x=1 k get po -n def\t")
    (call, (name, args)), *rest = desk.calls.items()
    assert (name, args["words"], args["cwd"], rest) == (
        "complete",
        ["kubectl", "get", "po", "-n", "def"],
        "/h",
        [],
    )
    desk.answer(call, {"names": ["default"], "final": " ", "files": False})
    assert desk.screen.text() == "$ x=1 k get po -n default"
    desk.type("x\t")
    ((call, _),) = desk.calls.items()
    desk.type("y")
    desk.answer(call, {"names": ["too-late"], "final": " ", "files": False})
    assert desk.screen.text() == "$ x=1 k get po -n default xy"
    desk.type("\x15kubectl apply -f apr\t")
    ((call, _),) = desk.calls.items()
    desk.answer(call, {"names": [], "final": " ", "files": True})
    assert desk.screen.text() == "$ kubectl apply -f apricot.txt"


def test_exit_ends_the_terminal() -> None:
    desk = at()
    desk.type("exit 3\r")
    assert desk.ends == {"1": 3}


def test_stopped_jobs_are_told_before_the_end() -> None:
    desk = at(60)
    desk.type("sleep 9\r")
    desk.type("\x1a")
    desk.type("exit\r")
    assert desk.ends == {}
    assert "You have stopped jobs." in desk.screen.text()
    desk.type("exit\r")
    assert desk.ends == {"1": 0}


def test_a_program_on_the_terminal_gets_raw_keys_and_gives_back_what_it_did_not_read() -> None:
    desk = at(60)
    desk.type("kubectl exec -it x -- sh\r")
    ((call, (name, args)),) = desk.calls.items()
    assert (name, args["tty"], args["cols"], args["argv"][-1]) == ("run", True, 60, "sh")
    desk.type("ls\x1b[A\x03\x04\r")
    assert desk.given[call] == b"ls\x1b[A\x03\x04\r"
    desk.console.resize("1", 100, 30)
    desk.settle()
    assert desk.heard == [(call, ["resize", 100, 30])]
    desk.answer(call, ["out", 1, "out\r\nput"], last=False)
    desk.answer(call, ["ended", 5, False, "echo "])
    desk.type("left\r")
    assert desk.screen.text().endswith("out\nput\n$ echo left\nleft\n$")
    assert desk.line("echo $?") == "0\n"


def test_a_program_that_does_not_read_leaves_the_keys_to_the_next_line() -> None:
    desk = at(60)
    desk.type("kubectl get pods\r")
    ((call, _),) = desk.calls.items()
    desk.type("echo next\r")
    assert desk.given[call] == b""
    assert desk.screen.text() == "$ kubectl get pods"
    desk.answer(call, ["out", 1, "NAME\r\n"], last=False)
    desk.answer(call, ["ended", 0, False, ""])
    assert desk.screen.text() == "$ kubectl get pods\nNAME\n$ echo next\nnext\n$"


def test_ctrl_c_and_ctrl_z_reach_a_program() -> None:
    desk = at(60)
    desk.type("kubectl get pods -w\r")
    ((call, _),) = desk.calls.items()
    desk.type("\x1a")
    desk.type("jobs\r")
    assert "[1]+  Stopped                    kubectl get pods -w" in desk.screen.text()
    desk.answer(call, ["out", 1, "later\r\n"], last=False)
    assert "later" not in desk.screen.text()
    desk.type("fg\r")
    assert desk.screen.text().endswith("kubectl get pods -w\nlater")
    desk.type("\x03")
    assert desk.heard == [(call, ["signal", "INT"])]
    desk.answer(call, ["ended", 130, True, ""])
    assert desk.screen.text().endswith("later\n^C\n$")
    assert desk.line("echo $?") == "130\n"


def test_ctrl_z_typed_to_a_program_that_reads() -> None:
    desk = at(60)
    desk.type("kubectl apply -f -\r")
    ((call, _),) = desk.calls.items()
    desk.answer(call, ["stop"], last=False)
    assert "Stopped                    kubectl apply -f -" in desk.screen.text()
    desk.type("fg\rkind: Pod\r")
    assert desk.given[call] == b"kind: Pod\r"


def test_ctrl_c_ends_a_loop_of_programs() -> None:
    desk = at(60)
    desk.type("while true; do kubectl get x; done\r")
    ((call, _),) = desk.calls.items()
    desk.type("\x03")
    desk.answer(call, ["ended", 130, True, ""])
    assert desk.screen.text().endswith("^C\n$")
    assert desk.calls == {}


def test_a_reader_that_leaves_ends_the_program() -> None:
    desk = at(60)
    desk.type("kubectl get pods | head -1\r")
    ((call, _),) = desk.calls.items()
    desk.answer(call, ["out", 1, "NAME\nx\n"], last=False)
    desk.answer(call, ["out", 1, "y\n"], last=False)
    assert desk.dropped == [call]
    assert desk.screen.text().endswith("NAME\n$")


def test_input_of_a_program_in_a_pipe_is_cooked() -> None:
    desk = at()
    desk.type("kubectl apply -f - | cat\r")
    ((call, _),) = desk.calls.items()
    desk.type("ab\x7fc\r")
    assert desk.given[call] == b"ac\n"
    desk.type("\x04")
    assert desk.heard == [(call, ["end"])]
    desk.type("\x03")
    assert desk.heard[1:] == [(call, ["signal", "INT"])]
    assert desk.screen.text().endswith("^C")


def test_a_copy_of_the_terminal_has_no_program() -> None:
    desk = at(60)
    desk.type("x=5; kubectl get pods -w\r")
    state = json.loads(json.dumps(desk.console.state()))
    other = at(80)
    other.console.load(state)
    other.settle()
    assert other.screen.text().endswith("kubectl: stopped: it ran beside another copy of this terminal\n$")
    assert other.line("echo $? $x") == "137 5\n"


def test_a_line_is_entered_in_the_place_of_half_a_one() -> None:
    desk = at(60)
    desk.type("half typ\x12ed")
    desk.console.enter("1", "echo one\necho two")
    desk.settle()
    assert desk.screen.text() == "$ echo one\none\n$ echo two\ntwo\n$"
    desk.type("if true\r")
    assert desk.console.foreground("1") is None
    desk.console.enter("1", "echo three")
    desk.settle()
    assert desk.screen.text().endswith("$ if true\n> ^C\n$ echo three\nthree\n$")
    desk.type("sleep 5 | cat\r")
    assert desk.console.foreground("1") == "sleep 5"


def test_two_terminals_are_one_machine() -> None:
    desk = at(60)
    desk.console.open("2", 60, 24)
    desk.console.keys("2", "echo hi > /tmp/f; sleep 50\r")
    desk.settle()
    assert desk.line("cat /tmp/f; ps | grep -c 'sleep 50$'") == "hi\n1\n"
    desk.console.hang_up("2")
    desk.settle()
    assert desk.ends == {"2": 129}
    assert desk.line("ps | grep -c 'sleep 50$'") == "0\n"
    desk.console.open("2", 60, 24)
    desk.settle()
    desk.type("(sleep 1 &); exit\r")
    assert desk.ends == {"2": 129, "1": 0}
    desk.advance(5)
    assert [each["argv"] for each in desk.console.machine.processes()] == [
        ["init", "-c", "read nothing"],
        ["sh", "-E"],
    ]


def test_a_burst_of_keys_is_many_turns() -> None:
    desk = at()
    desk.console.keys("1", "x" * 1_000 + "a\x01b\x05" * 1_000 + "\t" * 100 + "\r" * 100)
    rounds = 0
    while (due := desk.console.run(desk.now, 1_000)) is not None and due <= desk.now:
        rounds += 1
    assert rounds > 5


def test_ctrl_c_in_the_same_breath_as_the_line() -> None:
    desk = at()
    desk.type("sleep 100\r\x03")
    assert desk.console.foreground("1") is None


def test_a_line_that_is_too_long_is_said() -> None:
    desk = at(100)
    desk.type(PASTE + "x" * 9_000 + PASTED)
    assert "a line may have at most 8,192 characters: the rest was dropped" in desk.screen.text()


def test_a_long_document_is_not_parsed_at_each_line() -> None:
    desk = at(100)
    before = desk.console.machine.steps
    desk.type(PASTE + "cat <<EOF | wc -l\n" + "a: 1\n" * 5_000 + "EOF\n" + PASTED)
    assert desk.screen.text().endswith("> EOF\n5000\n$")
    assert desk.console.machine.steps - before < 400_000
