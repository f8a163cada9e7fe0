"""Runs a program of jq on a value: every node gives a stream of results.

Assignments and `del` work on *paths*: `paths` gives for a node the places it means, with the values there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NoReturn

from cluster_engine.linux.programs.jq.functions import FUNCTIONS, PRELUDE, formatted
from cluster_engine.linux.programs.jq.parse import Node, parse
from cluster_engine.linux.programs.jq.places import Path, at, index, put, removed
from cluster_engine.linux.programs.jq.values import Problem, combine, compare, kind, shown, truth

MAX_STEPS = 200_000
"""Nodes that one program may run."""
MAX_CALLS = 60
"""Functions inside one another."""


class TooMuch(Exception):
    """The program works for too long, or too deep."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Variables, and functions by name and number of arguments."""

    variables: Mapping[str, Any]
    functions: Mapping[tuple[str, int], tuple[tuple[str, ...], Node, Any]]
    depth: int = 0


def _defined(scope: Scope, name: str, names: tuple[str, ...], body: Node) -> Scope:
    functions = dict(scope.functions)
    inner = Scope(scope.variables, functions, scope.depth)
    functions[name, len(names)] = (names, body, inner)
    return replace(scope, functions=functions)


@lru_cache(maxsize=1)
def _prelude() -> Scope:
    scope, node = Scope({}, {}), parse(PRELUDE)
    while node[0] == "def":
        _, name, names, body, node = node
        scope = _defined(scope, name, names, body)
    return scope


def undefined(node: Node, known: frozenset[tuple[str, int]] | None = None) -> str | None:
    """The first function that a program calls and nobody defines, as `name/arguments`."""
    known = frozenset(_prelude().functions) if known is None else known
    if node[0] == "def":
        inner = known | {(node[1], len(node[2]))}
        parameters = {(name.removeprefix("$"), 0) for name in node[2]}
        return undefined(node[3], inner | parameters) or undefined(node[4], inner)
    if node[0] == "call":
        called = (node[1], len(node[2]))
        if not (called in known or called in FUNCTIONS or called in _SPECIAL):
            return f"{called[0]}/{called[1]}"
    return next((name for each in _inner(node[1:]) if (name := undefined(each, known)) is not None), None)


def _inner(parts: Any) -> Iterator[Node]:
    """The nodes directly in a node's parts."""
    for part in parts:
        if isinstance(part, tuple) and part and isinstance(part[0], str) and part[0] in _NODES:
            yield part
        elif isinstance(part, tuple):
            yield from _inner(part)


