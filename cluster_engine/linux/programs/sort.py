"""`sort`, by bytes as in the C locale."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Exit, Filter, Program, State, Sys
from cluster_engine.linux.programs._common import fail, hold, is_busybox, options

_USAGE = (
    "sort [-nrughMcszbdfiokt] [-o FILE] [-k START[.OFS][OPTS][,END[.OFS][OPTS]] [-t CHAR] "
    "[FILE]...\n"
    "\n"
    "Sort lines of text"
)
_LONG = {
    "reverse": "r", "numeric-sort": "n", "unique": "u", "key": "k", "field-separator": "t", "output": "o",
    "stable": "s", "check": "c", "ignore-case": "f", "human-numeric-sort": "h", "general-numeric-sort": "g",
    "version-sort": "V", "month-sort": "M", "ignore-leading-blanks": "b", "dictionary-order": "d",
    "zero-terminated": "z",
}  # fmt: skip
_ORDERS = "nghMVdfbir"
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_SUFFIXES = {letter: 1024 ** (at + 1) for at, letter in enumerate("KMGTPEZY")}
MAX_DIGITS = 300
"""Digits of a number that are looked at."""

Key = Callable[[str], Any]


def _leading(text: str) -> str:
    """The number that a text begins with, "" for none."""
    text = text.lstrip(" \t\n")
    at = 1 if text[:1] == "-" else 0
    point = False
    while (
        at < len(text) and at < MAX_DIGITS and (text[at] in "0123456789" or (text[at] == "." and not point))
    ):
        point = point or text[at] == "."
        at += 1
    digits = text[:at]
    return digits if digits.strip("-.") else ""


def _number(text: str) -> Decimal:
    return Decimal(_leading(text) or 0)


def _general(text: str) -> tuple[int, Decimal]:
    digits = _leading(text)
    if not digits:
        return (0, Decimal(0))
    rest = text.lstrip(" \t\n")[len(digits) :]
    exponent = rest[1:] if rest[:1] in ("e", "E") else ""
    sign = exponent[:1] if exponent[:1] in ("-", "+") else ""
    power = ""
    for char in exponent[len(sign) : len(sign) + 4]:
        if char not in "0123456789":
            break
        power += char
    return (1, Decimal(digits).scaleb(int(f"{sign}{power}")) if power else Decimal(digits))


def _human(text: str) -> tuple[int, Decimal]:
    digits = _leading(text)
    rest = text.lstrip(" \t\n")[len(digits) :]
    scale = _SUFFIXES.get(rest[:1].upper(), 0) if digits else 0
    value = Decimal(digits or 0)
    sign = (value > 0) - (value < 0)
    return (sign * scale, value)


def _version(text: str) -> list[Any]:
    """Digits compare as numbers, the rest by characters (a part of GNU's rules)."""
    parts: list[Any] = []
    at = 0
    while at < len(text):
        start = at
        digit = text[at] in "0123456789"
        while at < len(text) and (text[at] in "0123456789") == digit and at - start < MAX_DIGITS:
            at += 1
        piece = text[start:at]
        parts.append((0, int(piece), "") if digit else (1, 0, piece))
    return parts


def _month(text: str) -> int:
    name = text.lstrip(" \t")[:3].upper()
    return _MONTHS.index(name) + 1 if name in _MONTHS else 0


def _ordering(flags: str) -> Key:
    for letter, key in (("n", _number), ("g", _general), ("h", _human), ("M", _month), ("V", _version)):
        if letter in flags:
            return key

    def plain(text: str) -> str:
        if "d" in flags:
            text = "".join(c for c in text if c in " \t" or (c.isascii() and c.isalnum()))
        if "i" in flags:
            text = "".join(c for c in text if " " <= c <= "~")
        return text.upper() if "f" in flags else text

    return plain


def _part(sys: Sys, spec: str, text: str, default: int) -> tuple[int, int, str]:
    digits = text.rstrip(_ORDERS)
    field, point, char = digits.partition(".")
    good = field.isascii() and field.isdigit() and len(field) < 6
    if not good or (point and not (char.isascii() and char.isdigit() and len(char) < 6)):
        fail(sys, f"invalid number at field start: invalid count at start of '{spec}'", 2)
    if int(field) == 0:
        fail(sys, f"field number is zero: invalid field specification '{spec}'", 2)
    return int(field), int(char) if point else default, text[len(digits) :]


def _key(sys: Sys, spec: str, separator: str, flags: str) -> tuple[Key, bool]:
    """A ``-k`` specification as a key function, and whether it is reversed."""
    if not spec:
        order = _ordering(flags)
        blanks = "b" in flags
        return (lambda line: order(line.lstrip(" \t") if blanks else line)), "r" in flags
    head, comma, tail = spec.partition(",")
    field, char, own = _part(sys, spec, head, 1)
    last, last_char, more = _part(sys, spec, tail, 0) if comma else (0, 0, "")
    letters = own + more
    flags = letters or flags
    order = _ordering(flags)
    blanks, end_blanks = "b" in (own or flags), "b" in (more or flags)

    def cut(line: str) -> str:
        bounds = _bounds(line, separator)
        if field > len(bounds):
            return ""
        start = bounds[field - 1][0]
        if blanks:
            while start < len(line) and line[start] in " \t":
                start += 1
        start = min(start + char - 1, len(line)) if char else start
        end = len(line)
        if last and last <= len(bounds):
            low, high = bounds[last - 1]
            if last_char:
                while end_blanks and low < high and line[low] in " \t":
                    low += 1
                high = min(low + last_char, high)
            end = high
        return line[start:end]

    return (lambda line: order(cut(line))), "r" in flags


def _bounds(line: str, separator: str) -> list[tuple[int, int]]:
    """Where the fields lie; without a separator the blanks before a field belong to it."""
    bounds: list[tuple[int, int]] = []
    at, size = 0, len(line)
    if separator:
        while True:
            found = line.find(separator, at)
            bounds.append((at, size if found < 0 else found))
            if found < 0:
                return bounds
            at = found + 1
    while at < size:
        start = at
        while at < size and line[at] in " \t":
            at += 1
        while at < size and line[at] not in " \t":
            at += 1
        bounds.append((start, at))
    return bounds


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "rnufbhgsdiVMcCzm", "ktoTS", _LONG, status=2, usage=_USAGE)
    separator = opts.value("t") or ""
    if separator == "\\0":
        separator = "\0"
    if len(separator) > 1:
        fail(sys, f"multi-character tab '{separator}'" if not is_busybox(sys) else "bad -t parameter", 2)
    flags = "".join(letter for letter in _ORDERS if opts.flag(letter))
    specs = opts.given.get("k", [""])
    for spec in specs:
        _key(sys, spec, separator, flags)
    state = {
        "separator": separator, "flags": flags, "specs": specs, "unique": opts.flag("u"), "stable": opts.flag("s"),
        "check": opts.flag("c", "C"), "output": opts.value("o"), "held": [], "end": "\0" if opts.flag("z") else "\n",
    }  # fmt: skip
    return state, opts.operands or ["-"]


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    hold(sys, state, chunk)
    return None


