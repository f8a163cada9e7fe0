"""`od` and `hexdump`."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import cannot_open, fail, hold, is_busybox, number, options


def _hold(sys: Sys, state: State, chunk: str) -> int | None:
    hold(sys, state, chunk)
    return None


_NAMED = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
_ROW = 16


def _character(byte: int) -> str:
    if byte in _NAMED:
        return f"{_NAMED[byte]:>4}"
    return f"   {chr(byte)}" if 32 <= byte < 127 else f" {byte:03o}"


def _words(row: bytes, size: int) -> list[int]:
    padded = row + b"\0" * (-len(row) % size)
    return [int.from_bytes(padded[at : at + size], "little") for at in range(0, len(padded), size)]


_FORMATS: dict[str, tuple[int, Callable[[int], str]]] = {
    "c": (1, _character), "b": (1, lambda value: f" {value:03o}"), "x1": (1, lambda value: f" {value:02x}"),
    "d1": (1, lambda value: f" {value - 256 if value > 127 else value:4d}"), "u1": (1, lambda value: f" {value:3d}"),
    "o1": (1, lambda value: f" {value:03o}"), "o2": (2, lambda value: f" {value:06o}"),
    "x2": (2, lambda value: f" {value:04x}"), "u2": (2, lambda value: f" {value:5d}"),
    "d2": (2, lambda value: f" {value - 65536 if value > 32767 else value:6d}"),
    "x4": (4, lambda value: f" {value:08x}"), "u4": (4, lambda value: f" {value:10d}"),
    "o4": (4, lambda value: f" {value:011o}"),
}  # fmt: skip
_SIZES = {"C": "1", "S": "2", "I": "4", "L": "8", "": "4"}


def _od_init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    long = {
        "address-radix": "A",
        "format": "t",
        "read-bytes": "N",
        "skip-bytes": "j",
        "output-duplicates": "v",
    }
    opts = options(
        sys, argv, "bcdoxv", "AtNj", long, usage="od [-abcdfhilovxs] [-t TYPE] [-A RADIX] [-N SIZE] [FILE]..."
    )
    kinds = [
        {"b": "o1", "c": "c", "d": "u2", "o": "o2", "x": "x2"}[each] for each in opts.given if each in "bcdox"
    ]
    for text in opts.given.get("t", []):
        text = text.rstrip("z")
        kind = text if text in ("c", "a") else text[:1] + _SIZES.get(text[1:], text[1:])
        if kind not in _FORMATS:
            fail(
                sys,
                f"invalid type string '{text}'",
            )
        kinds.append(kind)
    counts = [number(opts.value(letter) or default) for letter, default in (("N", str(1 << 40)), ("j", "0"))]
    if None in counts:
        fail(sys, "invalid number")
    state = {
        "kinds": kinds or ["o2"], "radix": opts.value("A") or "o", "held": [], "all": opts.flag("v"), "stop": counts[0],
        "skip": counts[1],
    }  # fmt: skip
    return state, opts.operands or ["-"]


def _address(radix: str, at: int) -> str:
    if radix == "n":
        return ""
    return {"o": f"{at:07o}", "x": f"{at:06x}", "d": f"{at:07d}"}.get(radix, f"{at:07o}")


def _od_end(sys: Sys, state: State) -> int:
    data = "".join(state["held"]).encode("latin-1")
    skip = state["skip"]
    data = data[skip : skip + state["stop"]]
    out: list[str] = []
    previous, starred = b"", False
    sys.tick(len(data) // 8)
    for at in range(0, len(data), _ROW):
        row = data[at : at + _ROW]
        if row == previous and not state["all"] and len(row) == _ROW:
            if not starred:
                out.append("*\n")
            starred = True
            continue
        previous, starred = row, False
        for index, kind in enumerate(state["kinds"]):
            size, show = _FORMATS[kind]
            head = _address(state["radix"], skip + at)
            cells = "".join(show(value) for value in _words(row, size))
            out.append((head if index == 0 else " " * len(head)) + cells + "\n")
    if state["radix"] != "n":
        out.append(_address(state["radix"], skip + len(data)) + "\n")
    sys.write(1, "".join(out))
    return 0


def _hexdump_init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "Cvbcdox", "ns", usage="hexdump [-bcCdovx] [-n N] [FILE]...")
    limit = number(opts.value("n") or str(1 << 40))
    skip = number(opts.value("s") or "0")
    if limit is None or skip is None:
        fail(sys, "invalid number")
    mode = "C" if opts.flag("C") or sys.name == "hd" else "x"
    return {"mode": mode, "held": [], "stop": limit, "skip": skip, "all": opts.flag("v")}, opts.operands or [
        "-"
    ]


def _hexdump_end(sys: Sys, state: State) -> int:
    data = "".join(state["held"]).encode("latin-1")
    skip = state["skip"]
    data = data[skip : skip + state["stop"]]
    out: list[str] = []
    previous, starred = b"", False
    for at in range(0, len(data), _ROW):
        row = data[at : at + _ROW]
        if row == previous and not state["all"]:
            if not starred:
                out.append("*\n")
            starred = True
            continue
        previous, starred = row, False
        if state["mode"] == "C":
            left = "".join(f" {byte:02x}" for byte in row[:8]).ljust(24)
            right = "".join(f" {byte:02x}" for byte in row[8:]).ljust(24)
            shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
            out.append(f"{skip + at:08x} {left} {right}  |{shown}|\n")
        else:
            cells = "".join(f" {value:04x}" for value in _words(row, 2))
            out.append(
                f"{skip + at:07x}{cells.ljust(40)}\n" if not is_busybox(sys) else f"{skip + at:07x}{cells}\n"
            )
    if data:
        out.append(f"{skip + len(data):08x}\n" if state["mode"] == "C" else f"{skip + len(data):07x}\n")
    sys.write(1, "".join(out))
    return 0


OD = Program(
    "od",
    "show bytes",
    "od [-bcdox] [-t TYPE] [FILE]...",
    filter=Filter(_od_init, _hold, _od_end, unopened=cannot_open),
)
HEXDUMP = Program(
    "hexdump",
    "show bytes",
    "hexdump [-Cv] [FILE]...",
    filter=Filter(_hexdump_init, _hold, _hexdump_end, unopened=cannot_open),
)
