"""The standard library: operators, texts, times.

Models common/stdlib/standard.go and common/types of cel-go.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cluster_engine.cel.errors import CelError
from cluster_engine.cel.library.conversions import as_int, as_uint
from cluster_engine.cel.library.function import REGEX_FACTOR, Function, Overload, traversal
from cluster_engine.cel.regexes import search
from cluster_engine.cel.times import SECOND, Duration, Timestamp, local
from cluster_engine.cel.values import (
    Meter,
    Uint,
    Value,
    contains,
    equal,
    go_float,
    key_of,
    no_such_key,
    no_such_overload,
    size,
    type_name,
)

# Arithmetic


def _divide(left: int, right: int) -> int:
    if right == 0:
        raise CelError("division by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    if right == 0:
        raise CelError("modulus by zero")
    return left - right * _divide(left, right)


def _float_divide(left: float, right: float) -> float:
    if right:
        return left / right
    if not left or left != left or right != right:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def _float_multiply(left: float, right: float) -> float:
    return left * right


def add_lists(left: Value, right: Value) -> Value:
    """``left + right``; a set takes what it has not, items of a ``map`` list replace those with their key."""
    if type(left) is list:
        return left + list(right)
    return left.joined(right)


def _negative(value: int) -> int:
    return as_int(-value)


# Comparison


def compare(left: Value, right: Value) -> int | None:
    """-1, 0 or 1; None when one of two numbers is none (NaN). Raises CelError for what has no order."""
    if isinstance(left, (Timestamp, Duration)) and type(left) is type(right):
        left, right = left.ns, right.ns
    elif not (type(left) in _NUMBERS and type(right) in _NUMBERS) and (
        type(left) is not type(right) or type(left) not in _ORDERED
    ):
        raise no_such_overload()
    if left < right:
        return -1
    if left > right:
        return 1
    return 0 if left == right else None


_NUMBERS = frozenset((int, Uint, float))
_ORDERED = frozenset((int, Uint, float, str, bytes, bool))


def _less(left: Value, right: Value) -> bool:
    return compare(left, right) == -1


def _less_equal(left: Value, right: Value) -> bool:
    return compare(left, right) in (-1, 0)


def _greater(left: Value, right: Value) -> bool:
    return compare(left, right) == 1


def _greater_equal(left: Value, right: Value) -> bool:
    return compare(left, right) in (0, 1)


def _unequal(left: Value, right: Value, meter: Meter) -> bool:
    return not equal(left, right, meter)


def of_both(left: Value, right: Value) -> int:
    """The cost of a comparison: the shorter one is looked at."""
    return traversal(min(size(left), size(right)))


def of_sum(left: Value, right: Value) -> int:
    """The cost of putting two things together."""
    return traversal(size(left) + size(right))


# Lists and maps


def item(items: Value, index: Value) -> Value:
    """``items[index]``. Raises CelError for what is no whole number, and outside the list."""
    kind = type(index)
    if kind is float and index.is_integer():
        index = int(index)
    elif kind is float:
        raise CelError(f"unsupported index value {go_float(index)} in list")
    elif kind is not int and kind is not Uint:
        raise CelError(f"unsupported index type '{type_name(index)}' in list")
    if not 0 <= index < len(items):
        raise CelError(f"index out of bounds: {int(index)}")
    return items[index]


def entry(mapping: Mapping[Any, Value], key: Value) -> Value:
    """``mapping[key]``. Raises CelError when it is not there."""
    try:
        return mapping[key if type(key) is str else key_of(key)]
    except KeyError:
        raise no_such_key(key) from None


def has_key(key: Value, mapping: Mapping[Any, Value]) -> bool:
    """``key in mapping``."""
    return key_of(key) in mapping


def _in(value: Value, items: Value, meter: Meter) -> bool:
    return contains(items, value, meter)


def _of_search(value: Value, items: Value) -> int:
    return size(items)


# Texts


def of_affix(text: str, part: str) -> int:
    """The cost of looking at a text's end or beginning."""
    return traversal(len(part))


def of_pattern(text: str, pattern: str) -> int:
    """The cost of a regular expression on a text."""
    return traversal(1 + len(text)) * math.ceil(len(pattern) * REGEX_FACTOR)


def _of_contains(text: str, part: str) -> int:
    return traversal(len(text)) * traversal(len(part))


