"""Closures for the macros over lists and maps; each costs what cel-go's expansion of the macro costs.

Models interpreter/interpretable.go (evalFold), parser/macro.go and ext/comprehensions.go of cel-go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cmp_to_key
from typing import Any

from cluster_engine.cel.errors import CelCostError, CelError
from cluster_engine.cel.frame import Code, Frame, Run
from cluster_engine.cel.library.standard import compare
from cluster_engine.cel.values import Value, is_list, key_of, keys, no_such_overload, show, type_name

_GO_TYPES = {
    "null_type": "types.Null", "bool": "types.Bool", "int": "types.Int", "uint": "types.Uint", "double": "types.Double",
    "string": "types.String", "bytes": "types.Bytes",
}  # fmt: skip
_LIST, _APPEND = 10, 1
"""Costs of making a list and of looking at the one so far."""

Step = Callable[[Frame, Value], None]


def _items(value: Value) -> Iterable[Value]:
    if type(value) is list or is_list(value):
        return value  # type: ignore[no-any-return]
    if isinstance(value, Mapping):
        return list(keys(value))
    shown = _GO_TYPES.get(type_name(value), type_name(value))
    raise CelError(f"got '{shown}', expected iterable type")


def _pairs(value: Value) -> Iterator[tuple[Value, Value]]:
    if isinstance(value, Mapping):
        return iter([(key, value[key_of(key)]) for key in keys(value)])
    _items(value)
    return enumerate(value)


def _rounds(range_: Run, slots: Sequence[int]) -> Callable[[Frame], Iterator[None]]:
    """Goes through the range, with the loop's variables in their slots."""
    first = slots[0]

    def one(frame: Frame) -> Iterator[None]:
        places = frame.slots
        for value in _items(range_(frame)):
            places[first] = value
            yield None

    def two(frame: Frame) -> Iterator[None]:
        places, second = frame.slots, slots[1]
        for places[first], places[second] in _pairs(range_(frame)):
            yield None

    return one if len(slots) == 1 else two


def quantifier(range_: Run, slots: Sequence[int], body: Code, decides: bool) -> Run:
    """``all`` (False decides) and ``exists`` (True decides)."""
    condition = 3 if decides else 2
    rounds, each, test = _rounds(range_, slots), condition + 1 + body.cost, body.run

    def run(frame: Frame) -> Any:
        failure: CelError | None = None
        limit = frame.limit
        for _ in rounds(frame):
            frame.cost += each
            if frame.cost > limit:
                frame.charge(0)
            try:
                value = test(frame)
                if value is decides:
                    frame.cost += condition
                    return decides
                if type(value) is not bool:
                    failure = failure or no_such_overload()
            except CelCostError:
                raise
            except CelError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return not decides

    return run


def _tested(test: Code | None) -> Callable[[Frame], bool]:
    if test is None:
        return lambda frame: True
    run = test.run

    def passes(frame: Frame) -> bool:
        value = run(frame)
        if type(value) is not bool:
            raise no_such_overload()
        return value is True

    return passes


def exactly_one(range_: Run, slots: Sequence[int], body: Code) -> Run:
    """``exists_one``."""
    rounds, passes, each = _rounds(range_, slots), _tested(body), body.cost + 1

    def run(frame: Frame) -> bool:
        count = 0
        for _ in rounds(frame):
            frame.charge(each)
            if passes(frame):
                frame.cost += 1
                count += 1
        return count == 1

    return run


def listing(range_: Run, slots: Sequence[int], test: Code | None, result: Code) -> Run:
    """``map``, ``filter`` and ``transformList``."""
    rounds, passes = _rounds(range_, slots), _tested(test)
    tested, each, make = (test.cost if test else 0), result.cost + _LIST, result.run

    def run(frame: Frame) -> list[Value]:
        found: list[Value] = []
        for _ in rounds(frame):
            frame.charge(tested + _APPEND)
            if passes(frame):
                frame.charge(each + (len(found) + 10) // 10)
                found.append(make(frame))
        return found

    return run


def mapping(range_: Run, slots: Sequence[int], test: Code | None, result: Code, entries: bool) -> Run:
    """``transformMap`` and, with ``entries``, ``transformMapEntry``."""
    rounds, passes = _rounds(range_, slots), _tested(test)
    tested, each, make = (test.cost if test else 0), result.cost + 1, result.run

    def run(frame: Frame) -> dict[Any, Value]:
        found: dict[Any, Value] = {}
        for _ in rounds(frame):
            frame.charge(tested + _APPEND)
            if not passes(frame):
                continue
            frame.charge(each)
            made = make(frame)
            if not entries:
                found[key_of(frame.slots[slots[0]])] = made
                continue
            if not isinstance(made, Mapping):
                raise no_such_overload()
            for key in keys(made):
                if key_of(key) in found:
                    raise CelError(f"insert failed: key {show(key)} already exists")
                found[key_of(key)] = made[key_of(key)]
        return found

    return run


def ordering(range_: Run, slots: Sequence[int], key: Code) -> Run:
    """``sortBy``: equal keys keep their order."""
    rounds, each, find = _rounds(range_, slots), key.cost + 1 + _LIST, key.run

    def run(frame: Frame) -> list[Value]:
        found: list[tuple[Value, Value]] = []
        for _ in rounds(frame):
            frame.charge(each + (len(found) + 10) // 10)
            found.append((find(frame), frame.slots[slots[0]]))
        frame.charge(len(found))
        return [value for _, value in sorted(found, key=cmp_to_key(_by_key))]

    return run


def _by_key(left: tuple[Value, Value], right: tuple[Value, Value]) -> int:
    return compare(left[0], right[0]) or 0
