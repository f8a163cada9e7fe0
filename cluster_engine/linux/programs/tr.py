"""`tr`, on bytes."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import fail, is_busybox, misused, options

_USAGE = (
    "tr [-cds] STRING1 [STRING2]\n\nTranslate, squeeze, or delete characters from stdin, writing to stdout"
)
_PUNCT = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_CLASSES: dict[str, Callable[[str], bool]] = {
    "alpha": lambda c: c.isalpha(), "digit": lambda c: c.isdigit(), "alnum": lambda c: c.isalnum(),
    "upper": lambda c: c.isupper(), "lower": lambda c: c.islower(), "space": lambda c: c in " \t\n\v\f\r",
    "blank": lambda c: c in " \t", "punct": lambda c: c in _PUNCT, "cntrl": lambda c: c < " " or c == "\x7f",
    "print": lambda c: " " <= c <= "~", "xdigit": lambda c: c in "0123456789abcdefABCDEF",
    "graph": lambda c: "!" <= c <= "~",
}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
MAX_SET = 4_096
"""Characters of one set, repetitions counted."""


def _one(text: str, at: int) -> tuple[str, int]:
    """The character at ``at`` (an escape counts as one) and the index behind it."""
    if text[at] != "\\" or at + 1 >= len(text):
        return text[at], at + 1
    digits = ""
    while len(digits) < 3 and text[at + 1 + len(digits) : at + 2 + len(digits)] in tuple("01234567"):
        digits += text[at + 1 + len(digits)]
    if digits:
        return chr(int(digits, 8) & 255), at + 1 + len(digits)
    return _ESCAPES.get(text[at + 1], text[at + 1]), at + 2


def _expand(sys: Sys, text: str) -> list[str]:
    chars: list[str] = []
    at = 0
    while at < len(text):
        if text.startswith("[:", at) and ":]" in text[at:]:
            end = text.index(":]", at)
            name = text[at + 2 : end]
            if name not in _CLASSES:
                fail(sys, f"invalid character class '{name}'")
            chars += [chr(code) for code in range(128) if _CLASSES[name](chr(code))]
            at = end + 2
            continue
        if text.startswith("[=", at) and text[at + 3 : at + 5] == "=]":
            chars.append(text[at + 2])
            at += 5
            continue
        repeat = text.find("*", at + 2, at + 7) if text[at] == "[" else -1
        if repeat > 0 and "]" in text[repeat:]:
            char, after = _one(text, at + 1)
            end = text.index("]", repeat)
            digits = text[repeat + 1 : end]
            if after == repeat and (digits == "" or digits.isdigit()):
                count = int(digits[:6], 8 if digits.startswith("0") else 10) if digits else 256
                chars += [char] * min(count or 256, MAX_SET)
                at = end + 1
                continue
        char, at = _one(text, at)
        if text[at : at + 1] == "-" and at + 1 < len(text):
            last, at = _one(text, at + 1)
            if last < char:
                fail(sys, f"range-endpoints of '{char}-{last}' are in reverse collating sequence order")
            chars += [chr(code) for code in range(ord(char), ord(last) + 1)]
        else:
            chars.append(char)
        if len(chars) > MAX_SET:
            fail(sys, f"a set may have at most {MAX_SET:,} characters here")
    return chars


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(
        sys, argv, "cCdst", "", {"delete": "d", "squeeze-repeats": "s", "complement": "c", "truncate-set1": "t"},
        permute=False, usage=_USAGE,
    )  # fmt: skip
    delete, squeeze, complement = opts.flag("d"), opts.flag("s"), opts.flag("c", "C")
    operands = opts.operands
    if not operands:
        misused(sys, "missing operand", _USAGE)
    if len(operands) < 2 and not delete and not squeeze:
        misused(sys, "" if is_busybox(sys) else f"missing operand after '{operands[0]}'", _USAGE)
    if len(operands) > 2 or (delete and not squeeze and len(operands) > 1):
        misused(sys, f"extra operand '{operands[-1]}'", _USAGE)
    sets = [_expand(sys, text) for text in operands]
    first = sets[0]
    if complement:
        listed = dict.fromkeys(first)
        first = [chr(code) for code in range(256) if chr(code) not in listed]
    table: dict[str, str] = {}
    if not delete and len(sets) == 2:
        target = sets[1]
        if not target:
            fail(sys, "when not truncating set1, string2 must be non-empty")
        if opts.flag("t"):
            first = first[: len(target)]
        target = target + [target[-1]] * max(0, len(first) - len(target))
        for old, new in zip(first, target, strict=False):
            if old not in table or not is_busybox(sys):
                table[old] = new
    squeezed = (sets[1] if len(sets) == 2 else first) if squeeze else []
    state = {
        "table": table, "drop": "".join(dict.fromkeys(first)) if delete else "",
        "squeeze": "".join(dict.fromkeys(squeezed)), "previous": "",
    }  # fmt: skip
    return state, ["-"]


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    sys.tick(len(chunk) // 64)
    if state["drop"]:
        chunk = chunk.translate({ord(char): None for char in state["drop"]})
    elif state["table"]:
        chunk = chunk.translate({ord(old): new for old, new in state["table"].items()})
    if state["squeeze"]:
        squeeze, previous, out = state["squeeze"], state["previous"], []
        for char in chunk:
            if char != previous or char not in squeeze:
                out.append(char)
            previous = char
        state["previous"] = previous
        chunk = "".join(out)
    sys.write(1, chunk)
    return None


def _end(sys: Sys, state: State) -> int:
    return 0


PROGRAM = Program("tr", "replace or delete characters", _USAGE, filter=Filter(_init, _feed, _end))
