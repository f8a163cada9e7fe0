"""`{a,b}` and `{1..5}`: one word of bash becomes several, before anything else is expanded."""

from __future__ import annotations

import re

from cluster_engine.linux.limits import MAX_NESTING, MAX_WORDS
from cluster_engine.linux.sh.errors import ParseError
from cluster_engine.linux.sh.syntax import Literal, Part, Word

_RANGE = re.compile(
    r"(?:(-?\d{1,9})\.\.(-?\d{1,9})|([A-Za-z])\.\.([A-Za-z]))(?:\.\.(-?\d{1,9}))?\Z", re.ASCII
)

_LONGEST_RANGE = 40
MAX_LENGTH = 1 << 18
"""Characters of all the words that one word may become."""

Unit = str | Part
"""A character of unquoted text, or a part that braces leave alone."""


def expanded(word: Word) -> list[Word]:
    """The words that the word stands for; itself alone when it has no braces that mean anything.

    Raises ParseError when they would be more than a command line may have.
    """
    if not any(isinstance(part, Literal) and "{" in part.text for part in word.parts):
        return [word]
    units: list[Unit] = []
    for part in word.parts:
        units += part.text if isinstance(part, Literal) else [part]
    return [_word(each) for each in _expand(units, 1)]


def _expand(units: list[Unit], depth: int) -> list[list[Unit]]:
    """From left to right: what is before, each choice, what is behind."""
    if depth > MAX_NESTING:
        raise ParseError(f"syntax error: nested more than {MAX_NESTING} deep")
    closers = _closers(units)
    found: list[list[Unit]] = [[]]
    at = plain = 0
    while at < len(units):
        choices = _choices(units, at, closers) if at in closers else []
        if not choices:
            at += 1
            continue
        found = _product(found, [units[plain:at]])
        found = _product(found, [made for choice in choices for made in _expand(choice, depth + 1)])
        at = plain = closers[at] + 1
    return _product(found, [units[plain:]])


def _product(found: list[list[Unit]], more: list[list[Unit]]) -> list[list[Unit]]:
    size = sum(map(len, found)) * len(more) + sum(map(len, more)) * len(found)
    if len(found) * len(more) > MAX_WORDS or size > MAX_LENGTH:
        raise ParseError(f"a command line may have at most {MAX_WORDS:,} words")
    return [[*one, *other] for one in found for other in more]


def _closers(units: list[Unit]) -> dict[int, int]:
    """Where the brace ends that begins at a place; those that do not end mean nothing."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for at, unit in enumerate(units):
        if unit == "{":
            opened.append(at)
        elif unit == "}" and opened:
            found[opened.pop()] = at
    return found


def _choices(units: list[Unit], at: int, closers: dict[int, int]) -> list[list[Unit]]:
    """What a brace offers; nothing when it is a character like any other."""
    end = closers[at]
    parts: list[list[Unit]] = []
    begin = here = at + 1
    while here < end:
        if here in closers:
            here = closers[here]
        elif units[here] == ",":
            parts.append(units[begin:here])
            begin = here + 1
        here += 1
    if parts:
        return [*parts, units[begin:end]]
    inside = units[at + 1 : end] if end - at <= _LONGEST_RANGE else []
    if not inside or not all(isinstance(each, str) for each in inside):
        return []
    return [list(text) for text in _range("".join(map(str, inside)))]


def _range(text: str) -> list[str]:
    """`1..5`, `a..e`, `1..10..3`; nothing for anything else."""
    match = _RANGE.match(text)
    if match is None:
        return []
    letters = match.group(3) is not None
    first, last = (match.group(3), match.group(4)) if letters else (match.group(1), match.group(2))
    begin, end = (ord(first), ord(last)) if letters else (int(first), int(last))
    step = abs(int(match.group(5) or 1)) or 1
    if abs(end - begin) // step >= MAX_WORDS:
        raise ParseError(f"a command line may have at most {MAX_WORDS:,} words")
    numbers = range(begin, end + 1, step) if begin <= end else range(begin, end - 1, -step)
    if letters:
        return [chr(number) for number in numbers]
    padded = any(len(each.lstrip("-")) > 1 and each.lstrip("-")[0] == "0" for each in (first, last))
    width = max(len(first), len(last)) if padded else 0
    return [f"{number:0{width}d}" for number in numbers]


def _word(units: list[Unit]) -> Word:
    parts: list[Part] = []
    plain: list[str] = []
    for unit in [*units, None]:
        if isinstance(unit, str):
            plain.append(unit)
            continue
        if plain:
            parts.append(Literal("".join(plain)))
            plain = []
        if unit is not None:
            parts.append(unit)
    return Word(tuple(parts))
