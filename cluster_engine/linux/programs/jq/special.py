"""jq's functions that run their arguments themselves, in a literal table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Protocol

from cluster_engine.linux.programs.jq.functions import FUNCTIONS
from cluster_engine.linux.programs.jq.parse import Node
from cluster_engine.linux.programs.jq.places import Path, at, removed
from cluster_engine.linux.programs.jq.values import Problem, kind, shown, truth


class Jq(Protocol):
    """What a function needs of the running program; a ``scope`` is only handed on."""

    inputs: Iterator[Any]

    def paths(
        self, node: Node, value: Any, path: Path | None, scope: Any
    ) -> Iterator[tuple[Any, Path | None]]: ...

    def values(self, node: Node, value: Any, scope: Any) -> Iterator[Any]: ...

    def places(self, node: Node, value: Any, scope: Any) -> list[Path]: ...

    def products(self, arguments: tuple[Node, ...], value: Any, scope: Any) -> Iterator[list[Any]]: ...

    def count(self) -> None: ...


def _empty(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    yield from ()


def _error_0(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    yield _failed(value), None


def _error_1(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    yield _failed(next(jq.values(arguments[0], value, scope), None)), None


def _failed(value: Any) -> NoReturn:
    raise Problem(value)


def _select(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    for condition in jq.values(arguments[0], value, scope):
        if truth(condition):
            yield value, path


def _recurse(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    jq.count()
    yield value, path
    if isinstance(value, list | dict):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _recurse(jq, (), item, None if path is None else [*path, key], scope)


def _getpath(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    for place in jq.values(arguments[0], value, scope):
        yield at(value, place), None if path is None else [*path, *place]


def _path(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    for place in jq.places(arguments[0], value, scope):
        yield place, None


def _paths(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    for _, place in _recurse(jq, (), value, [], scope):
        if place:
            yield place, None


def _del(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    yield removed(value, jq.places(arguments[0], value, scope)), None


def _limit(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    for count in jq.values(arguments[0], value, scope):
        if kind(count) != "number":
            raise Problem("Invalid arguments to limit")
        for _, result in zip(range(int(count)), jq.paths(arguments[1], value, path, scope), strict=False):
            yield result


def _first(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    for result in jq.paths(arguments[0], value, path, scope):
        yield result
        return


def _range_1(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    yield from _range(jq, ("literal", 0), arguments[0], ("literal", 1), value, scope)


def _range_2(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    yield from _range(jq, arguments[0], arguments[1], ("literal", 1), value, scope)


def _range_3(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    yield from _range(jq, arguments[0], arguments[1], arguments[2], value, scope)


def _range(jq: Jq, start: Node, end: Node, by: Node, value: Any, scope: Any) -> Iterator[Any]:
    for first, last, step in jq.products((start, end, by), value, scope):
        if not all(kind(each) == "number" for each in (first, last, step)):
            raise Problem("Range bounds must be numeric")
        while step and (first < last if step > 0 else first > last):
            jq.count()
            yield first, None
            first += step


def _input(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    try:
        yield next(jq.inputs), None
    except StopIteration:
        raise Problem("No more inputs") from None


def _inputs(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    for each in jq.inputs:
        yield each, None


def _keyed(jq: Jq, argument: Node, value: Any, scope: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, list):
        raise Problem(f"{kind(value)} ({shown(value)}) cannot be sorted, as it is not an array")
    return [(list(jq.values(argument, item, scope)), item) for item in value]


def _sort_by(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    yield FUNCTIONS["_sorted", 1](None, _keyed(jq, arguments[0], value, scope)), None


def _group_by(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    yield FUNCTIONS["_grouped", 1](None, _keyed(jq, arguments[0], value, scope)), None


def _min_by(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    found = FUNCTIONS["_sorted", 1](None, _keyed(jq, arguments[0], value, scope))
    yield found[0] if found else None, None


def _max_by(jq: Jq, arguments: Any, value: Any, path: Path | None, scope: Any) -> Iterator[Any]:
    found = FUNCTIONS["_sorted", 1](None, _keyed(jq, arguments[0], value, scope))
    yield found[-1] if found else None, None


Step = Callable[[Jq, Any, Any, "Path | None", Any], Iterator[Any]]
SPECIAL: dict[tuple[str, int], Step] = {
    ("empty", 0): _empty,
    ("error", 0): _error_0,
    ("error", 1): _error_1,
    ("select", 1): _select,
    ("recurse", 0): _recurse,
    ("getpath", 1): _getpath,
    ("path", 1): _path,
    ("paths", 0): _paths,
    ("del", 1): _del,
    ("limit", 2): _limit,
    ("first", 1): _first,
    ("range", 1): _range_1,
    ("range", 2): _range_2,
    ("range", 3): _range_3,
    ("input", 0): _input,
    ("inputs", 0): _inputs,
    ("sort_by", 1): _sort_by,
    ("group_by", 1): _group_by,
    ("min_by", 1): _min_by,
    ("max_by", 1): _max_by,
}
"""Functions that run their arguments themselves, by name and number of arguments."""
