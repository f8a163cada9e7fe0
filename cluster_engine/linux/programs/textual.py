"""Small filters of lines: `tac rev nl paste fold comm`."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import cannot_open, fail, hold, lines, number, options
from cluster_engine.linux.text import characters, octets


def _hold(sys: Sys, state: State, chunk: str) -> int | None:
    hold(sys, state, chunk)
    return None


def _plain_init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "")
    return {"held": [], "rest": ""}, opts.operands or ["-"]


def _tac_file(sys: Sys, state: State) -> None:
    """What is held of one file, last line first; a line ends with a newline and with nothing else."""
    *rows, rest = "".join(state["held"]).split("\n")
    sys.write(1, rest + "".join(f"{row}\n" for row in reversed(rows)))
    state["held"] = []


def _tac_opened(sys: Sys, state: State, name: str) -> None:
    _tac_file(sys, state)


def _tac_end(sys: Sys, state: State) -> int:
    _tac_file(sys, state)
    return 0


def _rev_feed(sys: Sys, state: State, chunk: str) -> int | None:
    rows = lines(sys, state, chunk)
    sys.write(1, "".join(octets(characters(row)[::-1]) + "\n" for row in rows))
    return None


def _rev_end(sys: Sys, state: State) -> int:
    if state["rest"]:
        sys.write(1, octets(characters(state["rest"])[::-1]))
    return 0


def _nl_init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "p", "bwsvi", usage="nl [-b STYLE] [-w N] [-s SEP] [FILE]...")
    width, first, step = (
        number(opts.value(letter) or default) for letter, default in (("w", "6"), ("v", "1"), ("i", "1"))
    )
    if width is None or first is None or step is None:
        fail(sys, "invalid number")
    separator = opts.value("s")
    state = {
        "every": (opts.value("b") or "t") == "a", "width": width, "at": first, "step": step, "rest": "",
        "separator": "\t" if separator is None else separator,
    }  # fmt: skip
    return state, opts.operands or ["-"]


def _nl_rows(sys: Sys, state: State, rows: list[str]) -> None:
    out: list[str] = []
    for row in rows:
        if row or state["every"]:
            out.append(f"{state['at']:{state['width']}d}{state['separator']}{row}\n")
            state["at"] += state["step"]
        else:
            out.append(" " * (state["width"] + len(state["separator"])) + "\n")
    sys.write(1, "".join(out))


def _nl_feed(sys: Sys, state: State, chunk: str) -> int | None:
    _nl_rows(sys, state, lines(sys, state, chunk))
    return None


def _nl_end(sys: Sys, state: State) -> int:
    if state["rest"]:
        _nl_rows(sys, state, [state["rest"]])
    return 0


def _paste_init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(
        sys, argv, "s", "d", {"serial": "s", "delimiters": "d"}, usage="paste [-s] [-d LIST] [FILE]..."
    )
    marks = opts.value("d")
    delimiters = list(("\t" if marks is None else marks).replace("\\n", "\n").replace("\\t", "\t")) or [""]
    state: State = {"serial": opts.flag("s"), "delimiters": delimiters, "files": [], "held": [], "opened": 0}
    names = opts.operands or ["-"]
    state["inputs"] = names.count("-")
    return state, names


def _paste_opened(sys: Sys, state: State, name: str) -> None:
    _paste_close(state)
    state["opened"] += 1


def _paste_close(state: State) -> None:
    if state["opened"]:
        text = "".join(state["held"])
        rows = text.split("\n")
        state["files"].append(rows[:-1] if rows[-1] == "" else rows)
        state["held"] = []


def _paste_end(sys: Sys, state: State) -> int:
    _paste_close(state)
    files, marks = state["files"], state["delimiters"]
    many = state["inputs"]
    if many > 1 and len(files) == many:  # `paste - -`: the lines of standard input in turn
        files = [files[0][at::many] for at in range(many)]
    if not state["serial"]:
        count = max((len(rows) for rows in files), default=0)
        files = [[rows[at] if at < len(rows) else "" for rows in files] for at in range(count)]
    out: list[str] = []
    for row in files:
        pieces: list[str] = []
        for at, cell in enumerate(row):
            pieces += [cell, marks[at % len(marks)]] if at + 1 < len(row) else [cell]
        out.append("".join(pieces) + "\n")
    sys.tick(len(out))
    sys.write(1, "".join(out))
    return 0


def _fold_init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(
        sys, argv, "bs", "w", {"width": "w", "spaces": "s"}, usage="fold [-bs] [-w WIDTH] [FILE]..."
    )
    width = number(opts.value("w") or "80")
    if width is None or width < 1:
        fail(sys, f"invalid number of columns: '{opts.value('w')}'")
    return {"width": width, "spaces": opts.flag("s"), "rest": ""}, opts.operands or ["-"]


def _fold(state: State, row: str) -> str:
    width = state["width"]
    pieces: list[str] = []
    while len(row) > width:
        cut = row.rfind(" ", 0, width) + 1 if state["spaces"] else 0
        pieces.append(row[: cut or width])
        row = row[cut or width :]
    return "\n".join([*pieces, row])


def _fold_feed(sys: Sys, state: State, chunk: str) -> int | None:
    sys.write(1, "".join(_fold(state, row) + "\n" for row in lines(sys, state, chunk)))
    return None


def _fold_end(sys: Sys, state: State) -> int:
    if state["rest"]:
        sys.write(1, _fold(state, state["rest"]))
    return 0


def _comm(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "123", usage="comm [-123] FILE1 FILE2")
    if len(opts.operands) != 2:
        fail(sys, "two files are needed")
    try:
        first, second = (sys.fs.read(name).splitlines() for name in opts.operands)
    except FileError as error:
        fail(sys, f"{error.path}: {error.reason}")
    shown = [not opts.flag(each) for each in "123"]
    indents = ["", "\t" * shown[0], "\t" * (shown[0] + shown[1])]
    a = b = 0
    out: list[str] = []
    while a < len(first) or b < len(second):
        if b >= len(second) or (a < len(first) and first[a] < second[b]):
            column, text, a = 0, first[a], a + 1
        elif a >= len(first) or second[b] < first[a]:
            column, text, b = 1, second[b], b + 1
        else:
            column, text, a, b = 2, first[a], a + 1, b + 1
        if shown[column]:
            out.append(f"{indents[column]}{text}\n")
    sys.tick(a + b)
    sys.out("".join(out))
    return 0


TAC = Program(
    "tac",
    "print lines backwards",
    "tac [FILE]...",
    filter=Filter(_plain_init, _hold, _tac_end, opened=_tac_opened, unopened=cannot_open),
)
REV = Program(
    "rev",
    "turn lines round",
    "rev [FILE]...",
    filter=Filter(_plain_init, _rev_feed, _rev_end, unopened=cannot_open),
)
NL = Program(
    "nl", "number lines", "nl [FILE]...", filter=Filter(_nl_init, _nl_feed, _nl_end, unopened=cannot_open)
)
PASTE = Program(
    "paste", "join lines of files", "paste [-s] [-d LIST] [FILE]...",
    filter=Filter(_paste_init, _hold, _paste_end, opened=_paste_opened, unopened=cannot_open),
)  # fmt: skip
FOLD = Program(
    "fold",
    "break long lines",
    "fold [-bs] [-w WIDTH] [FILE]...",
    filter=Filter(_fold_init, _fold_feed, _fold_end, unopened=cannot_open),
)
COMM = Program("comm", "compare sorted files", "comm [-123] FILE1 FILE2", run=_comm)
