"""The program `awk` (a filter): BEGIN, then records as they come, then END."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Exit, Filter, Program, State, Sys
from cluster_engine.linux.programs._common import fail, hold, is_busybox, lines, misused
from cluster_engine.linux.programs.awk.interpret import Exited, Interpreter
from cluster_engine.linux.programs.awk.parse import parse
from cluster_engine.linux.programs.awk.tokens import AwkError
from cluster_engine.linux.programs.awk.values import Input, to_text
from cluster_engine.linux.text import characters, octets

_USAGE = "awk [OPTIONS] [AWK_PROGRAM] [FILE]..."
_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\\\": "\\"}


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    words, texts, assigned = argv[1:], [], []
    separator: str | None = None
    while words and words[0].startswith("-") and words[0] != "-":
        option = words.pop(0)
        if option == "--":
            break
        letter, value = option[1:2], option[2:]
        if letter in "Fvf" and letter:
            if not value:
                if not words:
                    misused(sys, f"option requires an argument -- '{letter}'", _USAGE)
                value = words.pop(0)
            if letter == "F":
                separator = value
            elif letter == "v":
                assigned.append(value)
            else:
                try:
                    texts.append(sys.fs.read(value))
                except FileError as error:
                    fail(
                        sys,
                        f"{value}: {error.reason}"
                        if is_busybox(sys)
                        else f"cannot open {value} ({error.reason})",
                        2,
                    )
        else:
            misused(sys, f"invalid option -- '{letter}'", _USAGE, 2)
    if not texts:
        if not words:
            misused(sys, "", _USAGE, 2)
        texts = [words.pop(0)]
    state: State = {
        "text": "\n".join(texts),
        "memory": {},
        "rest": "",
        "held": [],
        "begun": False,
        "status": 0,
        "done": False,
    }
    machine = _machine(sys, state)
    if separator is not None:
        machine.names["FS"] = "\t" if separator == "t" else characters(_unescaped(separator))
    for each in assigned:
        _assign(sys, machine, each)
    machine.arrays["ENVIRON"] = {
        characters(name): Input(characters(value)) for name, value in sys.env.items()
    }
    machine.arrays["ARGV"] = {str(at): Input(characters(word)) for at, word in enumerate([argv[0], *words])}
    machine.names["ARGC"] = float(len(words) + 1)
    if not _guarded(sys, state, machine, machine.begin):
        raise Exit(_finish(sys, state, machine))
    state["begun"] = True
    if not machine.tree.rules and not machine.tree.end:
        raise Exit(0)
    names: list[str] = []
    for word in words:
        if "=" in word and word.partition("=")[0].isidentifier():
            if names:
                fail(sys, "an assignment behind a file's name is not done here; use -v", 2)
            _assign(sys, machine, word)
        else:
            names.append(word)
    state["memory"] = machine.state()
    return state, names or ["-"]


def _unescaped(text: str) -> str:
    for escape, char in _ESCAPES.items():
        text = text.replace(escape, char) if escape != "\\\\" else text
    return text


def _assign(sys: Sys, machine: Interpreter, text: str) -> None:
    name, mark, value = text.partition("=")
    if not mark or not name.isidentifier():
        fail(
            sys,
            f"'{text}' argument to '-v' should be in 'var=value' form"
            if not is_busybox(sys)
            else f"bad -v: {text}",
            2,
        )
    machine.set(name, Input(characters(_unescaped(value))))


def _machine(sys: Sys, state: State) -> Interpreter:
    try:
        machine = Interpreter(sys, parse(characters(state["text"])))
    except AwkError as error:
        fail(sys, octets(f"cmd. line:1: {error}"), 1 if is_busybox(sys) else 2)
    if state["memory"]:
        machine.load(state["memory"])
    return machine


def _guarded(sys: Sys, state: State, machine: Interpreter, do: object) -> bool:
    """Runs a part of the program; False when it ended the whole."""
    assert callable(do)
    goes_on = True
    try:
        do()
    except Exited as end:
        state["status"] = end.status
        goes_on = False
    except AwkError as error:
        sys.write(1, "".join(machine.out))
        fail(sys, octets(f"cmd. line:1: {error}"), 2)
    sys.tick(machine.steps // 4)
    if machine.out:
        sys.write(1, "".join(machine.out))
        machine.out = []
    state["memory"] = machine.state()
    return goes_on


def _records(sys: Sys, state: State, chunk: str) -> list[str]:
    """The records that a chunk completes."""
    mark = characters(state["memory"]["names"]["RS"])[1:]
    if mark == "\n":
        return lines(sys, state, chunk)
    if mark == "":
        hold(sys, state, chunk)
        return []
    text = state["rest"] + chunk
    rows: list[str] = text.split(octets(mark[:1]))
    state["rest"] = rows.pop()
    return rows


def _run(sys: Sys, state: State, rows: list[str]) -> int | None:
    machine = _machine(sys, state)

    def all_lines() -> None:
        for row in rows:
            machine.line(characters(row))

    if _guarded(sys, state, machine, all_lines):
        return None
    return _finish(sys, state, machine)


def _finish(sys: Sys, state: State, machine: Interpreter) -> int:
    """END; after `exit` in a rule as well."""
    state["done"] = True
    machine.exited = state["status"]
    _guarded(sys, state, machine, machine.end)
    status: int = state["status"]
    return status


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    return _run(sys, state, _records(sys, state, chunk))


def _opened(sys: Sys, state: State, name: str) -> None:
    if state["rest"]:
        rest, state["rest"] = state["rest"], ""
        status = _run(sys, state, [rest])
        if status is not None:
            raise Exit(status)
    names = {**state["memory"]["names"], "FNR": "n0.0", "FILENAME": "s" + ("" if name == "-" else name)}
    state["memory"] = {**state["memory"], "names": names}


def _end(sys: Sys, state: State) -> int:
    rows = [state["rest"]] if state["rest"] else []
    if state["held"]:  # RS="": paragraphs
        text = "".join(state["held"]).strip("\n")
        rows = [part.strip("\n") for part in text.split("\n\n") if part.strip("\n")]
    state["rest"] = ""
    if rows:
        mark = to_text(characters(state["memory"]["names"]["RS"])[1:])
        if mark not in ("", "\n"):
            rows = [row.removesuffix("\n") if at == len(rows) - 1 else row for at, row in enumerate(rows)]
            rows = [row for row in rows if row]
        status = _run(sys, state, rows)
        if status is not None:
            return status
    return _finish(sys, state, _machine(sys, state))


def _unopened(sys: Sys, state: State, name: str, reason: str) -> None:
    sys.error(f"{name}: {reason}" if is_busybox(sys) else f'cannot open "{name}" ({reason})')
    state["status"] = 1 if is_busybox(sys) else 2


PROGRAM = Program(
    "awk",
    "a language for lines and fields",
    _USAGE,
    filter=Filter(_init, _feed, _end, opened=_opened, unopened=_unopened),
)
