"""What `printf` and `sprintf` make of a format and values."""

from __future__ import annotations

import math
from collections.abc import Callable

from cluster_engine.linux.programs.awk.values import UNSET, Value, special, to_number, to_text


def formatted(form: str, values: list[Value]) -> str:
    """`printf`'s text."""
    out: list[str] = []
    at, used = 0, 0

    def following() -> Value:
        nonlocal used
        used += 1
        return values[used - 1] if used <= len(values) else UNSET

    while at < len(form):
        if form[at] != "%":
            out.append(form[at])
            at += 1
            continue
        end = at + 1
        flags = ""
        while form[end : end + 1] and form[end] in "-+ #0":
            flags += form[end]
            end += 1
        width, end = _count(form, end, following)
        precision: int | None = None
        if form[end : end + 1] == ".":
            precision, end = _count(form, end + 1, following)
            precision = precision or 0
        while form[end : end + 1] and form[end] in "hlLqjzt":
            end += 1
        letter = form[end : end + 1]
        if letter == "%":
            out.append("%")
        elif not letter or letter not in "diouxXeEfFgGcs":
            out.append(form[at : end + 1])
        else:
            out.append(_one(letter, flags, width, precision, following()))
        at = end + 1
    return "".join(out)


def _count(form: str, at: int, following: Callable[[], Value]) -> tuple[int | None, int]:
    if form[at : at + 1] == "*":
        return min(int(to_number(following())), 4096), at + 1
    start = at
    while form[at : at + 1].isdigit():
        at += 1
    return (min(int(form[start:at][:6]), 4096) if at > start else None), at


def _one(letter: str, flags: str, width: int | None, precision: int | None, value: Value) -> str:
    if width is not None and width < 0:
        flags, width = flags + "-", -width
    spec = "%" + flags + (str(width) if width is not None else "")
    if letter == "c":
        char = chr(int(value)) if isinstance(value, float) and 0 <= value < 0xD800 else to_text(value)[:1]
        return _padded(char, flags, width)
    if letter == "s":
        text = to_text(value)
        return _padded(text[:precision] if precision is not None else text, flags, width)
    number = to_number(value)
    if special(number):
        return _padded(special(number), flags, width)
    if letter in "diouxX":
        count = math.trunc(max(min(number, 2.0**63), -(2.0**63)))
        if letter in "ouxX" and count < 0:
            count += 1 << 64
        return (
            spec + (f".{precision}" if precision is not None else "") + ("d" if letter in "iu" else letter)
        ) % count
    return (spec + (f".{precision}" if precision is not None else "") + letter) % number


def _padded(text: str, flags: str, width: int | None) -> str:
    if width is None:
        return text
    return text.ljust(width) if "-" in flags else text.rjust(width)
