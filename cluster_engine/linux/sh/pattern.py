"""Shell patterns (`*`, `?`, `[…]`) over RE2, which matches in linear time. Texts are byte text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import re2

from cluster_engine.linux.files import Files
from cluster_engine.linux.text import characters, octets

MAX_PATTERN = 4096
"""Characters of one pattern; a longer one matches nothing."""
_MEMORY = 1 << 20

Segments = Sequence[tuple[str, bool]]
"""Text with whether it was quoted: quoted `*` is a star, not a pattern."""


def _options(longest: bool = False) -> Any:
    options = re2.Options()
    options.longest_match = longest
    options.log_errors = False
    options.max_mem = _MEMORY
    return options


def _printable(text: str) -> str:
    """Bytes as characters; those that are not UTF-8 as U+FFFD, one for one, so that offsets stay."""
    if text.isascii():
        return text
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in characters(text))


def is_pattern(segments: Segments) -> bool:
    """Does any unquoted text hold a pattern character?"""
    return any(
        not quoted and ("*" in text or "?" in text or ("[" in text and text != "["))
        for text, quoted in segments
    )


def plain(segments: Segments) -> str:
    """The text without regard to quoting."""
    return "".join(text for text, _ in segments)


@lru_cache(maxsize=512)
def _compiled(segments: tuple[tuple[str, bool], ...], kind: str) -> Any:
    """RE2's object for a pattern, None when it is none.

    ``kind``: ``""`` the whole text, ``/`` anywhere in it, else the operator of a trim.
    """
    wide = [(_printable(text), quoted) for text, quoted in segments]
    regex = _translate(wide, lazy=kind == "#")
    if kind == "":
        full = f"(?s)^(?:{regex})$"
    elif kind == "/":
        full = f"(?s)(?:{_translate(wide)})"
    elif kind[0] == "#":
        full = f"(?s)^(?:{regex})"
    else:
        full = f"(?s)^(.*{'?' if kind == '%%' else ''})(?:{regex})$"
    try:
        return re2.compile(full, _options(kind == "/"))
    except re2.error:
        return None


def _translate(segments: Segments, lazy: bool = False) -> str:
    chars = [(char, quoted) for text, quoted in segments for char in text]
    out: list[str] = []
    at = 0
    while at < len(chars):
        char, quoted = chars[at]
        at += 1
        if quoted:
            out.append(re2.escape(char))
        elif char == "*":
            if not out or not out[-1].startswith(".*"):
                out.append(".*?" if lazy else ".*")
        elif char == "?":
            out.append(".")
        elif char == "[":
            bracket, after = _bracket(chars, at)
            out.append(bracket or "\\[")
            at = after if bracket else at
        elif char == "\\" and at < len(chars):
            out.append(re2.escape(chars[at][0]))
            at += 1
        else:
            out.append(re2.escape(char))
    return "".join(out)


def _bracket(chars: list[tuple[str, bool]], at: int) -> tuple[str, int]:
    """`[…]` from behind its `[`: the RE2 class and the index behind `]`, or ('', at)."""
    out = ["["]
    start = at
    if at < len(chars) and chars[at] in (("!", False), ("^", False)):
        out.append("^")
        at += 1
        start = at
    while at < len(chars):
        char, quoted = chars[at]
        if char == "]" and not quoted and at > start:
            return "".join(out) + "]", at + 1
        rest = "".join(char for char, _ in chars[at : at + 12])
        if not quoted and rest.startswith("[:") and ":]" in rest:
            name = rest[: rest.index(":]") + 2]
            out.append(name)
            at += len(name)
            continue
        out.append("\\" + char if char in "[]\\^&~" or (char == "-" and quoted) else char)
        at += 1
    return "", at


@lru_cache(maxsize=512)
def regular(source: str) -> Any:
    """RE2's object for an extended regular expression, None when it is none."""
    try:
        return re2.compile(f"(?s){_printable(octets(source))}", _options(longest=True))
    except re2.error:
        return None


def matches(segments: Segments, text: str) -> bool:
    """Does the whole of `text` match the pattern?"""
    literal = plain(segments)
    if not is_pattern(segments) and "\\" not in literal:
        return literal == text
    if len(literal) > MAX_PATTERN:
        return False
    compiled = _compiled(tuple(segments), "")
    return compiled is not None and compiled.search(_printable(text)) is not None


def trim(segments: Segments, text: str, operator: str) -> str:
    """`${text#pattern}` and its three kin."""
    literal = plain(segments)
    if not is_pattern(segments) and "\\" not in literal:
        if operator[0] == "#":
            return text.removeprefix(literal)
        return text.removesuffix(literal)
    if len(literal) > MAX_PATTERN:
        return text
    compiled = _compiled(tuple(segments), operator)
    match = compiled.search(_printable(text)) if compiled is not None else None
    if match is None:
        return text
    wide = characters(text)
    return octets(wide[match.end() :] if operator[0] == "#" else wide[: match.end(1)])


def replace(segments: Segments, text: str, replacement: str, *, every: bool) -> str:
    """`${text/pattern/replacement}`: the first longest match, or every one."""
    literal = plain(segments)
    if not literal or len(literal) > MAX_PATTERN:
        return text
    compiled = _compiled(tuple(segments), "/")
    if compiled is None:
        return text
    wide, out, at = characters(text), [], 0
    for match in compiled.finditer(_printable(text)):
        if match.end() == match.start():
            continue
        out.append(octets(wide[at : match.start()]))
        out.append(replacement)
        at = match.end()
        if not every:
            break
    return "".join(out) + octets(wide[at:])


def glob(files: Files, segments: Segments) -> tuple[list[str], int]:
    """The paths a pattern stands for, sorted (empty if there are none), and the names looked at."""
    work = 0
    components: list[list[tuple[str, bool]]] = [[]]
    for text, quoted in segments:
        pieces = text.split("/")
        components[-1].append((pieces[0], quoted))
        components.extend([(piece, quoted)] for piece in pieces[1:])
    absolute = len(components) > 1 and plain(components[0]) == ""
    found = ["/" if absolute else ""]
    for index, component in enumerate(components[1:] if absolute else components):
        text = plain(component)
        last = index == len(components) - (2 if absolute else 1)
        if text == "":
            found = [path if path.endswith("/") or not path else path + "/" for path in found]
            continue
        following: list[str] = []
        for path in found:
            base = path if path.endswith("/") or not path else path + "/"
            here = base or "."
            if not is_pattern(component):
                if files.exists(base + text) or files.is_link(base + text):
                    following.append(base + text)
            elif files.is_dir(here) and files.access(here, 4):
                hidden = text.startswith(".")
                names = files.listdir(here)
                work += len(names)
                following.extend(
                    base + name
                    for name in names
                    if (hidden or not name.startswith("."))
                    and matches(component, name)
                    and (last or files.is_dir(f"{base}{name}"))
                )
        found = following
    return sorted(found), work
