"""`cut`; characters are bytes, as in coreutils."""

from __future__ import annotations

from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import fail, is_busybox, lines, misused, options

_USAGE = (
    "cut {-b|c LIST | -f LIST [-d SEP] [-s]} [-O SEP] [FILE]...\n\nPrint selected fields from FILEs to stdout"
)
_LONG = {
    "fields": "f", "delimiter": "d", "characters": "c", "bytes": "b", "output-delimiter": "O",
    "only-delimited": "s", "complement": "C",
}  # fmt: skip
_END = 10**8


def _ranges(sys: Sys, text: str, kind: str) -> list[list[int]]:
    ranges: list[list[int]] = []
    what = "field" if kind == "f" else "byte/character position"
    for part in text.replace(" ", ",").split(","):
        low, dash, high = part.partition("-")
        if (
            not part
            or part == "-"
            or not all(e == "" or (e.isascii() and e.isdigit() and len(e) < 9) for e in (low, high))
        ):
            if is_busybox(sys):
                misused(sys, f"invalid number '{part}'" if part else "bad list", _USAGE)
            misused(
                sys, f"invalid {what} '{part}'" if kind != "f" else f"invalid field value '{part}'", _USAGE
            )
        start = int(low or 1)
        end = (int(high) if high else _END) if dash else start
        if start < 1:
            fields = (
                "fields are numbered from 1"
                if kind == "f"
                else "byte/character positions are numbered from 1"
            )
            misused(sys, fields if not is_busybox(sys) else f"invalid range {part}", _USAGE)
        if end < start:
            misused(sys, "invalid decreasing range", _USAGE)
        ranges.append([start, end])
    merged: list[list[int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1] + (1 if kind == "f" else 0):
            merged[-1] = [merged[-1][0], max(merged[-1][1], end)]
        else:
            merged.append([start, end])
    return merged


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "nsC", "bcfdO", _LONG, usage=_USAGE)
    chosen = [letter for letter in "bcf" if opts.flag(letter)]
    if len(chosen) != 1:
        many = (
            "only one list may be specified"
            if chosen
            else "you must specify a list of bytes, characters, or fields"
        )
        misused(sys, "expected a list of bytes, characters, or fields" if is_busybox(sys) else many, _USAGE)
    kind = chosen[0]
    delimiter = opts.value("d") if opts.flag("d") else "\t"
    assert delimiter is not None
    if opts.flag("d") and kind != "f":
        misused(sys, "an input delimiter may be specified only when operating on fields", _USAGE)
    if delimiter == "":
        delimiter = "\0"
    if len(delimiter) != 1:
        if is_busybox(sys):
            fail(sys, "bad delimiter")
        misused(sys, "the delimiter must be a single character", _USAGE)
    joiner = opts.value("O") if opts.flag("O") else (delimiter if kind == "f" else "")
    ranges = _ranges(sys, opts.value(kind) or "", kind)
    if opts.flag("C"):
        ranges = _complement(ranges)
    state = {
        "kind": kind, "ranges": ranges, "delimiter": delimiter, "joiner": joiner, "only": opts.flag("s"), "rest": "",
    }  # fmt: skip
    return state, opts.operands or ["-"]


def _complement(ranges: list[list[int]]) -> list[list[int]]:
    result, at = [], 1
    for start, end in ranges:
        if start > at:
            result.append([at, start - 1])
        at = end + 1
    if at <= _END:
        result.append([at, _END])
    return result


def _rows(sys: Sys, state: State, rows: list[str]) -> None:
    out: list[str] = []
    ranges, joiner, delimiter = state["ranges"], state["joiner"], state["delimiter"]
    sys.tick(len(rows))
    for line in rows:
        if state["kind"] == "f":
            fields = line.split(delimiter)
            if len(fields) == 1:
                if not state["only"]:
                    out.append(line + "\n")
                continue
            out.append(joiner.join(f for start, end in ranges for f in fields[start - 1 : end]) + "\n")
        else:
            pieces = [line[start - 1 : end] for start, end in ranges]
            out.append(joiner.join(piece for piece in pieces if piece) + "\n")
    sys.write(1, "".join(out))


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    _rows(sys, state, lines(sys, state, chunk))
    return None


def _opened(sys: Sys, state: State, name: str) -> None:
    if state["rest"]:
        _rows(sys, state, [state["rest"]])
        state["rest"] = ""


def _end(sys: Sys, state: State) -> int:
    _opened(sys, state, "")
    return 0


PROGRAM = Program(
    "cut",
    "print fields of lines",
    _USAGE,
    filter=Filter(_init, _feed, _end, opened=_opened),
)
