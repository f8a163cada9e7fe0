"""`sort` (order of code points, as in the C locale)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..context import Command, Context
from ..errors import UsageError
from ..options import options

_NUMBER = re.compile(r"[ \t]*(-?[0-9]{0,300}(?:\.[0-9]{0,300})?)")
_SUFFIXES = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def _number(text: str) -> float:
    found = _NUMBER.match(text)
    digits = found.group(1) if found else ""
    return float(digits) if digits.strip("-.") else 0.0


def _human(text: str) -> float:
    text = text.strip(" \t")
    return _number(text) * _SUFFIXES.get(text.lstrip("-0123456789.")[:1].upper(), 1)


def _key(spec: str, separator: str | None, flags: str) -> tuple[Callable[[str], Any], bool]:
    """A `-k` specification (or '' for the whole line) as a key function and whether it is reversed."""
    start_text, _, end_text = spec.partition(",")
    letters = "".join(char for char in spec if char.isalpha())
    flags = letters or flags

    def part(text: str, default: int) -> tuple[int, int]:
        digits = text.rstrip("bdfginrhMRV")
        field, _, char = digits.partition(".")
        if not (
            digits.isascii()
            and field.isdigit()
            and len(field) < 6
            and (not char or (char.isdigit() and len(char) < 6))
        ):
            raise UsageError(f"invalid key: '{spec[:40]}'")
        return int(field), int(char or default)

    start = part(start_text, 1) if spec else (0, 0)
    end = part(end_text, 0) if end_text else (0, 0)

    def cut(line: str) -> str:
        if not spec:
            return line
        fields = _fields(line, separator)
        chosen = fields[start[0] - 1 : end[0] if end[0] else None]
        if not chosen:
            return ""
        if end[0] and end[1]:
            chosen[-1] = chosen[-1][: end[1]]
        chosen[0] = chosen[0][start[1] - 1 :]
        return (separator if separator is not None else "").join(chosen)

    def key(line: str) -> Any:
        text = cut(line)
        if "b" in flags:
            text = text.lstrip(" \t")
        if "n" in flags or "g" in flags:
            return _number(text)
        if "h" in flags:
            return _human(text)
        return text.upper() if "f" in flags else text

    return key, "r" in flags


def _fields(line: str, separator: str | None) -> list[str]:
    if separator is not None:
        return line.split(separator)
    fields: list[str] = []
    at = 0
    while at < len(line):
        start = at
        while at < len(line) and line[at] in " \t":
            at += 1
        while at < len(line) and line[at] not in " \t":
            at += 1
        fields.append(line[start:at])
    return fields


async def run(ctx: Context, argv: list[str]) -> int:
    """Sort lines."""
    opts = options(
        argv, "rnufbhgsdiV", "kto", {"reverse": "r", "numeric-sort": "n", "unique": "u", "key": "k"}
    )
    if opts.flag("V", "d", "i"):
        raise UsageError("only the options -r -n -h -u -f -b -k -t -o -s are supported here")
    separator = opts.value("t")
    if separator is not None and len(separator) != 1:
        raise UsageError(f"multi-character tab '{separator[:20]}'")
    flags = "".join(letter for letter in "rnfbhg" if opts.flag(letter))
    keys = [_key(spec, separator, flags) for spec in opts.given.get("k", [""])]
    text, status = await ctx.input(opts.operands)
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    await ctx.tick(1 + len(lines) // 2 + len(text) // 256)
    if not opts.flag("s") and not opts.flag("u"):
        lines.sort(reverse=opts.flag("r"))
    for key, reverse in reversed(keys):
        lines.sort(key=key, reverse=reverse)
    if opts.flag("u"):
        kept: list[str] = []
        previous: Any = None
        for line in lines:
            here = [key(line) for key, _ in keys]
            if not kept or here != previous:
                kept.append(line)
            previous = here
        lines = kept
    result = "".join(line + "\n" for line in lines)
    target = opts.value("o")
    if target is not None:
        ctx.vfs.write(ctx.path(target), result.encode("utf-8", "surrogateescape"))
    else:
        await ctx.out(result)
    return 2 if status else 0


COMMAND = Command("sort", "sort lines", run, usage="sort [-rnuhf] [-k field] [-t char] [file …]")