def _contains(text: str, part: str) -> bool:
    return part in text


# Times


def _shift(moment: Timestamp, by: Duration) -> Timestamp:
    return Timestamp(moment.ns + by.ns)


def _shift_reverse(by: Duration, moment: Timestamp) -> Timestamp:
    return Timestamp(moment.ns + by.ns)


def _shift_back(moment: Timestamp, by: Duration) -> Timestamp:
    return Timestamp(moment.ns - by.ns)


def _between(left: Timestamp, right: Timestamp) -> Duration:
    return Duration(left.ns - right.ns)


def _longer(left: Duration, right: Duration) -> Duration:
    return Duration(left.ns + right.ns)


def _shorter(left: Duration, right: Duration) -> Duration:
    return Duration(left.ns - right.ns)


def _parts(part: Callable[[datetime, int], int]) -> tuple[Callable[[Timestamp], int], Callable[..., int]]:
    def utc(moment: Timestamp) -> int:
        return part(local(moment, None), moment.ns)

    def zoned(moment: Timestamp, zone: str) -> int:
        return part(local(moment, zone), moment.ns)

    return utc, zoned


def _moment(name: str, part: Callable[[datetime, int], int], of_duration: int = 0) -> Function:
    """A method of timestamps (and, with so many nanoseconds, of durations)."""
    utc, zoned = _parts(part)
    forms = [
        Overload(f"timestamp_to_{name}", "timestamp.() -> int", utc),
        Overload(f"timestamp_to_{name}_with_tz", "timestamp.(string) -> int", zoned),
    ]
    if name == "getMilliseconds":
        forms.append(Overload(f"duration_to_{name}", "duration.() -> int", _rest_milliseconds))
    elif of_duration:
        forms.append(Overload(f"duration_to_{name}", "duration.() -> int", _whole(of_duration)))
    return Function(name, *forms)


def _whole(unit: int) -> Callable[[Duration], int]:
    def count(length: Duration) -> int:
        return _divide(length.ns, unit)

    return count


def _rest_milliseconds(length: Duration) -> int:
    return _divide(_remainder(length.ns, SECOND), 10**6)


