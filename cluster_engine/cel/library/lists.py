"""Lists: Kubernetes' own functions and cel-go's lists extension at version 3; sets.

Models k8s.io/apiserver/pkg/cel/library/lists.go, and ext/lists.go and ext/sets.go of cel-go.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from cluster_engine.cel.errors import CelError, too_expensive
from cluster_engine.cel.library.conversions import as_int, as_uint
from cluster_engine.cel.library.function import Function, Overload, traversal
from cluster_engine.cel.library.standard import compare
from cluster_engine.cel.times import Duration
from cluster_engine.cel.values import Meter, Uint, Value, contains, equal, is_list, keys, no_such_overload

MAX_ITEMS = 1_000_000
"""Items that one call makes or looks at: as many as the limit of an evaluation's cost."""

_SUMMED = ("int", "uint", "double", "duration")
_COMPARED = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")


def _once(*args: Any) -> int:
    """The cost of looking through a whole value. Raises CelCostError as soon as it is more than anything may cost."""
    total, left = 0, [args[0]]
    while left:
        value = left.pop()
        if isinstance(value, (str, bytes)):
            total += traversal(len(value))
        elif is_list(value):
            left += value
        elif isinstance(value, Mapping):
            left += [*keys(value), *value.values()]
        else:
            total += 1
        if total + len(left) > MAX_ITEMS:
            raise too_expensive()
    return total


def _each_with_each(*args: Any) -> int:
    return len(args[0]) * len(args[1]) + 1


def _squared(items: Any) -> int:
    return len(items) ** 2 + 1


def _length(*args: Any) -> int:
    return len(args[0]) + 1


def _result_length(result: Any) -> int:
    return len(result)


def _sum(items: Any) -> Value:
    total: Value = items[0] if len(items) else 0
    for item in items[1:]:
        if type(item) is not type(total):
            raise no_such_overload()
        if type(item) is int:
            total = as_int(total + item)
        elif type(item) is Uint:
            total = as_uint(int(total) + int(item))
        elif type(item) is float:
            total += item
        elif type(item) is Duration:
            total = Duration(total.ns + item.ns)
        else:
            raise no_such_overload()
    return total


def _minimum(items: Any) -> Value:
    if not items:
        raise CelError("min called on empty list")
    least = items[0]
    for item in items[1:]:
        if compare(item, least) == -1:
            least = item
    return least


def _maximum(items: Any) -> Value:
    if not items:
        raise CelError("max called on empty list")
    most = items[0]
    for item in items[1:]:
        if compare(item, most) == 1:
            most = item
    return most


def _is_sorted(items: Any) -> bool:
    return all(compare(a, b) != 1 for a, b in pairwise(items))


def _index_of(items: Any, value: Value, meter: Meter) -> int:
    return next((at for at, item in enumerate(items) if equal(item, value, meter)), -1)


def _last_index_of(items: Any, value: Value, meter: Meter) -> int:
    return next((at for at in range(len(items) - 1, -1, -1) if equal(items[at], value, meter)), -1)


def _slice(items: Any, start: int, end: int) -> list[Value]:
    if start < 0 or end < 0:
        raise CelError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise CelError(f"cannot slice({start}, {end}), start index must be less than or equal to end index")
    if end > len(items):
        raise CelError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return list(items[start:end])


def _flatten(items: Any, depth: int = 1) -> list[Value]:
    if depth < 0:
        raise CelError("level must be non-negative")
    found: list[Value] = []
    stack = [(iter(items), depth)]
    while stack:
        rest, left = stack[-1]
        for item in rest:
            if is_list(item) and left > 0:
                stack.append((iter(item), left - 1))
                break
            found.append(item)
            if len(found) > MAX_ITEMS:
                raise too_expensive()
        else:
            stack.pop()
    return found


def _distinct(items: Any, meter: Meter) -> list[Value]:
    found: list[Value] = []
    for item in items:
        if not contains(found, item, meter):
            found.append(item)
    return found


def _range(count: int) -> list[int]:
    return list(range(count))


def _of_count(count: int) -> int:
    return max(count, 0) + 1


def _reverse(items: Any) -> list[Value]:
    return list(reversed(items))


def _sort(items: Any) -> list[Value]:
    for item in items[1:]:
        if type(item) is not type(items[0]):
            raise CelError("list elements must have the same type")
    return sorted(items, key=cmp_to_key(lambda a, b: compare(a, b) or 0))


def _has_all(items: Any, others: Any, meter: Meter) -> bool:
    return all(contains(items, other, meter) for other in others)


def _same_set(items: Any, others: Any, meter: Meter) -> bool:
    return _has_all(items, others, meter) and _has_all(others, items, meter)


def _meet(items: Any, others: Any, meter: Meter) -> bool:
    return any(contains(items, other, meter) for other in others)


FUNCTIONS = (
    Function(
        "isSorted",
        *(
            Overload(f"list_{t}_is_sorted_bool", f"list({t}).() -> bool", _is_sorted, _once)
            for t in _COMPARED
        ),
    ),
    Function("sum", *(Overload(f"list_{t}_sum_{t}", f"list({t}).() -> {t}", _sum, _once) for t in _SUMMED)),
    Function(
        "max", *(Overload(f"list_{t}_max_{t}", f"list({t}).() -> {t}", _maximum, _once) for t in _COMPARED)
    ),
    Function(
        "min", *(Overload(f"list_{t}_min_{t}", f"list({t}).() -> {t}", _minimum, _once) for t in _COMPARED)
    ),
    Function(
        "indexOf", Overload("list_a_index_of_int", "list(A).(A) -> int", _index_of, _once, metered=True)
    ),
    Function(
        "lastIndexOf",
        Overload("list_a_last_index_of_int", "list(A).(A) -> int", _last_index_of, _once, metered=True),
    ),
    Function("slice", Overload("list_slice", "list(A).(int, int) -> list(A)", _slice, _length)),
    Function(
        "flatten",
        Overload("list_flatten", "list(list(A)).() -> list(A)", _flatten, 1, _result_length),
        Overload("list_flatten_int", "list(dyn).(int) -> list(dyn)", _flatten, 1, _result_length),
    ),
    Function(
        "distinct", Overload("list_distinct", "list(A).() -> list(A)", _distinct, _squared, metered=True)
    ),
    Function("lists.range", Overload("lists_range", "(int) -> list(int)", _range, _of_count)),
    Function("reverse", Overload("list_reverse", "list(A).() -> list(A)", _reverse, _length)),
    Function(
        "sort",
        *(Overload(f"list_{t}_sort", f"list({t}).() -> list({t})", _sort, _squared) for t in _COMPARED),
    ),
    Function(
        "sets.contains",
        Overload(
            "list_sets_contains_list", "(list(A), list(A)) -> bool", _has_all, _each_with_each, metered=True
        ),
    ),
    Function(
        "sets.equivalent",
        Overload(
            "list_sets_equivalent_list",
            "(list(A), list(A)) -> bool",
            _same_set,
            _each_with_each,
            metered=True,
        ),
    ),
    Function(
        "sets.intersects",
        Overload(
            "list_sets_intersects_list", "(list(A), list(A)) -> bool", _meet, _each_with_each, metered=True
        ),
    ),
)
"""One entry for each function."""
