"""The type checker: every name is declared, every call has an overload.

Models checker/checker.go and checker/errors.go of cel-go, with Kubernetes' options: aggregates are homogeneous,
numbers of different types are compared in order but not for equality.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cluster_engine.cel import types
from cluster_engine.cel.errors import CelTypeError, Issue
from cluster_engine.cel.library import FUNCTIONS
from cluster_engine.cel.library.function import Overload
from cluster_engine.cel.syntax import (
    Bind,
    Call,
    Comprehension,
    Entry,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Message,
    Node,
    Select,
)
from cluster_engine.cel.types import BOOL, DYN, ERROR, INT, STRING, Bindings, Type
from cluster_engine.cel.values import Uint

TYPE_NAMES = frozenset((
    "bool", "int", "uint", "double", "string", "bytes", "list", "map", "type", "null_type", "optional_type",
    "google.protobuf.Timestamp", "google.protobuf.Duration", "net.IP", "net.CIDR", "kubernetes.Quantity",
    "kubernetes.URL", "kubernetes.Semver",
))  # fmt: skip
"""Names of types that stand for themselves in an expression."""

_LITERALS: Mapping[type, Type] = {
    type(None): types.NULL,
    bool: BOOL,
    int: INT,
    Uint: types.UINT,
    float: types.DOUBLE,
    str: STRING,
    bytes: types.BYTES,
}


class Checked:
    """A tree with what is known of it: the type of each node, the overloads that a call may take."""

    def __init__(self, tree: Node, source: str) -> None:
        self.tree = tree
        self.source = source
        self.types: dict[Node, Type] = {}
        self.overloads: dict[Call, tuple[Overload, ...]] = {}

    @property
    def result(self) -> Type:
        return self.types[self.tree]


def check(
    tree: Node, source: str, variables: Mapping[str, Type], objects: Mapping[str, Type] | None = None
) -> Checked:
    """Checks a tree against declared variables; ``objects`` are the messages that it may make. Raises CelTypeError."""
    checker = _Checker(Checked(tree, source), variables, objects or {})
    checker.visit(tree)
    if checker.issues:
        raise CelTypeError(source, checker.issues)
    checked = checker.checked
    for node, kind in checked.types.items():
        checked.types[node] = types.substitute(checker.bindings, kind, free=True)
    return checked


def qualified(node: Node) -> str:
    """The dotted name that a tree stands for, or nothing."""
    names: list[str] = []
    while isinstance(node, Select) and not node.test:
        names.append(node.field)
        node = node.operand
    if not isinstance(node, Ident):
        return ""
    return ".".join((node.name.lstrip("."), *reversed(names)))


class _Checker:
    def __init__(self, checked: Checked, variables: Mapping[str, Type], objects: Mapping[str, Type]) -> None:
        self.checked = checked
        self.scopes: list[Mapping[str, Type]] = [variables]
        self.objects = objects
        self.bindings: Bindings = {}
        self.issues: list[Issue] = []
        self.fresh = 0

    def report(self, at: int, message: str) -> Type:
        self.issues.append(Issue(at, message))
        return ERROR

    def known(self, kind: Type) -> Type:
        return types.substitute(self.bindings, kind)

    def visit(self, node: Node) -> Type:
        match node:
            case Literal():
                kind = _LITERALS[type(node.value)]
            case Ident():
                kind = self.ident(node)
            case Select():
                kind = self.select(node)
            case Call():
                kind = self.call(node)
            case ListLiteral():
                kind = self.row(node)
            case MapLiteral():
                kind = self.table(node)
            case Message():
                kind = self.message(node)
            case Comprehension():
                kind = self.comprehension(node)
            case Bind():
                kind = self.bind(node)
            case _:
                raise AssertionError(node)
        self.checked.types[node] = kind
        return kind

    def lookup(self, name: str) -> Type | None:
        if not name.startswith("."):
            for scope in reversed(self.scopes):
                if name in scope:
                    return scope[name]
        name = name.lstrip(".")
        if name in self.scopes[0]:
            return self.scopes[0][name]
        if name in TYPE_NAMES:
            return Type("type", (types.read(name),))
        return None

    def ident(self, node: Ident) -> Type:
        found = self.lookup(node.name)
        if found is None:
            name = node.name.lstrip(".")
            return self.report(node.at, f"undeclared reference to '{name}' (in container '')")
        return found

    def select(self, node: Select) -> Type:
        name = qualified(node)
        root = name.partition(".")[0]
        if "." in name and name in self.scopes[0]:
            return self.scopes[0][name]
        if name in TYPE_NAMES and self.lookup(root) is None:
            return Type("type", (types.read(name),))
        operand = self.known(self.visit(node.operand))
        optional = operand.name == "optional_type"
        kind = self.field(node, operand.parameters[0] if optional else operand, node.field)
        if node.test:
            return BOOL
        return types.optional_of(kind) if optional and kind != ERROR else kind

    def field(self, node: Node, operand: Type, name: str) -> Type:
        operand = self.known(operand)
        if operand.fields is not None:
            found = operand.fields.get(name)
            return found if found is not None else self.report(node.at, f"undefined field '{name}'")
        if operand.name == "map":
            return operand.parameters[1]
        if operand.variable:
            self.bindings[operand] = DYN
            return DYN
        if operand in (DYN, ERROR):
            return DYN
        return self.report(node.at, f"type '{operand}' does not support field selection")

    def call(self, node: Call) -> Type:
        if node.function == "_?._":
            return self.optional_select(node)
        if node.function in ("_&&_", "_||_"):
            return self.logic(node)
        if node.function == "_?_:_":
            return self.ternary(node)
        name = node.function.lstrip(".")
        if node.target is not None:
            prefix = qualified(node.target)
            if prefix and f"{prefix}.{name}" in FUNCTIONS:
                node.function, node.target = f"{prefix}.{name}", None
                name = node.function
        if name in ("or", "orValue") and node.target is not None and len(node.args) == 1:
            return self.fallback(node, name)
        args = [self.visit(arg) for arg in ([node.target] if node.target is not None else []) + node.args]
        if name not in FUNCTIONS:
            return self.report(node.at, f"undeclared reference to '{name}' (in container '')")
        if name == "_[_]" and self.known(args[0]).name == "optional_type":
            return self.optional_index(node, args)
        return self.resolve(node, name, args)

    def resolve(self, node: Call, name: str, args: Sequence[Type]) -> Type:
        member = node.target is not None
        matching: list[Overload] = []
        result: Type | None = None
        for signature in FUNCTIONS[name].signatures:
            if signature.member != member or len(signature.arguments) != len(args):
                continue
            self.fresh += 1
            renamed: Bindings = {}
            wanted = [self.renamed(kind, renamed) for kind in signature.arguments]
            attempt = dict(self.bindings)
            if not all(types.assignable(attempt, w, a) for w, a in zip(wanted, args, strict=True)):
                continue
            self.bindings = attempt
            matching.append(signature.overload)
            kind = types.substitute(attempt, self.renamed(signature.result, renamed))
            if result is None:
                result = kind
            elif kind != result:
                result = DYN
        if result is None:
            shown = [types.substitute(self.bindings, kind, free=True) for kind in args]
            return self.report(
                node.at,
                f"found no matching overload for '{name}' applied to '{types.signature(shown, member)}'",
            )
        self.checked.overloads[node] = tuple(matching)
        return result

    def renamed(self, kind: Type, names: Bindings) -> Type:
        """A signature's type with parameters of its own for this call."""
        if kind.variable:
            return names.setdefault(kind, Type(f"{kind.name}{self.fresh}"))
        if not kind.parameters:
            return kind
        return Type(kind.name, tuple(self.renamed(part, names) for part in kind.parameters))

    def logic(self, node: Call) -> Type:
        kinds = [self.visit(arg) for arg in node.args]
        for kind in kinds[1:]:
            if not all(types.assignable(self.bindings, BOOL, part) for part in (kinds[0], kind)):
                shown = types.signature([self.known(kinds[0]), self.known(kind)], False)
                text = f"found no matching overload for '{node.function}' applied to '{shown}'"
                return self.report(node.at, text)
        return BOOL

    def ternary(self, node: Call) -> Type:
        condition, then, other = (self.visit(arg) for arg in node.args)
        attempt = dict(self.bindings)
        if types.assignable(attempt, BOOL, condition) and types.assignable(attempt, then, other):
            self.bindings = attempt
            return self.general(then, other)
        shown = types.signature([self.known(kind) for kind in (condition, then, other)], False)
        return self.report(node.at, f"found no matching overload for '_?_:_' applied to '{shown}'")

    def general(self, one: Type, other: Type) -> Type:
        """The wider one of two types that fit each other."""
        one, other = self.known(one), self.known(other)
        return other if other == DYN or one == types.NULL or one == ERROR else one

    def fallback(self, node: Call, name: str) -> Type:
        assert node.target is not None
        target, other = self.visit(node.target), self.visit(node.args[0])
        self.fresh += 1
        inner = Type(f"T{self.fresh}")
        wanted = types.optional_of(inner)
        attempt = dict(self.bindings)
        if types.assignable(attempt, wanted, target) and types.assignable(
            attempt, wanted if name == "or" else inner, other
        ):
            self.bindings = attempt
            return wanted if name == "or" else inner
        shown = types.signature([self.known(target), self.known(other)], True)
        return self.report(node.at, f"found no matching overload for '{name}' applied to '{shown}'")

    def optional_select(self, node: Call) -> Type:
        operand = self.known(self.visit(node.args[0]))
        name = node.args[1]
        assert isinstance(name, Literal)
        self.checked.types[name] = STRING
        inner = operand.parameters[0] if operand.name == "optional_type" else operand
        return types.optional_of(self.field(node, inner, name.value))

    def optional_index(self, node: Call, args: Sequence[Type]) -> Type:
        inner = self.known(args[0]).parameters[0]
        kind = self.resolve(node, "_[_]", (inner, args[1]))
        return types.optional_of(kind) if kind != ERROR else kind

    def join(self, at: int, before: Type | None, kind: Type) -> Type:
        if before is None:
            return kind
        if types.assignable(self.bindings, before, kind):
            return self.general(before, kind)
        return self.report(at, f"expected type '{self.known(before)}' but found '{self.known(kind)}'")

    def row(self, node: ListLiteral) -> Type:
        joined: Type | None = None
        for at, element in enumerate(node.elements):
            kind = self.visit(element)
            if at in node.optional:
                kind = self.unwrapped(element.at, kind)
            joined = self.join(element.at, joined, kind)
        if joined is None:
            self.fresh += 1
            joined = Type(f"E{self.fresh}")
        return types.list_of(joined)

    def unwrapped(self, at: int, kind: Type) -> Type:
        kind = self.known(kind)
        if kind.name == "optional_type":
            return kind.parameters[0]
        if kind in (DYN, ERROR):
            return DYN
        return self.report(at, f"expected type 'optional_type({kind})' but found '{kind}'")

    def table(self, node: MapLiteral) -> Type:
        key: Type | None = None
        value: Type | None = None
        for entry in node.entries:
            key = self.join(entry.key.at, key, self.visit(entry.key))
            value = self.join(entry.value.at, value, self.entry(entry))
        self.fresh += 1
        return types.map_of(key or Type(f"K{self.fresh}"), value or Type(f"V{self.fresh}"))

    def entry(self, entry: Entry) -> Type:
        kind = self.visit(entry.value)
        return self.unwrapped(entry.value.at, kind) if entry.optional else kind

    def message(self, node: Message) -> Type:
        name = node.name.lstrip(".")
        kind = self.objects.get(name)
        if kind is None or kind.fields is None:
            for entry in node.entries:
                self.visit(entry.value)
            return self.report(node.at, f"undeclared reference to '{name}' (in container '')")
        for entry in node.entries:
            given = self.entry(entry)
            wanted = kind.fields.get(entry.key)
            if wanted is None:
                self.report(entry.at, f"undefined field '{entry.key}'")
            elif not types.assignable(self.bindings, wanted, given):
                text = f"expected type of field '{entry.key}' is '{wanted}' but provided type is '{self.known(given)}'"
                self.report(entry.at, text)
        return kind

    def comprehension(self, node: Comprehension) -> Type:
        range_type = self.known(self.visit(node.range))
        first, second = self.ranged(node, range_type)
        two = len(node.names) == 2
        scope = dict(zip(node.names, (first, second) if two else (first,), strict=True))
        if not two and range_type.name != "map":
            scope = {node.names[0]: second}
        self.scopes.append(scope)
        kinds = [self.visit(part) for part in node.parts]
        self.scopes.pop()
        return self.looped(node, kinds, first, second, range_type)

    def ranged(self, node: Comprehension, kind: Type) -> tuple[Type, Type]:
        """The types of a range's keys (or indexes) and values."""
        if kind.name == "list":
            return INT, kind.parameters[0]
        if kind.name == "map":
            return kind.parameters[0], kind.parameters[1]
        if kind in (DYN, ERROR) or kind.variable:
            if kind.variable:
                self.bindings[kind] = DYN
            return DYN, DYN
        text = (
            f"expression of type '{kind}' cannot be range of a comprehension (must be list, map, or dynamic)"
        )
        self.report(node.range.at, text)
        return ERROR, ERROR

    def looped(
        self, node: Comprehension, kinds: list[Type], first: Type, second: Type, range_type: Type
    ) -> Type:
        filters = kinds[:-1]
        match node.kind:
            case "all" | "exists" | "exists_one":
                self.boolean(node, kinds)
                return BOOL
            case "filter":
                self.boolean(node, kinds)
                return types.list_of(first if range_type.name == "map" else second)
            case "sortBy":
                self.ordered(node, kinds[0])
                return types.list_of(second)
            case "map":
                self.boolean(node, filters)
                return types.list_of(kinds[-1])
            case "transformMap":
                self.boolean(node, filters)
                return types.map_of(first, kinds[-1])
            case _:
                self.boolean(node, filters)
                kind = self.known(kinds[-1])
                if kind.name == "map" or kind in (DYN, ERROR):
                    return kind if kind.name == "map" else types.map_of(DYN, DYN)
                shown = f"(map(dyn, dyn), {kind})"
                return self.report(
                    node.at, f"found no matching overload for 'cel.@mapInsert' applied to '{shown}'"
                )

    def boolean(self, node: Comprehension, kinds: Sequence[Type]) -> None:
        names = {"all": "_&&_", "exists": "_||_"}
        for kind in kinds:
            if not types.assignable(self.bindings, BOOL, kind):
                kind = self.known(kind)
                function = names.get(node.kind, "_?_:_")
                rest = f"(bool, {kind})" if function != "_?_:_" else f"({kind}, dyn, dyn)"
                self.report(node.at, f"found no matching overload for '{function}' applied to '{rest}'")

    def ordered(self, node: Comprehension, kind: Type) -> None:
        kind = self.known(kind)
        if kind.name not in (
            "dyn",
            "int",
            "uint",
            "double",
            "bool",
            "duration",
            "timestamp",
            "string",
            "bytes",
        ):
            text = f"found no matching overload for '@sortByAssociatedKeys' applied to 'list(dyn).(list({kind}))'"
            self.report(node.at, text)

    def bind(self, node: Bind) -> Type:
        target = self.known(self.visit(node.value))
        if target.name == "optional_type":
            inner = target.parameters[0]
        elif target in (DYN, ERROR):
            inner = DYN
        else:
            shown = types.signature((target,), True)
            return self.report(node.at, f"found no matching overload for 'hasValue' applied to '{shown}'")
        self.scopes.append({node.name: inner})
        body = self.visit(node.body)
        self.scopes.pop()
        if node.kind == "optMap":
            return types.optional_of(body)
        if self.known(body).name != "optional_type" and self.known(body) not in (DYN, ERROR):
            shown = types.signature((BOOL, self.known(body), types.optional_of(DYN)), False)
            return self.report(node.at, f"found no matching overload for '_?_:_' applied to '{shown}'")
        return body