def _opened(sys: Sys, state: State, name: str) -> None:
    """A file whose last line has no newline does not run into the next."""
    if state["held"] and not state["held"][-1].endswith(state["end"]):
        state["held"].append(state["end"])


def _end(sys: Sys, state: State) -> int:
    mark = state["end"]
    rows = "".join(state["held"]).split(mark)
    if rows[-1] == "":
        rows.pop()
    sys.tick(len(rows) * 4)
    keys = [_key(sys, spec, state["separator"], state["flags"]) for spec in state["specs"]]
    reverse = "r" in state["flags"]
    original = rows
    rows = list(rows)
    if not state["stable"] and not state["unique"]:
        rows.sort(reverse=reverse)
    plain = state["specs"] == [""] and not state["flags"].strip("r")
    for key, backwards in [] if plain and not (state["stable"] or state["unique"]) else reversed(keys):
        rows.sort(key=None if plain else key, reverse=backwards)
    if state["unique"]:
        rows = list(dict.fromkeys(rows)) if plain else _unique(rows, keys)
    if state["check"]:
        return _check(sys, original, rows)
    result = "".join(row + mark for row in rows)
    if state["output"] is None:
        sys.write(1, result)
        return 0
    try:
        sys.fs.write(state["output"], result)
    except FileError as error:
        name = state["output"]
        fail(
            sys,
            f"can't open '{name}': {error.reason}"
            if is_busybox(sys)
            else f"open failed: {name}: {error.reason}",
            2,
        )
    return 0


def _unique(rows: list[str], keys: list[tuple[Key, bool]]) -> list[str]:
    kept: list[str] = []
    previous: Any = None
    for row in rows:
        here = [key(row) for key, _ in keys]
        if not kept or here != previous:
            kept.append(row)
        previous = here
    return kept


def _check(sys: Sys, rows: list[str], ordered: list[str]) -> int:
    for at, row in enumerate(rows):
        if at >= len(ordered) or row != ordered[at]:
            wrong = next((n for n in range(1, len(rows)) if rows[n] < rows[n - 1]), at)
            sys.error(
                f"-:{wrong + 1}: disorder: {rows[wrong]}"
                if not is_busybox(sys)
                else f"check line {wrong + 1}"
            )
            raise Exit(1)
    return 0


def _unopened(sys: Sys, state: State, name: str, reason: str) -> None:
    sys.error(f"{name}: {reason}" if is_busybox(sys) else f"cannot read: {name}: {reason}")
    raise Exit(2)


PROGRAM = Program(
    "sort", "sort lines", _USAGE, filter=Filter(_init, _feed, _end, opened=_opened, unopened=_unopened)
)
