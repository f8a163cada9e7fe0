"""`xargs`."""

from __future__ import annotations

from cluster_engine.linux.errors import NO_ENTRY, FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs._common import fail, hold, is_busybox, number, options

_USAGE = "xargs [OPTIONS] [PROG ARGS]\n\nRun PROG on every item given by stdin"
_LONG = {
    "null": "0", "no-run-if-empty": "r", "max-args": "n", "delimiter": "d", "replace": "I", "max-lines": "L",
    "verbose": "t", "max-procs": "P", "exit": "x", "arg-file": "a",
}  # fmt: skip
MAX_ARGUMENTS = 512
"""Words of one command."""


def _split(sys: Sys, text: str, delimiter: str) -> list[str]:
    if delimiter:
        parts = text.split(delimiter)
        return parts[:-1] if parts and parts[-1] == "" else parts
    words: list[str] = []
    current: list[str] | None = None
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if quote:
            if char == quote:
                quote = ""
            elif char == "\n":
                break
            else:
                current = [*(current or []), char]
        elif char in "'\"":
            quote = char
            current = current if current is not None else []
        elif char == "\\" and at < len(text):
            current = current if current is not None else []
            current.append(text[at])
            at += 1
        elif char in " \t\n":
            if current is not None:
                words.append("".join(current))
                current = None
        else:
            current = current if current is not None else []
            current.append(char)
    if quote:
        kind = "double" if quote == '"' else "single"
        fail(
            sys,
            "unmatched quote"
            if is_busybox(sys)
            else f"unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option",
        )
    if current is not None:
        words.append("".join(current))
    return words


def _start(sys: Sys, argv: list[str]) -> State:
    opts = options(sys, argv, "0rtpx", "nILdPEsa", _LONG, permute=False, usage=_USAGE)
    size = number(opts.value("n") or str(MAX_ARGUMENTS))
    if size is None or size < 1:
        fail(sys, f"invalid number '{opts.value('n')}'")
    delimiter = "\0" if opts.flag("0") else opts.value("d") or ""
    delimiter = {"\\n": "\n", "\\0": "\0", "\\t": "\t"}.get(delimiter, delimiter)
    lines = number(opts.value("L") or "0")
    return {
        "command": opts.operands or ["echo"], "most": min(size, MAX_ARGUMENTS), "replace": opts.value("I") or "",
        "delimiter": delimiter, "keep": not opts.flag("r"), "trace": opts.flag("t"), "held": [], "batches": [],
        "status": 0, "waits": 0, "lines": lines or 0, "end": opts.value("E") or "",
    }  # fmt: skip


def _batches(sys: Sys, state: State) -> None:
    text = "".join(state["held"])
    state["held"] = []
    command, replace = state["command"], state["replace"]
    sys.tick(1 + len(text) // 64)
    if replace:
        rows = text.split(state["delimiter"] or "\n")
        rows = [row.strip(" \t") if not state["delimiter"] else row for row in rows]
        state["batches"] = [[word.replace(replace, row) for word in command] for row in rows if row]
        return
    if state["lines"]:
        rows = [row for row in text.split("\n") if row.strip()]
        step = state["lines"]
        groups = [" ".join(rows[at : at + step]) for at in range(0, len(rows), step)]
        state["batches"] = [[*command, *_split(sys, group, "")] for group in groups]
        return
    words = _split(sys, text, state["delimiter"])
    if state["end"] and state["end"] in words:
        words = words[: words.index(state["end"])]
    size = state["most"]
    state["batches"] = [[*command, *words[at : at + size]] for at in range(0, len(words), size)]
    if not words and state["keep"]:
        state["batches"] = [command]


def _next(sys: Sys, state: State) -> State:
    if not state["batches"]:
        sys.exit(state["status"])
    argv = state["batches"].pop(0)
    if state["trace"]:
        sys.err(" ".join(argv) + "\n")
    try:
        quiet = sys.open("/dev/null")
    except FileError:
        quiet = 0
    try:
        state["waits"] = sys.spawn(argv, fds={0: quiet, 1: 1, 2: 2})
    except FileError as error:
        sys.error(f"{argv[0]}: {error.reason}")
        sys.exit(127 if error.reason == NO_ENTRY else 126)
    if quiet:
        sys.close(quiet)
    return state


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            state = _start(sys, argv)
            sys.read(0)
        case ["data", 0, chunk]:
            hold(sys, state, chunk)
            sys.read(0)
        case ["end", 0]:
            _batches(sys, state)
            return _next(sys, state)
        case ["exited", pid, status] if pid == state["waits"]:
            if status == 255:
                sys.error(f"{state['command'][0]}: exited with status 255; aborting")
                sys.exit(124)
            if status > 128:
                sys.exit(125)
            if status:
                state["status"] = 123
            return _next(sys, state)
    return state


PROGRAM = Program("xargs", "run a command on words of the input", _USAGE, on=_on)
