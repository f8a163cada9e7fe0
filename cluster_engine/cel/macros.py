"""Macros: calls that stand for loops, tests and bindings. The table MACROS has one line for each.

Models parser/macro.go, cel/library.go (optMap) and ext/comprehensions.go of cel-go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cluster_engine.cel.errors import Issue
from cluster_engine.cel.syntax import Bind, Comprehension, Ident, Node, Select


class MacroError(Exception):
    """A macro whose arguments do not fit."""

    def __init__(self, at: int, message: str) -> None:
        self.issue = Issue(at, message)
        super().__init__(message)


class Macro(NamedTuple):
    """``build`` makes the node from the place, the target and the arguments."""

    name: str
    arguments: int
    member: bool
    build: Callable[[int, Node | None, list[Node]], Node]


def expand(at: int, name: str, target: Node | None, args: list[Node]) -> Node | None:
    """The node that a call stands for, None when it is no macro. Raises MacroError."""
    macro = _BY_SHAPE.get((name, len(args), target is not None))
    return macro.build(at, target, args) if macro else None


def _name(node: Node) -> str:
    if not isinstance(node, Ident) or node.name.startswith("."):
        raise MacroError(node.at, "argument must be a simple name")
    return node.name


def _has(at: int, target: Node | None, args: list[Node]) -> Node:
    field = args[0]
    if isinstance(field, Select) and not field.test:
        return Select(at, field.operand, field.field, test=True)
    raise MacroError(field.at, "invalid argument to has() macro")


def _loop(kind: str, variables: int) -> Callable[[int, Node | None, list[Node]], Node]:
    def build(at: int, target: Node | None, args: list[Node]) -> Node:
        assert target is not None
        names = tuple(_name(arg) for arg in args[:variables])
        if len(set(names)) < len(names):
            raise MacroError(args[1].at, f"duplicate variable name: {names[0]}")
        return Comprehension(at, kind, target, names, args[variables:])

    return build


def _bind(kind: str) -> Callable[[int, Node | None, list[Node]], Node]:
    def build(at: int, target: Node | None, args: list[Node]) -> Node:
        assert target is not None
        if not isinstance(args[0], Ident):
            raise MacroError(args[0].at, f"{kind}() variable name must be a simple identifier")
        return Bind(at, kind, args[0].name, target, args[1])

    return build


MACROS = (
    Macro("has", 1, False, _has),
    Macro("all", 2, True, _loop("all", 1)),
    Macro("all", 3, True, _loop("all", 2)),
    Macro("exists", 2, True, _loop("exists", 1)),
    Macro("exists", 3, True, _loop("exists", 2)),
    Macro("exists_one", 2, True, _loop("exists_one", 1)),
    Macro("existsOne", 2, True, _loop("exists_one", 1)),
    Macro("existsOne", 3, True, _loop("exists_one", 2)),
    Macro("map", 2, True, _loop("map", 1)),
    Macro("map", 3, True, _loop("map", 1)),
    Macro("filter", 2, True, _loop("filter", 1)),
    Macro("transformList", 3, True, _loop("map", 2)),
    Macro("transformList", 4, True, _loop("map", 2)),
    Macro("transformMap", 3, True, _loop("transformMap", 2)),
    Macro("transformMap", 4, True, _loop("transformMap", 2)),
    Macro("transformMapEntry", 3, True, _loop("transformMapEntry", 2)),
    Macro("transformMapEntry", 4, True, _loop("transformMapEntry", 2)),
    Macro("sortBy", 2, True, _loop("sortBy", 1)),
    Macro("optMap", 2, True, _bind("optMap")),
    Macro("optFlatMap", 2, True, _bind("optFlatMap")),
)
"""Every macro; ``Call`` of a name that is here with other numbers of arguments stays a call."""

_BY_SHAPE = {(macro.name, macro.arguments, macro.member): macro for macro in MACROS}
