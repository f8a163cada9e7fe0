"""POSIX regular expressions for grep, sed, awk and expr, over RE2.

RE2 matches in linear time, so no pattern that a learner types can hang the host. What RE2 cannot do
(back-references) is refused by name. Patterns and lines are characters here, not byte text.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import re2

MAX_PATTERN = 4_096
"""Characters of one pattern."""
_MEMORY = 1 << 20

_PAIRED = {"w": "\\w", "W": "\\W", "s": "\\s", "S": "\\S", "b": "\\b", "B": "\\B", "<": "\\b", ">": "\\b"}


class PatternError(Exception):
    """The pattern is no regular expression, or one that cannot be matched here."""


def printable(text: str) -> str:
    """Bytes that were not UTF-8 as U+FFFD, one for one, so that offsets stay."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text


def found(compiled: Any, text: str) -> bool:
    """Whether a text matches anywhere. Bytes go in, for RE2's wrapper counts characters otherwise."""
    return compiled.search(text.encode("utf-8", "surrogateescape")) is not None


def spans(compiled: Any, text: str) -> Iterator[Any]:
    """All matches of a text, with offsets in characters."""
    matches: Iterator[Any] = compiled.finditer(text.encode() if text.isascii() else printable(text))
    return matches


@lru_cache(maxsize=256)
def regex(pattern: str, *, extended: bool, ignore_case: bool = False, fixed: bool = False) -> Any:
    """A compiled regular expression (leftmost-longest), an object of RE2. Raises PatternError."""
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"a pattern may have at most {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.case_sensitive = not ignore_case
    options.longest_match = True
    source = re2.escape(pattern) if fixed else _posix(pattern, extended)
    try:
        return re2.compile(printable(source), options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise PatternError(_reason(reason)) from None


@lru_cache(maxsize=256)
def perl(pattern: str, *, ignore_case: bool = False) -> Any:
    """The same of Perl's syntax (leftmost-first), as far as RE2 has it. Raises PatternError."""
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"a pattern may have at most {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.case_sensitive = not ignore_case
    try:
        return re2.compile(printable(pattern), options)
    except re2.error as error:
        told = error.args[0]
        raise PatternError(told.decode() if isinstance(told, bytes) else str(error)) from None


def _reason(reason: str) -> str:
    """RE2's complaint in the words of the C library, where it has some."""
    if "missing )" in reason or "missing closing )" in reason:
        return "Unmatched ( or \\("
    if "unexpected )" in reason:
        return "Unmatched ) or \\)"
    if "no argument for repetition" in reason:
        return "Invalid preceding regular expression"
    if "repetition" in reason:
        return "Invalid content of \\{\\}"
    if "character class range" in reason:
        return "Invalid range end"
    return f"Invalid regular expression: {reason}"


def _posix(pattern: str, extended: bool) -> str:
    """POSIX basic or extended syntax (with GNU's `\\+ \\? \\| \\w …`) as RE2's."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            if at >= len(pattern):
                raise PatternError("Trailing backslash")
            out.append(_escaped(pattern[at], extended))
            at += 1
        elif char == "[":
            bracket, at = _bracket(pattern, at)
            out.append(bracket)
        elif not extended:
            out.append(_basic(char, pattern, at, out))
        elif char == "{" and not _interval(pattern, at):
            out.append("\\{")
        elif char in "*+?" and (not out or out[-1] in ("(", "|", "^")):
            if char != "*":
                raise PatternError("Invalid preceding regular expression")
            out.append("\\*" if not out or out[-1] != "^" else "")
        else:
            out.append(char)
    return "".join(out)


def _escaped(following: str, extended: bool) -> str:
    if following in "123456789":
        raise PatternError("back-references in a pattern are not supported here")
    if following in _PAIRED:
        return _PAIRED[following]
    if not extended and following in "(){}+?|":
        return following
    if following in "nt":
        return "\\" + following
    return str(re2.escape(following))


def _basic(char: str, pattern: str, at: int, out: list[str]) -> str:
    """A plain character of a basic regular expression; ``at`` stands behind it."""
    if char in "(){}+?|":
        return "\\" + char
    if char == "*" and (not out or out[-1] in ("(", "|", "^")):
        return "\\*"
    if char == "^" and out and out[-1] not in ("(", "|"):
        return "\\^"
    if char == "$" and at < len(pattern) and pattern[at : at + 2] not in ("\\)", "\\|"):
        return "\\$"
    return char


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    """`[…]` from behind its `[`: RE2's class and the index behind `]`."""
    out = ["["]
    if pattern.startswith("^", at):
        out.append("^")
        at += 1
    start = at
    while at < len(pattern):
        char = pattern[at]
        if char == "]" and at > start:
            return "".join(out) + "]", at + 1
        if pattern.startswith("[:", at) and ":]" in pattern[at:]:
            end = pattern.index(":]", at) + 2
            out.append(pattern[at:end])
            at = end
            continue
        if pattern.startswith(("[.", "[="), at):
            raise PatternError("Invalid collation character")
        out.append("\\" + char if char in "[]\\^&~" else printable(char))
        at += 1
    raise PatternError("Unmatched [, [^, [:, [., or [=")


def _interval(pattern: str, at: int) -> bool:
    close = pattern.find("}", at)
    inner = pattern[at:close] if close > 0 else ""
    return bool(inner) and all(char in "0123456789," for char in inner) and inner[0] != ","
