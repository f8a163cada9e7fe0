"""awk's values: numbers (float), strings (str), and strings from outside that look like numbers (Input).

In a state, which is JSON without floats, a value is text with a letter before it: ``n`` a number, ``s`` a string,
``i`` a string from outside, ``u`` nothing yet.
"""

from __future__ import annotations

from functools import lru_cache

MAX_DIGITS = 300


class Input(str):
    """A field, an element of split: a number in comparisons if it looks like one."""

    __slots__ = ()


class Unset(Input):
    """What was never given a value: "" and 0 at once."""

    __slots__ = ()


UNSET = Unset("")
Value = float | str


def to_number(value: Value) -> float:
    """A number as it is; of text the number that it begins with."""
    if isinstance(value, float):
        return value
    digits = _leading(value.lstrip(" \t\n")[:MAX_DIGITS])
    return float(digits) if digits else 0.0


def _leading(text: str) -> str:
    at = 1 if text[:1] in ("+", "-") else 0
    start = at
    while at < len(text) and text[at] in "0123456789":
        at += 1
    if text[at : at + 1] == ".":
        at += 1
        while at < len(text) and text[at] in "0123456789":
            at += 1
    if not text[start:at].strip("."):
        return ""
    if text[at : at + 1] in ("e", "E"):
        end = at + 1 + (text[at + 1 : at + 2] in ("+", "-"))
        while end < len(text) and text[end] in "0123456789":
            end += 1
        if text[end - 1] in "0123456789":
            at = end
    return text[:at]


def looks_numeric(text: str) -> bool:
    """Whether the whole text, blanks around it aside, is a number."""
    stripped = text.strip(" \t\n")
    return bool(stripped) and len(stripped) < MAX_DIGITS and _leading(stripped) == stripped


def whole(number: float) -> str | None:
    """The digits of a number without a fraction, None for others."""
    if number == number and abs(number) < 2.0**63 and number == int(number):
        return str(int(number))
    return None


def to_text(value: Value, form: str = "%.6g") -> str:
    """Text as it is; a number as CONVFMT or OFMT says, whole ones without a fraction."""
    if isinstance(value, str):
        return str(value)
    return whole(value) or special(value) or (form if _sound(form) else "%.6g") % value


@lru_cache(maxsize=64)
def _sound(form: str) -> bool:
    """Whether CONVFMT or OFMT is one conversion of a real number, with text around it at most."""
    _, mark, rest = form.partition("%")
    spec = rest.lstrip("-+ #0").lstrip("0123456789")
    if spec.startswith("."):
        spec = spec[1:].lstrip("0123456789")
    sized = len(rest) - len(spec) < 8
    return bool(mark) and sized and spec[:1] in tuple("eEfFgG") and "%" not in spec


def special(number: float) -> str:
    """``nan`` and ``inf``, "" for other numbers."""
    if number != number:
        return "nan"
    if number in (float("inf"), float("-inf")):
        return "inf" if number > 0 else "-inf"
    return ""


def truth(value: Value) -> bool:
    if isinstance(value, float):
        return value != 0
    if isinstance(value, Input) and looks_numeric(value):
        return to_number(value) != 0
    return value != ""


def compare(left: Value, right: Value) -> int:
    """-1, 0 or 1: as numbers when both are (or look like) numbers, else as text."""
    if _numeric(left) and _numeric(right):
        x, y = to_number(left), to_number(right)
        return (x > y) - (x < y)
    s, t = to_text(left), to_text(right)
    return (s > t) - (s < t)


def _numeric(value: Value) -> bool:
    return isinstance(value, float | Unset) or (isinstance(value, Input) and looks_numeric(value))


def stored(value: Value) -> str:
    if isinstance(value, float):
        return "n" + repr(value)
    if isinstance(value, Unset):
        return "u"
    return ("i" if isinstance(value, Input) else "s") + value


def restored(text: str) -> Value:
    if text[0] == "n":
        return float(text[1:])
    if text[0] == "u":
        return UNSET
    return Input(text[1:]) if text[0] == "i" else text[1:]
