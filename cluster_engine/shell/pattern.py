"""Shell patterns (`*`, `?`, `[…]`) and the regular expressions of grep and sed, over RE2.

RE2 matches in linear time, so no pattern a learner types can hang the host. What RE2 cannot do
(back-references) is refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import re2

from .errors import UsageError

if TYPE_CHECKING:
    from .vfs import Vfs

MAX_PATTERN = 4096
_MEMORY = 1 << 20

Segments = Sequence[tuple[str, bool]]
"""Text with whether it was quoted: quoted `*` is a star, not a pattern."""


def _options(ignore_case: bool = False, longest: bool = False) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.case_sensitive = not ignore_case
    options.longest_match = longest
    return options


def printable(text: str) -> str:
    """Bytes that were not UTF-8 as U+FFFD, one for one, so that offsets stay."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text


# --- globs -------------------------------------------------------------------------------------


def is_pattern(segments: Segments) -> bool:
    """Does any unquoted text hold a pattern character?"""
    return any(not quoted and ("*" in text or "?" in text or "[" in text) for text, quoted in segments)


def plain(segments: Segments) -> str:
    """The text without regard to quoting."""
    return "".join(text for text, _ in segments)


@lru_cache(maxsize=128)
def _compile_glob(regex: str) -> Any:
    try:
        return re2.compile(printable(regex), _options())
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
            out.append(re2.escape(printable(char)))
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
            out.append(re2.escape(printable(chars[at][0])))
            at += 1
        else:
            out.append(re2.escape(printable(char)))
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
        out.append("\\" + char if char in "[]\\^&~" or (char == "-" and quoted) else printable(char))
        at += 1
    return "", at


def matches(segments: Segments, text: str) -> bool:
    """Does the whole of `text` match the pattern?"""
    if not is_pattern(segments) and "\\" not in plain(segments):
        return plain(segments) == text
    if len(plain(segments)) > MAX_PATTERN:
        return False
    compiled = _compile_glob(f"(?s)^(?:{_translate(segments)})$")
    return compiled is not None and compiled.search(printable(text)) is not None


def trim(segments: Segments, text: str, operator: str) -> str:
    """`${text#pattern}` and its three kin."""
    literal = plain(segments)
    if not is_pattern(segments) and "\\" not in literal:
        if operator[0] == "#":
            return text.removeprefix(literal)
        return text.removesuffix(literal)
    if len(literal) > MAX_PATTERN:
        return text
    regex = _translate(segments, lazy=operator == "#")
    if operator[0] == "#":
        full = f"(?s)^(?:{regex})"
    else:
        full = f"(?s)^(.*{'?' if operator == '%%' else ''})(?:{regex})$"
    compiled = _compile_glob(full)
    match = compiled.search(printable(text)) if compiled is not None else None
    if match is None:
        return text
    return text[match.end() :] if operator[0] == "#" else text[: match.end(1)]


def glob(vfs: Vfs, cwd: str, segments: Segments) -> tuple[list[str], int]:
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
            here = base if base.startswith("/") else f"{cwd}/{base}"
            if not is_pattern(component):
                if vfs.exists(here + text):
                    following.append(base + text)
            elif vfs.is_dir(here):
                hidden = text.startswith(".")
                names = vfs.listdir(here)
                work += len(names)
                following.extend(
                    base + name
                    for name in names
                    if (hidden or not name.startswith("."))
                    and matches(component, name)
                    and (last or vfs.is_dir(f"{here}/{name}"))
                )
        found = following
    return sorted(found), work


# --- regular expressions -----------------------------------------------------------------------


def regex(pattern: str, *, extended: bool, ignore_case: bool = False, fixed: bool = False) -> Any:
    """A compiled POSIX regular expression (leftmost-longest), or `UsageError`."""
    if len(pattern) > MAX_PATTERN:
        raise UsageError(f"a pattern may have at most {MAX_PATTERN} characters")
    source = re2.escape(pattern) if fixed else _posix(pattern, extended)
    try:
        return re2.compile(printable(source), _options(ignore_case, longest=True))
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise UsageError(f"invalid pattern: {reason}") from None


_PAIRED = {"w": "\\w", "W": "\\W", "s": "\\s", "S": "\\S", "b": "\\b", "B": "\\B", "<": "\\b", ">": "\\b"}


def _posix(pattern: str, extended: bool) -> str:
    """POSIX basic or extended syntax (with GNU's `\\+ \\? \\| \\w …`) as RE2's."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            if at >= len(pattern):
                raise UsageError("trailing backslash in a pattern")
            following = pattern[at]
            at += 1
            if following in "123456789":
                raise UsageError("back-references in a pattern are not supported here")
            if following in _PAIRED:
                out.append(_PAIRED[following])
            elif not extended and following in "(){}+?|":
                out.append(following)
            elif following == "n":
                out.append("\\n")
            elif following == "t":
                out.append("\\t")
            else:
                out.append(re2.escape(following))
        elif char == "[":
            chars = [(each, False) for each in pattern[at:]]
            bracket, after = _posix_bracket(chars)
            if not bracket:
                raise UsageError("unmatched [ in a pattern")
            out.append(bracket)
            at += after
        elif not extended and char in "(){}+?|":
            out.append("\\" + char)
        elif not extended and char == "*" and (not out or out[-1] in ("(", "|", "^")):
            out.append("\\*")
        elif not extended and char == "^" and out and out[-1] not in ("(", "|"):
            out.append("\\^")
        elif (
            not extended and char == "$" and at < len(pattern) and pattern[at : at + 2] not in ("\\)", "\\|")
        ):
            out.append("\\$")
        elif extended and char == "{" and not _interval(pattern, at):
            out.append("\\{")
        else:
            out.append(char)
    return "".join(out)


def _posix_bracket(chars: list[tuple[str, bool]]) -> tuple[str, int]:
    # In a POSIX bracket only a leading ^ negates; `!` is itself.
    if chars and chars[0][0] == "!":
        bracket, after = _bracket([("a", True), *chars], 0)
        return ("[" + bracket[2:], after - 1) if bracket else ("", 0)
    return _bracket(chars, 0)


def _interval(pattern: str, at: int) -> bool:
    close = pattern.find("}", at)
    inner = pattern[at:close] if close > 0 else ""
    return bool(inner) and all(char in "0123456789," for char in inner) and inner[0] != ","
