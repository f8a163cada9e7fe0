"""The syntax tree of an expression. ``at`` is the place of a node: code points from the start of the source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Node:
    """Any node; nodes are compared and remembered by identity."""

    at: int


@dataclass(slots=True, eq=False)
class Literal(Node):
    """null, bool, int, uint, double, string or bytes, as the value that it stands for."""

    value: Any


@dataclass(slots=True, eq=False)
class Ident(Node):
    """A name; ``.name`` keeps its dot."""

    name: str


@dataclass(slots=True, eq=False)
class Select(Node):
    """``operand.field``, or ``has(operand.field)`` when it tests only."""

    operand: Node
    field: str
    test: bool = False


@dataclass(slots=True, eq=False)
class Call(Node):
    """A function or an operator; ``target`` is what stands before the dot."""

    function: str
    target: Node | None
    args: list[Node]


@dataclass(slots=True, eq=False)
class ListLiteral(Node):
    """``[a, ?b]``; ``optional`` holds the places of what has a question mark."""

    elements: list[Node]
    optional: frozenset[int] = frozenset()


@dataclass(slots=True, eq=False)
class Entry(Node):
    """``key: value`` of a map or, with a field's name as key, of a message."""

    key: Any
    value: Node
    optional: bool = False


@dataclass(slots=True, eq=False)
class MapLiteral(Node):
    """``{key: value}``."""

    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Message(Node):
    """``name{field: value}``."""

    name: str
    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Comprehension(Node):
    """A macro over a list or a map: ``kind`` is its name, ``parts`` its expressions (filter and result)."""

    kind: str
    range: Node
    names: tuple[str, ...]
    parts: list[Node]


@dataclass(slots=True, eq=False)
class Bind(Node):
    """``optMap`` and ``optFlatMap``: ``body`` with ``name`` bound to what ``value`` holds."""

    kind: str
    name: str
    value: Node
    body: Node
