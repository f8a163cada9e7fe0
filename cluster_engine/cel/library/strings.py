"""Texts: the strings extension at version 2.

Models ext/strings.go and ext/formatting.go of cel-go. Indexes count code points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from cluster_engine.cel.errors import CelError, too_expensive
from cluster_engine.cel.library.function import Function, Overload, of_first, of_result, traversal
from cluster_engine.cel.times import Duration, Timestamp
from cluster_engine.cel.values import TypeValue, Value, go_float, is_list, key_of, keys, size, type_name

MAX_TEXT = 10_000_000
"""Code points of a text that a function makes: as many as the limit of an evaluation's cost lets ``+`` make."""

_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_QUOTED = str.maketrans(
    {
        "\a": r"\a",
        "\b": r"\b",
        "\f": r"\f",
        "\n": r"\n",
        "\r": r"\r",
        "\t": r"\t",
        "\v": r"\v",
        "\\": r"\\",
        '"': r"\"",
    }
)


def twice(*args: Any) -> int:
    """The cost of looking through the first argument and making a result of it."""
    return traversal(2 * size(args[0]))


def _char_at(text: str, at: int) -> str:
    if at == len(text):
        return ""
    if not 0 <= at < len(text):
        raise CelError(f"index out of range: {at}")
    return text[at]


def _index_of(text: str, part: str, offset: int = 0) -> int:
    if not part:
        return offset
    if not 0 <= offset < max(len(text), 1):
        raise CelError(f"index out of range: {offset}")
    return text.find(part, offset)


def _last_index_of(text: str, part: str, offset: int | None = None) -> int:
    if offset is None:
        return len(text) if not part else text.rfind(part)
    if not part:
        return offset
    if not 0 <= offset < max(len(text), 1):
        raise CelError(f"index out of range: {offset}")
    return text.rfind(part, 0, offset + len(part))


def _join(items: Any, separator: str = "") -> str:
    total = len(separator) * max(len(items) - 1, 0)
    for item in items:
        if type(item) is not str:
            raise CelError(f"join: invalid input: {item}")
        total += len(item)
    if total > MAX_TEXT:
        raise too_expensive()
    return separator.join(items)


def _replaced_length(text: str, old: str, new: str, limit: int) -> int:
    count = text.count(old) if old else len(text) + 1
    return len(text) + (min(limit, count) if limit >= 0 else count) * (len(new) - len(old))


def _of_replace(text: str, old: str, new: str, limit: int = -1) -> int:
    """As upstream's; what makes the text longer counts as well."""
    return traversal(2 * len(text)) + traversal(max(_replaced_length(text, old, new, limit) - len(text), 0))


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    return text.replace(old, new, limit if limit >= 0 else -1)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if limit == 1:
        return [text]
    if not separator:
        return list(text) if limit < 0 or limit > len(text) else [*text[: limit - 1], text[limit - 1 :]]
    return text.split(separator, limit - 1 if limit > 0 else -1)


def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    if not 0 <= start <= len(text):
        raise CelError(f"index out of range: {start}")
    if not 0 <= stop <= len(text):
        raise CelError(f"index out of range: {stop}")
    if start > stop:
        raise CelError(f"invalid substring range. start: {start}, end: {stop}")
    return text[start:stop]


def _trim(text: str) -> str:
    return text.strip(_SPACE)


def _lower(text: str) -> str:
    return text.translate(_LOWER)


def _upper(text: str) -> str:
    return text.translate(_UPPER)


def _quote(text: str) -> str:
    return f'"{text.translate(_QUOTED)}"'


# format


def _wrong(clause: str, value: Value) -> CelError:
    return CelError(f"error during formatting: {clause}, was given {type_name(value)}")


