"""The standard library's conversions from one type to another.

Models common/stdlib/standard.go and common/types of cel-go.
"""

from __future__ import annotations

from cluster_engine.cel.errors import CelError
from cluster_engine.cel.library.function import Function, Overload, of_first
from cluster_engine.cel.times import SECOND, Duration, Timestamp, read_duration, read_timestamp
from cluster_engine.cel.values import INT_MAX, INT_MIN, UINT_MAX, TypeValue, Uint, Value, go_float, type_name

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


def as_int(value: int) -> int:
    """The number as an int. Raises CelError beyond 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise CelError("integer overflow")


def as_uint(value: int) -> Uint:
    """The number as a uint. Raises CelError below 0 and beyond 64 bits."""
    if 0 <= value <= UINT_MAX:
        return Uint(value)
    raise CelError("unsigned integer overflow")


def _failed(value: Value, to: str) -> CelError:
    return CelError(f"type conversion error from '{type_name(value)}' to '{to}'")


def _number(text: str, to: str) -> int:
    digits = text[1:] if text[:1] in ("+", "-") and to == "int" else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 40:
        raise _failed(text, to)
    return int(text)


def _int_of_text(text: str) -> int:
    value = _number(text, "int")
    if not INT_MIN <= value <= INT_MAX:
        raise _failed(text, "int")
    return value


def _uint_of_text(text: str) -> Uint:
    value = _number(text, "uint")
    if value > UINT_MAX:
        raise _failed(text, "uint")
    return Uint(value)


def _int_of_double(value: float) -> int:
    if value != value or not -(2.0**63) < value < 2.0**63:
        raise CelError("integer overflow")
    return int(value)


def _uint_of_double(value: float) -> Uint:
    if value != value or not 0 <= value < 2.0**64:
        raise CelError("unsigned integer overflow")
    return Uint(value)


def _double_of_text(text: str) -> float:
    if not text or text != text.strip() or "_" in text:
        raise _failed(text, "double")
    try:
        return float(text)
    except ValueError:
        raise _failed(text, "double") from None


def _bool_of_text(text: str) -> bool:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise _failed(text, "bool")


def _text_of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None


def _duration(text: str) -> Duration:
    found = read_duration(text)
    if found is None:
        raise _failed(text, "google.protobuf.Duration")
    return found


def _timestamp(text: str) -> Timestamp:
    found = read_timestamp(text)
    if found is None:
        raise _failed(text, "google.protobuf.Timestamp")
    return found


def _same(value: Value) -> Value:
    return value


FUNCTIONS = (
    Function("type", Overload("type", "(A) -> type(A)", lambda value: TypeValue(type_name(value)))),
    Function(
        "bool",
        Overload("bool_to_bool", "(bool) -> bool", _same),
        Overload("string_to_bool", "(string) -> bool", _bool_of_text),
        named=False,
    ),
    Function(
        "bytes",
        Overload("bytes_to_bytes", "(bytes) -> bytes", _same),
        Overload(
            "string_to_bytes", "(string) -> bytes", lambda text: text.encode("utf-8", "replace"), of_first
        ),
        named=False,
    ),
    Function(
        "double",
        Overload("double_to_double", "(double) -> double", _same),
        Overload("int64_to_double", "(int) -> double", float),
        Overload("string_to_double", "(string) -> double", _double_of_text),
        Overload("uint64_to_double", "(uint) -> double", float),
        named=False,
    ),
    Function(
        "duration",
        Overload("duration_to_duration", "(duration) -> duration", _same),
        Overload("int64_to_duration", "(int) -> duration", Duration),
        Overload("string_to_duration", "(string) -> duration", _duration),
        named=False,
    ),
    Function("dyn", Overload("to_dyn", "(A) -> dyn", _same)),
    Function(
        "int",
        Overload("double_to_int64", "(double) -> int", _int_of_double),
        Overload("duration_to_int64", "(duration) -> int", lambda length: length.ns),
        Overload("int64_to_int64", "(int) -> int", _same),
        Overload("string_to_int64", "(string) -> int", _int_of_text),
        Overload("timestamp_to_int64", "(timestamp) -> int", lambda moment: moment.ns // SECOND),
        Overload("uint64_to_int64", "(uint) -> int", lambda value: as_int(int(value))),
        named=False,
    ),
    Function(
        "string",
        Overload("bool_to_string", "(bool) -> string", lambda value: "true" if value else "false"),
        Overload("bytes_to_string", "(bytes) -> string", _text_of_bytes, of_first),
        Overload("double_to_string", "(double) -> string", go_float),
        Overload("duration_to_string", "(duration) -> string", str),
        Overload("int64_to_string", "(int) -> string", str),
        Overload("string_to_string", "(string) -> string", _same),
        Overload("timestamp_to_string", "(timestamp) -> string", str),
        Overload("uint64_to_string", "(uint) -> string", lambda value: str(int(value))),
        named=False,
    ),
    Function(
        "timestamp",
        Overload("int64_to_timestamp", "(int) -> timestamp", lambda seconds: Timestamp(seconds * SECOND)),
        Overload("string_to_timestamp", "(string) -> timestamp", _timestamp),
        Overload("timestamp_to_timestamp", "(timestamp) -> timestamp", _same),
        named=False,
    ),
    Function(
        "uint",
        Overload("double_to_uint64", "(double) -> uint", _uint_of_double),
        Overload("int64_to_uint64", "(int) -> uint", as_uint),
        Overload("string_to_uint64", "(string) -> uint", _uint_of_text),
        Overload("uint64_to_uint64", "(uint) -> uint", _same),
        named=False,
    ),
)
"""One entry for each conversion."""
