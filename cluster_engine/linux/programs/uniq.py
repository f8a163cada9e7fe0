"""`uniq`."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import fail, is_busybox, lines, misused, number, options

_USAGE = "uniq [-cduiz] [-f,s,w N] [FILE [OUTFILE]]\n\nDiscard duplicate lines"
_LONG = {
    "count": "c", "repeated": "d", "unique": "u", "ignore-case": "i", "skip-fields": "f", "skip-chars": "s",
    "check-chars": "w",
}  # fmt: skip


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "cdui", "fsw", _LONG, usage=_USAGE)
    bounds = {}
    for letter in "fsw":
        text = opts.value(letter)
        value = number(text) if text is not None else 0
        if value is None or value < 0:
            fail(sys, f"invalid number '{text}'")
        bounds[letter] = value
    if len(opts.operands) > 2:
        misused(sys, f"extra operand '{opts.operands[2]}'", _USAGE)
    state = {
        "bounds": bounds, "check": opts.flag("w"), "count": opts.flag("c"), "repeated": opts.flag("d"),
        "single": opts.flag("u"), "fold": opts.flag("i"), "rest": "", "line": None, "key": None, "times": 0,
        "out": opts.operands[1] if len(opts.operands) > 1 else "", "started": False,
    }  # fmt: skip
    return state, opts.operands[:1] or ["-"]


def _key(state: State, line: str) -> str:
    bounds = state["bounds"]
    at = 0
    for _ in range(min(bounds["f"], len(line))):
        while at < len(line) and line[at] in " \t":
            at += 1
        while at < len(line) and line[at] not in " \t":
            at += 1
    key = line[at + bounds["s"] :]
    if state["check"]:
        key = key[: bounds["w"]]
    return key.lower() if state["fold"] else key


def _group(sys: Sys, state: State) -> str:
    times = state["times"]
    if times == 0 or (state["repeated"] and times < 2) or (state["single"] and times > 1):
        return ""
    return f"{times:7d} {state['line']}\n" if state["count"] else state["line"] + "\n"


def _rows(sys: Sys, state: State, rows: list[str]) -> None:
    out: list[str] = []
    sys.tick(len(rows))
    bounds = state["bounds"]
    plain = not (state["check"] or state["fold"] or bounds["f"] or bounds["s"])
    for line in rows:
        key = line if plain else _key(state, line)
        if state["times"] and key == state["key"]:
            state["times"] += 1
            continue
        out.append(_group(sys, state))
        state["line"], state["key"], state["times"] = line, key, 1
    _write(sys, state, "".join(out))


def _write(sys: Sys, state: State, text: str) -> None:
    if not state["out"]:
        sys.write(1, text)
        return
    try:
        sys.fs.write(state["out"], text, append=state["started"])
    except FileError as error:
        fail(sys, f"can't open '{state['out']}': {error.reason}" if is_busybox(sys) else str(error))
    state["started"] = True


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    _rows(sys, state, lines(sys, state, chunk))
    return None


def _end(sys: Sys, state: State) -> int:
    if state["rest"]:
        _rows(sys, state, [state["rest"]])
    _write(sys, state, _group(sys, state))
    return 0


def _unopened(sys: Sys, state: State, name: str, reason: str) -> None:
    sys.error(f"can't open '{name}': {reason}" if is_busybox(sys) else f"{name}: {reason}")


PROGRAM = Program(
    "uniq", "join equal neighbouring lines", _USAGE, filter=Filter(_init, _feed, _end, unopened=_unopened)
)
