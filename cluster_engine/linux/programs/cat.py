"""`cat`."""

from __future__ import annotations

from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import cannot_open, options

_USAGE = "cat [-nbvteA] [FILE]...\n\nPrint FILEs to stdout"
_LONG = {
    "number": "n", "number-nonblank": "b", "show-all": "A", "show-ends": "E", "show-tabs": "T",
    "show-nonprinting": "v", "squeeze-blank": "s",
}  # fmt: skip


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "nbvteAusET", "", _LONG, usage=_USAGE)
    state = {
        "number": "b" if opts.flag("b") else "n" if opts.flag("n") else "",
        "ends": opts.flag("e", "A", "E"),
        "tabs": opts.flag("t", "A", "T"),
        "visible": opts.flag("v", "e", "t", "A"),
        "squeeze": opts.flag("s"),
        "line": 0,
        "fresh": True,
        "blank": 0,
    }
    state["plain"] = not any(state[key] for key in ("number", "ends", "tabs", "visible", "squeeze"))
    return state, opts.operands or ["-"]


def _visible(char: str) -> str:
    code = ord(char)
    prefix = ""
    if code >= 128:
        prefix, code = "M-", code - 128
    if code < 32:
        return f"{prefix}^{chr(code + 64)}"
    return f"{prefix}^?" if code == 127 else prefix + chr(code)


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    if state["plain"]:
        sys.write(1, chunk)
        return None
    out: list[str] = []
    sys.tick(len(chunk) // 16)
    for line in chunk.splitlines(keepends=True) if chunk.isascii() and "\r" not in chunk else _split(chunk):
        text = line.removesuffix("\n")
        if state["fresh"]:
            state["blank"] = state["blank"] + 1 if line == "\n" else 0
            if state["squeeze"] and state["blank"] > 1:
                continue
            if state["number"] == "n" or (state["number"] == "b" and line != "\n"):
                state["line"] += 1
                out.append(f"{state['line']:6d}\t")
        if state["visible"]:
            text = "".join(_visible(c) if not (c == "\t" or " " <= c <= "~") else c for c in text)
        if state["tabs"]:
            text = text.replace("\t", "^I")
        state["fresh"] = line.endswith("\n")
        out.append(text + (("$\n" if state["ends"] else "\n") if state["fresh"] else ""))
    sys.write(1, "".join(out))
    return None


def _split(text: str) -> list[str]:
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _end(sys: Sys, state: State) -> int:
    return 0


PROGRAM = Program("cat", "print files", _USAGE, filter=Filter(_init, _feed, _end, unopened=cannot_open))
