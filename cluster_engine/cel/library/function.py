"""What a function of the language is: a name and its overloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from cluster_engine.cel import types
from cluster_engine.cel.types import Type
from cluster_engine.cel.values import Opaque, TypeValue, Uint, size

STRING_FACTOR = 0.1
"""Cost of looking at one character (cel-go's StringTraversalCostFactor)."""

REGEX_FACTOR = 0.25
"""Cost of one character of a regular expression (RegexStringLengthCostFactor)."""

Cost = int | Callable[..., int]
"""What a call costs: a number, or found out of the arguments before it is made."""


class Overload(NamedTuple):
    """One form of a function.

    ``form`` is its signature as error texts have it, and the result: ``string.(int) -> string`` for a member.
    ``after`` is what the result costs on top. What compares whole values is ``metered``: it gets who counts them.
    """

    id: str
    form: str
    run: Callable[..., Any]
    cost: Cost = 1
    after: Callable[[Any], int] | None = None
    metered: bool = False


class Function:
    """A function with its overloads. ``named`` error texts say which function was not found for which types."""

    def __init__(self, name: str, *overloads: Overload, named: bool = True) -> None:
        self.name = name
        self.overloads = overloads
        self.named = named

    @cached_property
    def signatures(self) -> tuple[Signature, ...]:
        return tuple(_signature(overload) for overload in self.overloads)


class Signature(NamedTuple):
    """An overload as the checker and the evaluator see it."""

    overload: Overload
    member: bool
    arguments: tuple[Type, ...]
    result: Type

    def accepts(self, classes: tuple[type, ...]) -> bool:
        """Whether values of these classes may be the arguments."""
        return all(_accepts(kind, found) for kind, found in zip(self.arguments, classes, strict=True))


def _signature(overload: Overload) -> Signature:
    form, _, result = overload.form.partition(" -> ")
    target, dot, arguments = form.partition(".(")
    if not dot:
        target, arguments = "", form[1:]
    parts = types.split(arguments[:-1])
    kinds = tuple(types.read(part) for part in ([target, *parts] if target else parts))
    return Signature(overload, bool(target), kinds, types.read(result))


_CLASSES: Mapping[str, type] = {
    "null": type(None),
    "bool": bool,
    "int": int,
    "uint": Uint,
    "double": float,
    "string": str,
    "bytes": bytes,
    "type": TypeValue,
}
_OPAQUE_NAMES = {"timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}


def _accepts(kind: Type, found: type) -> bool:
    if kind.variable or kind.name == "dyn":
        return True
    exact = _CLASSES.get(kind.name)
    if exact is not None:
        return found is exact
    if kind.name == "list":
        return issubclass(found, (list, tuple))
    if kind.name == "map":
        return issubclass(found, Mapping)
    return issubclass(found, Opaque) and found.type_name == _OPAQUE_NAMES.get(kind.name, kind.name)


def traversal(length: float) -> int:
    """The cost of looking at that many characters: a tenth each, rounded up."""
    return -int(-length * STRING_FACTOR // 1)


def of_result(result: Any) -> int:
    """The cost of making a text and looking at it."""
    return traversal(2 * size(result))


def of_first(*args: Any) -> int:
    """The cost of looking through the first argument."""
    return traversal(size(args[0]))