class Interpreter:
    """Runs programs; `tick` is told of the work."""

    def __init__(
        self, variables: Mapping[str, Any], inputs: Iterator[Any], tick: Callable[[int], None]
    ) -> None:
        self.steps = 0
        self._tick = tick
        self._inputs = inputs
        self._scope = replace(_prelude(), variables=dict(variables))

    def run(self, program: Node, value: Any) -> Iterator[Any]:
        """The results. Raises Problem, TooMuch."""
        for result, _ in self.paths(program, value, None, self._scope):
            yield result

    def _values(self, node: Node, value: Any, scope: Scope) -> Iterator[Any]:
        for result, _ in self.paths(node, value, None, scope):
            yield result

    def _count(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooMuch(f"the program did more than {MAX_STEPS:,} steps")
        if self.steps % 64 == 0:
            self._tick(64)

    def paths(
        self, node: Node, value: Any, path: Path | None, scope: Scope
    ) -> Iterator[tuple[Any, Path | None]]:
        """(result, its path) of a node; without a path to begin with, none is kept."""
        self._count()
        yield from _NODES[node[0]](self, node, value, path, scope)

    # --- places -----------------------------------------------------------------------------------

    def _identity(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield value, path

    def _index(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for base, where in self.paths(node[1], value, path, scope):
            for key in self._values(node[2], value, scope):
                yield index(base, key), None if where is None else [*where, key]

    def _slice(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for base, where in self.paths(node[1], value, path, scope):
            for start in self._values(node[2], value, scope) if node[2] else (None,):
                for end in self._values(node[3], value, scope) if node[3] else (None,):
                    key = {"start": start, "end": end}
                    yield index(base, key), None if where is None else [*where, key]

    def _each(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for base, where in self.paths(node[1], value, path, scope):
            if not isinstance(base, list | dict):
                raise Problem(
                    f"Cannot iterate over {kind(base)}" + (f" ({shown(base)})" if base is not None else "")
                )
            items = base.items() if isinstance(base, dict) else enumerate(base)
            for key, item in list(items):
                self._count()
                yield item, None if where is None else [*where, key]

    # --- flow -------------------------------------------------------------------------------------

    def _pipe(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for middle, where in self.paths(node[1], value, path, scope):
            yield from self.paths(node[2], middle, where, scope)

    def _comma(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield from self.paths(node[1], value, path, scope)
        yield from self.paths(node[2], value, path, scope)

    def _if(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for condition in self._values(node[1], value, scope):
            yield from self.paths(node[2] if truth(condition) else node[3], value, path, scope)

    def _try(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        try:
            yield from self.paths(node[1], value, path, scope)
        except Problem as problem:
            if node[2] is not None:
                yield from self.paths(node[2], problem.value, None, scope)

    def _alternative(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        found = False
        try:
            for result, where in self.paths(node[1], value, path, scope):
                if truth(result):
                    found = True
                    yield result, where
        except Problem:
            pass
        if not found:
            yield from self.paths(node[2], value, path, scope)

    def _as(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for bound in self._values(node[1], value, scope):
            inner = replace(scope, variables=self._bound(node[2], bound, scope))
            yield from self.paths(node[3], value, path, inner)

    def _bound(self, pattern: Node, value: Any, scope: Scope) -> dict[str, Any]:
        variables = dict(scope.variables)
        if pattern[0] == "variable":
            variables[pattern[1]] = value
        elif pattern[0] == "array":
            for number, item in enumerate(pattern[1]):
                variables |= self._bound(item, index(value, number), replace(scope, variables=variables))
        else:
            for key, item in pattern[1]:
                name = next(self._values(key, value, scope))
                variables |= self._bound(item, index(value, name), replace(scope, variables=variables))
        return variables

    def _reduce(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for state in self._values(node[3], value, scope):
            for item in self._values(node[1], value, scope):
                inner = replace(scope, variables=self._bound(node[2], item, scope))
                state = next(iter(deque(self._values(node[4], state, inner), maxlen=1)), None)
            yield state, None

    def _foreach(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for state in self._values(node[3], value, scope):
            for item in self._values(node[1], value, scope):
                inner = replace(scope, variables=self._bound(node[2], item, scope))
                for fresh in self._values(node[4], state, inner):
                    state = fresh
                    for result in self._values(node[5], fresh, inner) if len(node) > 5 else (fresh,):
                        yield result, None

    def _def(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield from self.paths(node[4], value, path, _defined(scope, node[1], node[2], node[3]))

    # --- values -----------------------------------------------------------------------------------

    def _literal(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield node[1], None

    def _variable(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        if node[1] not in scope.variables:
            raise Problem(f"{node[1]} is not defined")
        yield scope.variables[node[1]], None

    def _collect(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield list(self._values(node[1], value, scope)), None

    def _object(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        results: list[dict[str, Any]] = [{}]
        for key, item in node[1]:
            fresh: list[dict[str, Any]] = []
            for name in self._values(key, value, scope):
                if not isinstance(name, str):
                    raise Problem(f"Object keys must be strings, not {kind(name)} ({shown(name)})")
                for each in self._values(item, value, scope):
                    fresh += [{**before, name: each} for before in results]
                    if len(fresh) > MAX_STEPS:
                        raise TooMuch("too many objects")
            results = fresh
        for result in results:
            yield result, None

    def _template(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        results = [""]
        for number, part in enumerate(node[2]):
            if number % 2 == 0:
                results = [before + part for before in results]
            else:
                shown_as = [formatted(node[1], each) for each in self._values(part, value, scope)]
                results = [before + each for each in shown_as for before in results]
        for result in results:
            yield result, None

    def _format(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield formatted(node[1], value), None

    def _negative(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for result in self._values(node[1], value, scope):
            if kind(result) != "number":
                raise Problem(f"{kind(result)} ({shown(result)}) cannot be negated")
            yield -result, None

    def _binary(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        operator = node[1]
        for right in self._values(node[3], value, scope):
            for left in self._values(node[2], value, scope):
                if operator in _ORDERS:
                    yield _ORDERS[operator](compare(left, right)), None
                else:
                    yield combine(operator, left, right), None

    def _and(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for left in self._values(node[1], value, scope):
            if not truth(left):
                yield False, None
                continue
            for right in self._values(node[2], value, scope):
                yield truth(right), None

    def _or(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for left in self._values(node[1], value, scope):
            if truth(left):
                yield True, None
                continue
            for right in self._values(node[2], value, scope):
                yield truth(right), None

    # --- assignments ------------------------------------------------------------------------------

    def _places(self, node: Node, value: Any, scope: Scope) -> list[Path]:
        places = []
        for _, path in self.paths(node, value, [], scope):
            if path is None:
                raise Problem("Invalid path expression")
            places.append(path)
        return places

    def _assign(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        _, operator, left, right = node
        if operator == "|=":
            result = value
            for place in self._places(left, value, scope):
                fresh = next(self._values(right, at(result, place), scope), _NOTHING)
                result = removed(result, [place]) if fresh is _NOTHING else put(result, place, fresh)
            yield result, None
            return
        for given in self._values(right, value, scope):
            result = value
            for place in self._places(left, value, scope):
                old = at(result, place)
                if operator == "=":
                    fresh = given
                elif operator == "//=":
                    fresh = old if truth(old) else given
                else:
                    fresh = combine(operator[0], old, given)
                result = put(result, place, fresh)
            yield result, None

    # --- functions --------------------------------------------------------------------------------

    def _call(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        _, name, arguments = node
        if scope.depth > MAX_CALLS:
            raise TooMuch(f"functions more than {MAX_CALLS} deep")
        defined = scope.functions.get((name, len(arguments)))
        if defined is not None:
            yield from self._apply(defined, arguments, value, path, scope)
            return
        special = _SPECIAL.get((name, len(arguments)))
        if special is not None:
            yield from special(self, arguments, value, path, scope)
            return
        function = FUNCTIONS.get((name, len(arguments)))
        if function is None:
            raise Problem(f"{name}/{len(arguments)} is not defined")
        for given in self._products(arguments, value, scope):
            try:
                result = function(value, *given)
            except (TypeError, ValueError, OverflowError, AttributeError):
                shapes = ", ".join(kind(each) for each in (value, *given))
                raise Problem(f"{name}/{len(arguments)} cannot work with {shapes}") from None
            yield result, None

    def _products(self, arguments: tuple[Node, ...], value: Any, scope: Scope) -> Iterator[list[Any]]:
        if not arguments:
            yield []
            return
        for last in self._values(arguments[-1], value, scope):
            for before in self._products(arguments[:-1], value, scope):
                yield [*before, last]

    def _apply(
        self, defined: Any, arguments: tuple[Node, ...], value: Any, path: Path | None, scope: Scope
    ) -> Iterator[Any]:
        names, body, home = defined
        functions = dict(home.functions)
        variables = dict(home.variables)
        bindings: list[tuple[str, Node]] = []
        for name, argument in zip(names, arguments, strict=True):
            plain = name.removeprefix("$")
            functions[plain, 0] = ((), ("closed", argument, scope), home)
            if name.startswith("$"):
                bindings.append((name, argument))
        inner = Scope(variables, functions, scope.depth + 1)
        for values in self._products(tuple(argument for _, argument in bindings), value, scope):
            bound = {**variables, **{name: each for (name, _), each in zip(bindings, values, strict=True)}}
            yield from self.paths(body, value, path, replace(inner, variables=bound))

    def _closed(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        """An argument: it runs where it was written."""
        yield from self.paths(node[1], value, path, replace(node[2], depth=scope.depth))

    def _do_empty_0(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield from ()

    def _do_error_0(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield self._failed(value), None

    def _do_error_1(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield self._failed(next(self._values(arguments[0], value, scope), None)), None

    @staticmethod
    def _failed(value: Any) -> NoReturn:
        raise Problem(value)

    def _do_select_1(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for condition in self._values(arguments[0], value, scope):
            if truth(condition):
                yield value, path

    def _do_recurse_0(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        self._count()
        yield value, path
        if isinstance(value, list | dict):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                yield from self._do_recurse_0((), item, None if path is None else [*path, key], scope)

    def _do_getpath_1(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for place in self._values(arguments[0], value, scope):
            yield at(value, place), None if path is None else [*path, *place]

    def _do_path_1(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for place in self._places(arguments[0], value, scope):
            yield place, None

    def _do_paths_0(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for _, place in self._do_recurse_0((), value, [], scope):
            if place:
                yield place, None

    def _do_del_1(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield removed(value, self._places(arguments[0], value, scope)), None

    def _do_limit_2(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for count in self._values(arguments[0], value, scope):
            if kind(count) != "number":
                raise Problem("Invalid arguments to limit")
            for _, result in zip(
                range(int(count)), self.paths(arguments[1], value, path, scope), strict=False
            ):
                yield result

    def _do_first_1(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for result in self.paths(arguments[0], value, path, scope):
            yield result
            return

    def _do_range_1(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield from self._range(("literal", 0), arguments[0], ("literal", 1), value, scope)

    def _do_range_2(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield from self._range(arguments[0], arguments[1], ("literal", 1), value, scope)

    def _do_range_3(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield from self._range(arguments[0], arguments[1], arguments[2], value, scope)

    def _range(self, start: Node, end: Node, by: Node, value: Any, scope: Scope) -> Iterator[Any]:
        for first, last, step in self._products((start, end, by), value, scope):
            if not all(kind(each) == "number" for each in (first, last, step)):
                raise Problem("Range bounds must be numeric")
            while step and (first < last if step > 0 else first > last):
                self._count()
                yield first, None
                first += step

    def _do_input_0(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        try:
            yield next(self._inputs), None
        except StopIteration:
            raise Problem("No more inputs") from None

    def _do_inputs_0(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for each in self._inputs:
            yield each, None

    def _keyed(self, argument: Node, value: Any, scope: Scope) -> list[tuple[Any, Any]]:
        if not isinstance(value, list):
            raise Problem(f"{kind(value)} ({shown(value)}) cannot be sorted, as it is not an array")
        return [(list(self._values(argument, item, scope)), item) for item in value]

    def _do_sort_by_1(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield FUNCTIONS["_sorted", 1](None, self._keyed(arguments[0], value, scope)), None

    def _do_group_by_1(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield FUNCTIONS["_grouped", 1](None, self._keyed(arguments[0], value, scope)), None

    def _do_min_by_1(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        found = FUNCTIONS["_sorted", 1](None, self._keyed(arguments[0], value, scope))
        yield found[0] if found else None, None

    def _do_max_by_1(self, arguments: Any, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        found = FUNCTIONS["_sorted", 1](None, self._keyed(arguments[0], value, scope))
        yield found[-1] if found else None, None


_Step = Callable[[Interpreter, Any, Any, "Path | None", Scope], Iterator[Any]]
_NODES: dict[str, _Step] = {
    "identity": Interpreter._identity,
    "index": Interpreter._index,
    "slice": Interpreter._slice,
    "each": Interpreter._each,
    "pipe": Interpreter._pipe,
    "comma": Interpreter._comma,
    "if": Interpreter._if,
    "try": Interpreter._try,
    "alternative": Interpreter._alternative,
    "as": Interpreter._as,
    "reduce": Interpreter._reduce,
    "foreach": Interpreter._foreach,
    "def": Interpreter._def,
    "literal": Interpreter._literal,
    "variable": Interpreter._variable,
    "collect": Interpreter._collect,
    "object": Interpreter._object,
    "template": Interpreter._template,
    "format": Interpreter._format,
    "negative": Interpreter._negative,
    "binary": Interpreter._binary,
    "and": Interpreter._and,
    "or": Interpreter._or,
    "assign": Interpreter._assign,
    "call": Interpreter._call,
    "closed": Interpreter._closed,
}
"""Kind of node -> what runs it."""
_SPECIAL: dict[tuple[str, int], _Step] = {
    ("empty", 0): Interpreter._do_empty_0,
    ("error", 0): Interpreter._do_error_0,
    ("error", 1): Interpreter._do_error_1,
    ("select", 1): Interpreter._do_select_1,
    ("recurse", 0): Interpreter._do_recurse_0,
    ("getpath", 1): Interpreter._do_getpath_1,
    ("path", 1): Interpreter._do_path_1,
    ("paths", 0): Interpreter._do_paths_0,
    ("del", 1): Interpreter._do_del_1,
    ("limit", 2): Interpreter._do_limit_2,
    ("first", 1): Interpreter._do_first_1,
    ("range", 1): Interpreter._do_range_1,
    ("range", 2): Interpreter._do_range_2,
    ("range", 3): Interpreter._do_range_3,
    ("input", 0): Interpreter._do_input_0,
    ("inputs", 0): Interpreter._do_inputs_0,
    ("sort_by", 1): Interpreter._do_sort_by_1,
    ("group_by", 1): Interpreter._do_group_by_1,
    ("min_by", 1): Interpreter._do_min_by_1,
    ("max_by", 1): Interpreter._do_max_by_1,
}
"""Functions that run their arguments themselves, by name and number of arguments."""

_NOTHING = object()
_ORDERS: dict[str, Callable[[int], bool]] = {
    "==": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}