def _checked(operation: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def run(left: int, right: int) -> int:
        return as_int(operation(int(left), int(right)))

    return run


def _unsigned(operation: Callable[[int, int], int]) -> Callable[[int, int], Uint]:
    def run(left: int, right: int) -> Uint:
        return as_uint(operation(int(left), int(right)))

    return run


def _comparison(name: str, word: str, run: Callable[[Value, Value], bool]) -> Function:
    simple = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
    mixed = (
        ("int", "uint"),
        ("int", "double"),
        ("uint", "int"),
        ("uint", "double"),
        ("double", "int"),
        ("double", "uint"),
    )
    return Function(
        name,
        *(Overload(f"{word}_{kind}", f"({kind}, {kind}) -> bool", run, of_both) for kind in simple),
        *(Overload(f"{word}_{a}_{b}", f"({a}, {b}) -> bool", run) for a, b in mixed),
    )


def _plus(left: Any, right: Any) -> Any:
    return left + right


def _minus(left: Any, right: Any) -> Any:
    return left - right


def _times(left: Any, right: Any) -> Any:
    return left * right


FUNCTIONS = (
    Function(
        "_+_",
        Overload("add_bytes", "(bytes, bytes) -> bytes", _plus, of_sum),
        Overload("add_double", "(double, double) -> double", _plus),
        Overload("add_duration_duration", "(duration, duration) -> duration", _longer),
        Overload("add_duration_timestamp", "(duration, timestamp) -> timestamp", _shift_reverse),
        Overload("add_timestamp_duration", "(timestamp, duration) -> timestamp", _shift),
        Overload("add_int64", "(int, int) -> int", _checked(_plus)),
        Overload("add_list", "(list(A), list(A)) -> list(A)", add_lists, of_sum),
        Overload("add_string", "(string, string) -> string", _plus, of_sum),
        Overload("add_uint64", "(uint, uint) -> uint", _unsigned(_plus)),
        named=False,
    ),
    Function(
        "_-_",
        Overload("subtract_double", "(double, double) -> double", _minus),
        Overload("subtract_duration_duration", "(duration, duration) -> duration", _shorter),
        Overload("subtract_int64", "(int, int) -> int", _checked(_minus)),
        Overload("subtract_timestamp_duration", "(timestamp, duration) -> timestamp", _shift_back),
        Overload("subtract_timestamp_timestamp", "(timestamp, timestamp) -> duration", _between),
        Overload("subtract_uint64", "(uint, uint) -> uint", _unsigned(_minus)),
        named=False,
    ),
    Function(
        "_*_",
        Overload("multiply_double", "(double, double) -> double", _float_multiply),
        Overload("multiply_int64", "(int, int) -> int", _checked(_times)),
        Overload("multiply_uint64", "(uint, uint) -> uint", _unsigned(_times)),
        named=False,
    ),
    Function(
        "_/_",
        Overload("divide_double", "(double, double) -> double", _float_divide),
        Overload("divide_int64", "(int, int) -> int", _checked(_divide)),
        Overload("divide_uint64", "(uint, uint) -> uint", _unsigned(_divide)),
        named=False,
    ),
    Function(
        "_%_",
        Overload("modulo_int64", "(int, int) -> int", _checked(_remainder)),
        Overload("modulo_uint64", "(uint, uint) -> uint", _unsigned(_remainder)),
        named=False,
    ),
    Function(
        "-_",
        Overload("negate_double", "(double) -> double", lambda value: -value),
        Overload("negate_int64", "(int) -> int", _negative),
        named=False,
    ),
    Function("!_", Overload("logical_not", "(bool) -> bool", lambda value: not value), named=False),
    Function("_==_", Overload("equals", "(A, A) -> bool", equal, of_both, metered=True), named=False),
    Function("_!=_", Overload("not_equals", "(A, A) -> bool", _unequal, of_both, metered=True), named=False),
    _comparison("_<_", "less", _less),
    _comparison("_<=_", "less_equals", _less_equal),
    _comparison("_>_", "greater", _greater),
    _comparison("_>=_", "greater_equals", _greater_equal),
    Function(
        "@in",
        Overload("in_list", "(A, list(A)) -> bool", _in, _of_search, metered=True),
        Overload("in_map", "(A, map(A, B)) -> bool", has_key),
        named=False,
    ),
    Function(
        "_[_]",
        Overload("index_list", "(list(A), int) -> A", item, 0),
        Overload("index_map", "(map(A, B), A) -> B", entry, 0),
        named=False,
    ),
    Function(
        "size",
        Overload("size_bytes", "(bytes) -> int", len),
        Overload("bytes_size", "bytes.() -> int", len),
        Overload("size_list", "(list(A)) -> int", len),
        Overload("list_size", "list(A).() -> int", len),
        Overload("size_map", "(map(A, B)) -> int", len),
        Overload("map_size", "map(A, B).() -> int", len),
        Overload("size_string", "(string) -> int", len),
        Overload("string_size", "string.() -> int", len),
        named=False,
    ),
    Function(
        "contains",
        Overload("contains_string", "string.(string) -> bool", _contains, _of_contains),
        named=False,
    ),
    Function(
        "endsWith",
        Overload("ends_with_string", "string.(string) -> bool", str.endswith, of_affix),
        named=False,
    ),
    Function(
        "startsWith",
        Overload("starts_with_string", "string.(string) -> bool", str.startswith, of_affix),
        named=False,
    ),
    Function(
        "matches",
        Overload("matches", "(string, string) -> bool", search, of_pattern),
        Overload("matches_string", "string.(string) -> bool", search, of_pattern),
        named=False,
    ),
    _moment("getFullYear", lambda at, ns: at.year),
    _moment("getMonth", lambda at, ns: at.month - 1),
    _moment("getDayOfYear", lambda at, ns: at.timetuple().tm_yday - 1),
    _moment("getDayOfMonth", lambda at, ns: at.day - 1),
    _moment("getDate", lambda at, ns: at.day),
    _moment("getDayOfWeek", lambda at, ns: at.isoweekday() % 7),
    _moment("getHours", lambda at, ns: at.hour, 3600 * SECOND),
    _moment("getMinutes", lambda at, ns: at.minute, 60 * SECOND),
    _moment("getSeconds", lambda at, ns: at.second, SECOND),
    _moment("getMilliseconds", lambda at, ns: ns % SECOND // 10**6),
)
"""One entry for each function of the standard library that is no conversion."""
