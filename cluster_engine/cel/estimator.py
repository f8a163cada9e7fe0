"""What an expression may cost at most, from the sizes that the schema of its variables allows.

Models checker/cost.go of cel-go and k8s.io/apiserver/pkg/cel/library/cost.go (EstimateCallCost).
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.cel.checker import Checked
from cluster_engine.cel.library.authorizer import CHECK_COST
from cluster_engine.cel.syntax import (
    Bind,
    Call,
    Comprehension,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Message,
    Node,
    Select,
)
from cluster_engine.cel.types import Type

RULE_LIMIT = 10_000_000
"""What one rule may cost at most (StaticEstimatedCostLimit)."""

SCHEMA_LIMIT = 100_000_000
"""What all rules of a schema may cost together (StaticEstimatedCRDCostLimit)."""

UNKNOWN = 2**64 - 1
"""The size of what has no limit, and the most that any cost can be."""

_SCALARS = frozenset(("bool", "int", "uint", "double", "null", "timestamp", "duration", "type"))
_LOOP = {
    "all": (0, 3, 1),
    "exists": (0, 4, 1),
    "exists_one": (0, 2, 2),
    "map": (10, 12, 1),
    "filter": (10, 13, 1),
    "sortBy": (10, 12, 2),
    "transformMap": (30, 2, 1),
    "transformMapEntry": (30, 2, 1),
}
"""What the expansion of a macro costs beside its expressions: to begin, each round, in the end."""


def most(checked: Checked) -> int:
    """The highest cost of an expression."""
    return _Estimator(checked).cost(checked.tree)


def times(left: int, right: int) -> int:
    """The product, at most UNKNOWN."""
    return min(left * right, UNKNOWN)


def _tenth(size: int) -> int:
    return UNKNOWN if size >= UNKNOWN else -(-size // 10)


def _quarter(size: int) -> int:
    return UNKNOWN if size >= UNKNOWN else -(-size // 4)


def _plus(*costs: int) -> int:
    return min(sum(costs), UNKNOWN)


class _Estimator:
    def __init__(self, checked: Checked) -> None:
        self.types = checked.types
        self.sizes: dict[Node, int] = {}

    def type(self, node: Node) -> Type:
        return self.types[node]

    def size(self, node: Node) -> int:
        """The most elements or characters of a value."""
        if node in self.sizes:
            return self.sizes[node]
        if isinstance(node, Literal):
            return len(node.value) if isinstance(node.value, (str, bytes)) else 1
        if isinstance(node, ListLiteral):
            return len(node.elements)
        if isinstance(node, MapLiteral):
            return len(node.entries)
        kind = self.type(node)
        looked_up = isinstance(node, (Ident, Select)) or (isinstance(node, Call) and node.function == "_[_]")
        if looked_up and kind.most is not None:
            return kind.most
        return 1 if kind.name in _SCALARS else UNKNOWN

    def cost(self, node: Node) -> int:
        match node:
            case Ident():
                return 1
            case Select():
                below = self.cost(node.operand)
                kind = self.type(node.operand)
                counted = kind.name == "map" or kind.fields is not None
                return below if node.test else _plus(below, 1 if counted else 0)
            case Call():
                return self.call(node)
            case ListLiteral():
                return _plus(10, *map(self.cost, node.elements))
            case MapLiteral():
                return _plus(30, *(self.cost(part) for e in node.entries for part in (e.key, e.value)))
            case Message():
                return _plus(40, *(self.cost(entry.value) for entry in node.entries))
            case Comprehension():
                return self.loop(node)
            case Bind():
                return _plus(2, self.cost(node.value), self.cost(node.body))
        return 0

    def loop(self, node: Comprehension) -> int:
        begin, each, end = _LOOP[node.kind]
        whole = self.cost(node.range)
        rounds = self.size(node.range)
        inner = _plus(each, *map(self.cost, node.parts))
        if node.kind in ("map", "filter", "sortBy", "transformMap", "transformMapEntry"):
            self.sizes[node] = rounds
        return _plus(whole, begin, times(rounds, inner), end)

    def call(self, node: Call) -> int:
        args = ([node.target] if node.target is not None else []) + node.args
        costs = [self.cost(arg) for arg in args]
        if node.function == "_?_:_":
            self.sizes[node] = max(self.size(args[1]), self.size(args[2]))
            return _plus(costs[0], max(costs[1], costs[2]))
        if node.function in ("_&&_", "_||_"):
            return _plus(*costs)
        return _plus(self.own(node, args), *costs)

    def own(self, node: Call, args: Sequence[Node]) -> int:
        """What a call costs beside its arguments; notes the size of its result."""
        name, sizes = node.function, [self.size(arg) for arg in args]
        match name:
            case "_==_" | "_!=_":
                return _tenth(min(sizes))
            case "_<_" | "_<=_" | "_>_" | "_>=_":
                texts = self.type(args[0]).name in ("string", "bytes", "dyn")
                return _tenth(min(sizes)) if texts else 1
            case "_+_":
                return self.sum(node, args, sizes)
            case "@in":
                return 1 if self.type(args[1]).name == "map" else sizes[1]
            case "startsWith" | "endsWith":
                return _tenth(sizes[1])
            case "matches" | "find" | "findAll":
                self.sizes[node] = sizes[0]
                return times(_tenth(_plus(sizes[0], 1)), _quarter(sizes[1]))
            case "contains":
                return times(_tenth(sizes[0]), _tenth(sizes[1]))
            case "bytes":
                self.sizes[node] = times(sizes[0], 4)
                return _tenth(sizes[0])
            case "string":
                self.sizes[node] = sizes[0] if self.type(args[0]).name in ("string", "bytes") else UNKNOWN
                return _tenth(sizes[0]) if self.type(args[0]).name == "bytes" else 1
            case "check":
                return CHECK_COST
            case "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf":
                return self.traversal(args[0], sizes[0])
            case "lowerAscii" | "upperAscii" | "substring" | "trim":
                self.sizes[node] = sizes[0]
                return _tenth(sizes[0])
            case "replace":
                self.sizes[node] = _replaced(sizes[0], sizes[1], sizes[2])
                return _tenth(times(sizes[0], 2))
            case "split":
                self.sizes[node] = sizes[0]
                return _tenth(times(sizes[0], 2))
            case "join":
                self.sizes[node] = self.joined(args, sizes)
                return _tenth(self.sizes[node])
            case "format" | "url" | "isURL" | "ip" | "isIP" | "cidr" | "isCIDR" | "quantity" | "isQuantity":
                return _tenth(sizes[0])
            case "semver" | "isSemver" | "strings.quote":
                return _tenth(sizes[0])
            case "ip.isCanonical":
                return _tenth(times(sizes[0], 2))
            case "sets.contains" | "sets.intersects" | "sets.equivalent":
                both = times(sizes[0], sizes[1])
                return times(both, 2) if name == "sets.equivalent" else both
            case "distinct" | "sort":
                self.sizes[node] = sizes[0]
                return times(sizes[0], sizes[0])
            case "reverse" | "slice" | "flatten":
                self.sizes[node] = sizes[0]
                return sizes[0]
            case "lists.range":
                self.sizes[node] = UNKNOWN
        return 1

    def sum(self, node: Call, args: Sequence[Node], sizes: Sequence[int]) -> int:
        kind = self.type(args[0]).name
        if kind not in ("string", "bytes", "list", "dyn"):
            return 1
        self.sizes[node] = _plus(*sizes)
        return 1 if kind == "list" else _tenth(self.sizes[node])

    def traversal(self, node: Node, size: int) -> int:
        kind = self.type(node)
        if kind.name != "list":
            return _tenth(size)
        item = kind.parameters[0]
        if item.name not in ("string", "bytes"):
            return size
        return times(size, _plus(1, _tenth(UNKNOWN if item.most is None else item.most)))

    def joined(self, args: Sequence[Node], sizes: Sequence[int]) -> int:
        kind = self.type(args[0])
        item = kind.parameters[0] if kind.parameters else kind
        each = UNKNOWN if item.most is None else item.most
        separators = times(sizes[1], max(sizes[0] - 1, 0)) if len(sizes) > 1 else 0
        return _plus(times(sizes[0], each), separators)


def _replaced(text: int, old: int, new: int) -> int:
    """The longest result: an empty text may be replaced everywhere."""
    if text >= UNKNOWN or new >= UNKNOWN:
        return UNKNOWN
    return _plus(text, times(text + 1, new))