def _as_text(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return {"+Inf": "Infinity", "-Inf": "-Infinity"}.get(go_float(value), go_float(value))
    if isinstance(value, (int, Timestamp, Duration)):
        return str(int(value)) if isinstance(value, int) else str(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, TypeValue):
        return value.name
    if is_list(value):
        return f"[{', '.join(_as_text(item) for item in value)}]"
    if isinstance(value, Mapping):
        entries = sorted((_as_text(key), _as_text(value[key_of(key)])) for key in keys(value))
        return "{" + ", ".join(f"{key}: {text}" for key, text in entries) + "}"
    kinds = "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"
    raise _wrong(f"string clause can only be used on {kinds}", value)


def _decimal(value: Value, precision: int) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return _as_text(value)
    raise _wrong("decimal clause can only be used on integers", value)


def _fixed(value: Value, precision: int) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (
            _as_text(value)
            if value != value or abs(value) == float("inf")
            else f"{Decimal(value):.{precision}f}"
        )
    raise _wrong("fixed-point clause can only be used on doubles", value)


def _scientific(value: Value, precision: int) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _as_text(value) if value != value or abs(value) == float("inf") else f"{value:.{precision}e}"
    raise _wrong("scientific clause can only be used on doubles", value)


def _binary(value: Value, precision: int) -> str:
    if isinstance(value, int):
        return format(int(value), "b")
    raise _wrong("only integers and bools can be formatted as binary", value)


def _octal(value: Value, precision: int) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return format(int(value), "o")
    raise _wrong("octal clause can only be used on integers", value)


def _hex(value: Value, precision: int) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return format(int(value), "x")
    if isinstance(value, (str, bytes)):
        return (value.encode() if isinstance(value, str) else value).hex()
    raise _wrong("only integers, byte buffers, and strings can be formatted as hex", value)


_CLAUSES: Mapping[str, Callable[[Value, int], str]] = {
    "s": lambda value, precision: _as_text(value),
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "o": _octal,
    "x": _hex,
    "X": lambda value, precision: _hex(value, precision).upper(),
}
_PRECISION = 6
MAX_PRECISION = 1000
"""Digits behind the point that a clause may ask for."""


def _format(text: str, args: Any) -> str:
    parts: list[str] = []
    at, used, total = 0, 0, 0
    while (stop := text.find("%", at)) >= 0:
        parts.append(text[at:stop])
        at = stop + 1
        if text[at : at + 1] == "%":
            parts.append("%")
            at += 1
            continue
        precision = _PRECISION
        if text[at : at + 1] == ".":
            end = at + 1
            while end < len(text) and text[end] in "0123456789":
                end += 1
            digits = text[at + 1 : end]
            if not digits or len(digits) > 4 or int(digits) > MAX_PRECISION:
                wrong = "error while parsing precision: could not find end of precision specifier"
                raise CelError(f"could not parse formatting clause: {wrong}")
            precision, at = int(digits), end
        letter = text[at : at + 1]
        at += 1
        clause = _CLAUSES.get(letter)
        if clause is None:
            shown = f'unrecognized formatting clause "{letter}"' if letter else "unexpected end of string"
            raise CelError(f"could not parse formatting clause: {shown}")
        if used >= len(args):
            raise CelError(f"index {used} out of range")
        parts.append(clause(args[used], precision))
        used += 1
        total += len(parts[-1])
        if total > MAX_TEXT:
            raise too_expensive()
    return "".join(parts) + text[at:]


FUNCTIONS = (
    Function("charAt", Overload("string_char_at_int", "string.(int) -> string", _char_at)),
    Function(
        "indexOf",
        Overload("string_index_of_string", "string.(string) -> int", _index_of, of_first),
        Overload("string_index_of_string_int", "string.(string, int) -> int", _index_of, of_first),
    ),
    Function(
        "lastIndexOf",
        Overload("string_last_index_of_string", "string.(string) -> int", _last_index_of, of_first),
        Overload("string_last_index_of_string_int", "string.(string, int) -> int", _last_index_of, of_first),
    ),
    Function(
        "join",
        Overload("list_join", "list(string).() -> string", _join, 0, of_result),
        Overload("list_join_string", "list(string).(string) -> string", _join, 0, of_result),
    ),
    Function("lowerAscii", Overload("string_lower_ascii", "string.() -> string", _lower, of_first)),
    Function("upperAscii", Overload("string_upper_ascii", "string.() -> string", _upper, of_first)),
    Function(
        "replace",
        Overload("string_replace_string_string", "string.(string, string) -> string", _replace, _of_replace),
        Overload(
            "string_replace_string_string_int",
            "string.(string, string, int) -> string",
            _replace,
            _of_replace,
        ),
    ),
    Function(
        "split",
        Overload("string_split_string", "string.(string) -> list(string)", _split, twice),
        Overload("string_split_string_int", "string.(string, int) -> list(string)", _split, twice),
    ),
    Function(
        "substring",
        Overload("string_substring_int", "string.(int) -> string", _substring, of_first),
        Overload("string_substring_int_int", "string.(int, int) -> string", _substring, of_first),
    ),
    Function("trim", Overload("string_trim", "string.() -> string", _trim, of_first)),
    Function("format", Overload("string_format", "string.(list(dyn)) -> string", _format, 0, of_result)),
    Function("strings.quote", Overload("strings_quote", "(string) -> string", _quote, of_first)),
)
"""One entry for each function."""
