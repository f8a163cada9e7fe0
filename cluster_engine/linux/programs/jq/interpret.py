"""Runs a program of jq on a value: every node gives a stream of results.

Assignments and `del` work on *paths*: `paths` gives for a node the places it means, with the values there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cluster_engine.linux.programs.jq.functions import FUNCTIONS, PRELUDE, formatted
from cluster_engine.linux.programs.jq.parse import Node, parse
from cluster_engine.linux.programs.jq.places import Path, at, index, put, removed
from cluster_engine.linux.programs.jq.special import SPECIAL
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
        if not (called in known or called in FUNCTIONS or called in SPECIAL):
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
        self.inputs = inputs
        self._scope = replace(_prelude(), variables=dict(variables))

    def run(self, program: Node, value: Any) -> Iterator[Any]:
        """The results. Raises Problem, TooMuch."""
        for result, _ in self.paths(program, value, None, self._scope):
            yield result

    def values(self, node: Node, value: Any, scope: Scope) -> Iterator[Any]:
        """The results of a node."""
        for result, _ in self.paths(node, value, None, scope):
            yield result

    def count(self) -> None:
        """One step more. Raises TooMuch."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooMuch(f"the program did more than {MAX_STEPS:,} steps")
        if self.steps % 64 == 0:
            self._tick(64)

    def paths(
        self, node: Node, value: Any, path: Path | None, scope: Scope
    ) -> Iterator[tuple[Any, Path | None]]:
        """(result, its path) of a node; without a path to begin with, none is kept."""
        self.count()
        yield from _NODES[node[0]](self, node, value, path, scope)

    # --- places -----------------------------------------------------------------------------------

    def _identity(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield value, path

    def _index(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for base, where in self.paths(node[1], value, path, scope):
            for key in self.values(node[2], value, scope):
                yield index(base, key), None if where is None else [*where, key]

    def _slice(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for base, where in self.paths(node[1], value, path, scope):
            for start in self.values(node[2], value, scope) if node[2] else (None,):
                for end in self.values(node[3], value, scope) if node[3] else (None,):
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
                self.count()
                yield item, None if where is None else [*where, key]

    # --- flow -------------------------------------------------------------------------------------

    def _pipe(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for middle, where in self.paths(node[1], value, path, scope):
            yield from self.paths(node[2], middle, where, scope)

    def _comma(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield from self.paths(node[1], value, path, scope)
        yield from self.paths(node[2], value, path, scope)

    def _if(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for condition in self.values(node[1], value, scope):
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
        for bound in self.values(node[1], value, scope):
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
                name = next(self.values(key, value, scope))
                variables |= self._bound(item, index(value, name), replace(scope, variables=variables))
        return variables

    def _reduce(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for state in self.values(node[3], value, scope):
            for item in self.values(node[1], value, scope):
                inner = replace(scope, variables=self._bound(node[2], item, scope))
                state = next(iter(deque(self.values(node[4], state, inner), maxlen=1)), None)
            yield state, None

    def _foreach(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for state in self.values(node[3], value, scope):
            for item in self.values(node[1], value, scope):
                inner = replace(scope, variables=self._bound(node[2], item, scope))
                for fresh in self.values(node[4], state, inner):
                    state = fresh
                    for result in self.values(node[5], fresh, inner) if len(node) > 5 else (fresh,):
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
        yield list(self.values(node[1], value, scope)), None

    def _object(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        results: list[dict[str, Any]] = [{}]
        for key, item in node[1]:
            fresh: list[dict[str, Any]] = []
            for name in self.values(key, value, scope):
                if not isinstance(name, str):
                    raise Problem(f"Object keys must be strings, not {kind(name)} ({shown(name)})")
                for each in self.values(item, value, scope):
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
                shown_as = [formatted(node[1], each) for each in self.values(part, value, scope)]
                results = [before + each for each in shown_as for before in results]
        for result in results:
            yield result, None

    def _format(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        yield formatted(node[1], value), None

    def _negative(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for result in self.values(node[1], value, scope):
            if kind(result) != "number":
                raise Problem(f"{kind(result)} ({shown(result)}) cannot be negated")
            yield -result, None

    def _binary(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        operator = node[1]
        for right in self.values(node[3], value, scope):
            for left in self.values(node[2], value, scope):
                if operator in _ORDERS:
                    yield _ORDERS[operator](compare(left, right)), None
                else:
                    yield combine(operator, left, right), None

    def _and(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for left in self.values(node[1], value, scope):
            if not truth(left):
                yield False, None
                continue
            for right in self.values(node[2], value, scope):
                yield truth(right), None

    def _or(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        for left in self.values(node[1], value, scope):
            if truth(left):
                yield True, None
                continue
            for right in self.values(node[2], value, scope):
                yield truth(right), None

    # --- assignments ------------------------------------------------------------------------------

    def places(self, node: Node, value: Any, scope: Scope) -> list[Path]:
        """The places that a node means. Raises Problem."""
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
            for place in self.places(left, value, scope):
                fresh = next(self.values(right, at(result, place), scope), _NOTHING)
                result = removed(result, [place]) if fresh is _NOTHING else put(result, place, fresh)
            yield result, None
            return
        for given in self.values(right, value, scope):
            result = value
            for place in self.places(left, value, scope):
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
        special = SPECIAL.get((name, len(arguments)))
        if special is not None:
            yield from special(self, arguments, value, path, scope)
            return
        function = FUNCTIONS.get((name, len(arguments)))
        if function is None:
            raise Problem(f"{name}/{len(arguments)} is not defined")
        for given in self.products(arguments, value, scope):
            try:
                result = function(value, *given)
            except (TypeError, ValueError, OverflowError, AttributeError):
                shapes = ", ".join(kind(each) for each in (value, *given))
                raise Problem(f"{name}/{len(arguments)} cannot work with {shapes}") from None
            yield result, None

    def products(self, arguments: tuple[Node, ...], value: Any, scope: Scope) -> Iterator[list[Any]]:
        """Every combination of the results of some nodes, the last one's outermost."""
        if not arguments:
            yield []
            return
        for last in self.values(arguments[-1], value, scope):
            for before in self.products(arguments[:-1], value, scope):
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
        for values in self.products(tuple(argument for _, argument in bindings), value, scope):
            bound = {**variables, **{name: each for (name, _), each in zip(bindings, values, strict=True)}}
            yield from self.paths(body, value, path, replace(inner, variables=bound))

    def _closed(self, node: Node, value: Any, path: Path | None, scope: Scope) -> Iterator[Any]:
        """An argument: it runs where it was written."""
        yield from self.paths(node[1], value, path, replace(node[2], depth=scope.depth))


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
_NOTHING = object()
_ORDERS: dict[str, Callable[[int], bool]] = {
    "==": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}
