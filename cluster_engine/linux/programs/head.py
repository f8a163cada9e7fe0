"""`head`."""

from __future__ import annotations

from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import fail, hold, is_busybox, number, options

_USAGE = "head [OPTIONS] [FILE]...\n\nPrint first 10 lines of FILEs (or stdin)"


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    if len(argv) > 1 and argv[1][:1] == "-" and argv[1][1:].isdigit():
        argv = [argv[0], "-n", argv[1][1:], *argv[2:]]
    opts = options(
        sys,
        argv,
        "qv",
        "nc",
        {"lines": "n", "bytes": "c", "quiet": "q", "silent": "q", "verbose": "v"},
        usage=_USAGE,
    )
    by = opts.last("nc") or "n"
    text = opts.value(by) or "10"
    count = number(text)
    if count is None or (text.startswith("+") and is_busybox(sys)):
        what = "lines" if by == "n" else "bytes"
        fail(sys, f"invalid number '{text}'" if is_busybox(sys) else f"invalid number of {what}: '{text}'")
    names = opts.operands or ["-"]
    titles = opts.flag("v") or (len(names) > 1 and not opts.flag("q"))
    all_but = text.startswith("-")
    state: State = {"by": by, "count": abs(count), "all_but": all_but, "titles": titles}
    return state | {"left": abs(count), "held": [], "shown": 0, "inputs": len(names)}, names


def _opened(sys: Sys, state: State, name: str) -> None:
    _flush(sys, state)
    if state["titles"]:
        title = "standard input" if name == "-" else name
        sys.out(("\n" if state["shown"] else "") + f"==> {title} <==\n")
    state["shown"] += 1
    state["left"] = state["count"]


def _flush(sys: Sys, state: State) -> None:
    """`-n -5`: all but the last five."""
    if not state["all_but"] or not state["held"]:
        return
    text = "".join(state["held"])
    state["held"], state["size"] = [], 0
    count = state["count"]
    if state["by"] == "c":
        sys.write(1, text[: len(text) - count] if count else text)
        return
    parts = text.split("\n")
    rows = [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
    sys.write(1, "".join(rows[: max(len(rows) - count, 0)]))


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    if state["all_but"]:
        hold(sys, state, chunk)
        return None
    left = state["left"]
    if left > 0:
        if state["by"] == "c":
            sys.write(1, chunk[:left])
            left -= len(chunk)
        else:
            count = chunk.count("\n")
            if count < left:
                sys.write(1, chunk)
                left -= count
            else:
                at = -1
                for _ in range(left):
                    at = chunk.index("\n", at + 1)
                sys.write(1, chunk[: at + 1])
                left = 0
        state["left"] = left
    return 0 if left <= 0 and state["inputs"] == 1 else None


def _end(sys: Sys, state: State) -> int:
    _flush(sys, state)
    return 0


def _unopened(sys: Sys, state: State, name: str, reason: str) -> None:
    if is_busybox(sys):
        sys.error(f"{name}: {reason}")
        state["shown"] += 1
    else:
        sys.error(f"cannot open '{name}' for reading: {reason}")


PROGRAM = Program(
    "head",
    "print the first lines",
    _USAGE,
    filter=Filter(_init, _feed, _end, opened=_opened, unopened=_unopened),
)
