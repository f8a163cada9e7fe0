"""`wc`."""

from __future__ import annotations

from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import is_busybox, options
from cluster_engine.linux.text import characters

_USAGE = "wc [-cmlwL] [FILE]...\n\nCount lines, words, and bytes for FILEs (or stdin)"
_LONG = {"lines": "l", "words": "w", "bytes": "c", "chars": "m", "max-line-length": "L"}
_ORDER = "lwmcL"


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "lwcmL", "", _LONG, usage=_USAGE)
    wanted = [letter for letter in _ORDER if opts.flag(letter)] or ["l", "w", "c"]
    names = opts.operands or ["-"]
    size = 0
    width = 1 if len(wanted) == 1 and len(names) == 1 else 0
    for name in names if not width else ():
        if name == "-" or not sys.fs.is_file(name):
            width = 7 if name == "-" or sys.fs.exists(name) else width
        else:
            size += sys.fs.stat(name).size
    state: State = {"wanted": wanted, "width": max(width, len(str(size))), "rows": [], "inputs": len(names)}
    return state | {"named": bool(opts.operands), "inside": False, "line": 0}, names


def _opened(sys: Sys, state: State, name: str) -> None:
    _row(sys, state)
    state["name"] = name if state["named"] else ""
    state["counts"] = dict.fromkeys(_ORDER, 0)
    state["inside"], state["line"] = False, 0


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    counts = state["counts"]
    sys.tick(len(chunk) // 256)
    counts["l"] += chunk.count("\n")
    counts["c"] += len(chunk)
    if "w" in state["wanted"]:
        # A word that the last chunk began is not counted again.
        blanks = chunk.translate(_BLANKS)
        counts["w"] += _words(blanks)
        if state["inside"] and blanks[0] != " ":
            counts["w"] -= 1
        state["inside"] = blanks[-1] != " "
    if "m" in state["wanted"]:
        counts["m"] += (
            len(chunk) - sum(1 for c in chunk if "\x80" <= c < "\xc0") if not chunk.isascii() else len(chunk)
        )
    if "L" in state["wanted"]:
        first, *rest = chunk.split("\n")
        state["line"] += len(characters(first))
        for part in rest:
            counts["L"] = max(counts["L"], state["line"])
            state["line"] = len(characters(part))
        counts["L"] = max(counts["L"], state["line"])
    return None


_BLANKS = {ord(c): " " for c in "\t\n\v\f\r"}


def _words(text: str) -> int:
    return sum(1 for word in text.split(" ") if word)


def _row(sys: Sys, state: State) -> None:
    if "counts" in state:
        state["rows"].append([state["counts"][letter] for letter in state["wanted"]])
        _print(sys, state, state["rows"][-1], state["name"])


def _print(sys: Sys, state: State, row: list[int], name: str) -> None:
    if not is_busybox(sys):
        text = " ".join(f"{count:{state['width']}d}" for count in row)
    elif len(row) == 1 and state["inputs"] == 1:
        text = str(row[0])
    else:
        text = " ".join(f"{count:9d}" for count in row)
    sys.out(f"{text} {name}\n" if name else f"{text}\n")


def _end(sys: Sys, state: State) -> int:
    _row(sys, state)
    if state["inputs"] > 1:
        totals = [sum(column) for column in zip(*state["rows"], strict=True)] or [0] * len(state["wanted"])
        if "L" in state["wanted"] and state["rows"]:
            totals[-1] = max(row[-1] for row in state["rows"])
        _print(sys, state, totals, "total")
    return 0


PROGRAM = Program(
    "wc", "count lines, words, bytes", _USAGE, filter=Filter(_init, _feed, _end, opened=_opened)
)
