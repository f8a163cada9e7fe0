"""`sed`, the program: its options, its inputs, editing in place."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Exit, Filter, Program, State, Sys
from cluster_engine.linux.programs._common import fail, hold, is_busybox, lines, misused, options
from cluster_engine.linux.programs.sed.edit import Editor
from cluster_engine.linux.programs.sed.script import Command, Script, ScriptError
from cluster_engine.linux.regex import PatternError
from cluster_engine.linux.text import characters, octets

_USAGE = "sed [-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]..."
_LONG = {
    "quiet": "n", "silent": "n", "expression": "e", "in-place": "i", "regexp-extended": "E", "file": "f",
    "separate": "s", "null-data": "z",
}  # fmt: skip


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "nErsuz", "ef", _LONG, usage=_USAGE, optional="i")
    operands = list(opts.operands)
    if opts.flag("z"):
        fail(sys, "the option -z is not supported here")
    scripts: list[str] = []
    for letter in opts.given:
        for value in opts.given[letter] if letter in "ef" else ():
            scripts.append(value if letter == "e" else _file(sys, value))
    if not scripts:
        if not operands:
            misused(sys, "", _USAGE)
        scripts = [operands.pop(0)]
    text = "\n".join(scripts)
    state: State = {
        "script": text, "extended": opts.flag("E", "r"), "quiet": opts.flag("n") or text.startswith("#n\n"), "held": [],
        "failed": 0, "rest": "", "hold": "", "number": 0, "memory": [],
    }  # fmt: skip
    program = _program(sys, state)
    state["streams"] = not any(
        made.letter in ("n", "N", "D") or any(end is not None and end.last for end in (made.start, made.end))
        for made in program
    )
    suffix = opts.value("i")
    if suffix is None:
        return state, operands or ["-"]
    if not operands:
        fail(sys, "no input files", 4 if not is_busybox(sys) else 1)
    raise Exit(_in_place(sys, state, program, operands, suffix))


def _file(sys: Sys, name: str) -> str:
    try:
        text: str = sys.fs.read(name)
    except FileError as error:
        fail(sys, f"couldn't open file {name}: {error.reason}")
    return text.removesuffix("\n")


def _program(sys: Sys, state: State) -> list[Command]:
    try:
        return Script(characters(state["script"]), state["extended"]).parse()
    except ScriptError as error:
        said = str(error)
        fail(sys, said if is_busybox(sys) else f"-e expression #1, char {len(state['script'])}: {said}")
    except PatternError as error:
        said = str(error)
        if is_busybox(sys):
            fail(sys, f"bad regex '{state['script']}': {said}")
        fail(sys, f"-e expression #1, char {len(state['script'])}: {said}")


def _in_place(sys: Sys, state: State, program: list[Command], names: list[str], suffix: str) -> int:
    status = 0
    for name in names:
        try:
            data = sys.fs.read(name)
            mode = sys.fs.stat(name).mode
            sed = Editor(sys, _program(sys, state), state["quiet"])
            ended = sed.edit(data)
            if suffix:
                sys.fs.write(name + suffix, data)
            # As the real one: a new file takes the name, so that a read-only directory refuses it.
            folder = name.rpartition("/")[0]
            fresh = f"{folder}/sed{sys.pid}" if folder else f"sed{sys.pid}"
            sys.fs.write(fresh, octets("".join(sed.out)))
            sys.fs.chmod(fresh, mode)
            sys.fs.rename(fresh, name)
            if ended is not None:
                return ended
        except FileError as error:
            said = (
                f"can't read {name}: {error.reason}"
                if error.path == name
                else f"couldn't open temporary file {error.path}: {error.reason}"
            )
            sys.error(f"{name}: {error.reason}" if is_busybox(sys) else said)
            status = (4 if error.path != name else 2) if not is_busybox(sys) else 1
    return status


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    if not state["streams"]:
        hold(sys, state, chunk)
        return None
    return _stream(sys, state, lines(sys, state, chunk))


def _stream(sys: Sys, state: State, rows: list[str], newline: bool = True) -> int | None:
    """Lines as they come, where the script does not ask what follows them."""
    program = _program(sys, state)
    for made, (inside, until, begun) in zip(program, state["memory"], strict=False):
        made.inside, made.until, made.begun = bool(inside), until, bool(begun)
    sed = Editor(sys, program, state["quiet"])
    sed.hold, sed.number = characters(state["hold"]), state["number"]
    status = sed.lines([characters(row) for row in rows], newline)
    state["hold"], state["number"] = octets(sed.hold), sed.number
    state["memory"] = [[int(made.inside), made.until, int(made.begun)] for made in program]
    sys.write(1, octets("".join(sed.out)))
    return status


def _opened(sys: Sys, state: State, name: str) -> None:
    """A file whose last line has no newline does not run into the next."""
    if state["rest"]:
        state["rest"] += "\n"
    if state["held"] and not state["held"][-1].endswith("\n"):
        state["held"].append("\n")


def _end(sys: Sys, state: State) -> int:
    failed: int = state["failed"]
    if state["streams"]:
        rows = state["rest"].split("\n") if state["rest"] else []
        newline = bool(rows) and rows[-1] == ""
        status = _stream(sys, state, rows[:-1] if newline else rows, newline)
        return failed if status is None else status
    sed = Editor(sys, _program(sys, state), state["quiet"])
    status = sed.edit("".join(state["held"]))
    sys.write(1, octets("".join(sed.out)))
    return failed if status is None else status


def _unopened(sys: Sys, state: State, name: str, reason: str) -> None:
    sys.error(f"{name}: {reason}" if is_busybox(sys) else f"can't read {name}: {reason}")
    state["failed"] = 1 if is_busybox(sys) else 2


PROGRAM = Program(
    "sed", "edit lines", _USAGE, filter=Filter(_init, _feed, _end, opened=_opened, unopened=_unopened)
)
