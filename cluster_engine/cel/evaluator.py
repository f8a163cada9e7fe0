"""A checked tree to closures.

Models interpreter/planner.go, interpreter/runtimecost.go and interpreter/optimizations.go of cel-go. What each node
costs at least is known beforehand and counted once for what always runs together; branches, loops and long values
count for themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.cel import loops, operators
from cluster_engine.cel.checker import TYPE_NAMES, Checked, qualified
from cluster_engine.cel.errors import CelError
from cluster_engine.cel.frame import Code, Frame, Run
from cluster_engine.cel.library import FUNCTIONS, optional
from cluster_engine.cel.library.function import Function, Signature
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
from cluster_engine.cel.values import (
    Optional,
    TypeValue,
    Value,
    contains,
    key_of,
    no_such_overload,
    type_name,
)

_LIST, _MAP, _MESSAGE = 10, 30, 40
"""Costs of making a list, a map and a message."""


def compile_tree(checked: Checked, variables: Mapping[str, Any]) -> tuple[Code, int]:
    """(the code of a checked tree, how many slots its loops need)."""
    compiler = _Compiler(checked, variables)
    code = compiler.code(checked.tree)
    return code, compiler.slots


class _Compiler:
    def __init__(self, checked: Checked, variables: Mapping[str, Any]) -> None:
        self.checked = checked
        self.variables = variables
        self.scope: dict[str, int] = {}
        self.slots = 0

    def code(self, node: Node) -> Code:
        match node:
            case Literal():
                return _constant(node.value)
            case Ident() | Select():
                return self.attribute(node)
            case Call():
                return self.call(node)
            case ListLiteral():
                return self.row(node)
            case MapLiteral():
                return self.table(node)
            case Message():
                return self.message(node)
            case Comprehension():
                return self.comprehension(node)
            case Bind():
                return self.bind(node)
        raise AssertionError(node)

    def attribute(self, node: Ident | Select) -> Code:
        if isinstance(node, Select) and node.test:
            operand = self.code(node.operand)
            return Code(operators.test(operand.run, node.field), operand.cost)
        fields: list[str] = []
        root: Node = node
        while isinstance(root, Select) and not root.test:
            dotted = qualified(root)
            if dotted in self.variables:
                return Code(operators.path(dotted, fields), 1 + len(fields))
            fields.insert(0, root.field)
            root = root.operand
        if isinstance(root, Ident):
            name = root.name.lstrip(".")
            hidden = root.name in self.scope
            if not hidden and name not in self.variables and qualified(node) in TYPE_NAMES:
                return _constant(TypeValue(qualified(node)))
            if hidden:
                return Code(operators.local(self.scope[root.name], fields), 1 + len(fields))
            return Code(operators.path(name, fields), 1 + len(fields))
        code = self.code(root)
        run = code.run
        for field in fields:
            run = operators.selection(run, field)
        return Code(run, code.cost + (0 if _is_attribute(root) else 1) + len(fields))

    def call(self, node: Call) -> Code:
        name = node.function.lstrip(".")
        special = getattr(self, _SPECIAL.get(name, ""), None)
        if special is not None and (node.target is None) == (name not in ("or", "orValue")):
            return special(node, name)  # type: ignore[no-any-return]
        args = [self.code(arg) for arg in ([node.target] if node.target is not None else []) + node.args]
        return self.dispatched(name, args, node.target is not None)

    def dispatched(self, name: str, args: list[Code], member: bool) -> Code:
        run, cost = _dispatch(FUNCTIONS[name], args, member)
        return Code(run, cost + sum(arg.cost for arg in args))

    def logic(self, node: Call, name: str) -> Code:
        terms = [self.code(arg) for arg in node.args]
        return Code(operators.logic(terms, name == "_||_"), terms[0].cost)

    def choice(self, node: Call, name: str) -> Code:
        condition, then, other = (self.code(arg) for arg in node.args)
        return Code(operators.choice(condition, then, other), condition.cost)

    def equality(self, node: Call, name: str) -> Code:
        left, right = (self.code(arg) for arg in node.args)
        return Code(operators.equality(left, right, name == "_==_"), left.cost + right.cost + 1)

    def comparison(self, node: Call, name: str) -> Code:
        left, right = (self.code(arg) for arg in node.args)
        return Code(operators.comparison(left, right, name), left.cost + right.cost + 1)

    def sum(self, node: Call, name: str) -> Code:
        left, right = (self.code(arg) for arg in node.args)
        slow = _applied(FUNCTIONS[name], 2, False, counted=1)

        def rest(frame: Frame, a: Value, b: Value) -> Value:
            return slow(frame, (a, b))

        return Code(operators.sum_of(left, right, rest, name == "_-_"), left.cost + right.cost + 1)

    def index(self, node: Call, name: str) -> Code:
        operand, key = (self.code(arg) for arg in node.args)
        extra = 1 if _is_attribute(node.args[0]) else 2
        return Code(operators.subscript(operand.run, key.run), operand.cost + key.cost + extra)

    def membership(self, node: Call, name: str) -> Code:
        value, items = (self.code(arg) for arg in node.args)
        if items.constant and isinstance(node.args[1], ListLiteral):
            known = items.run(Frame({}, 0, 0, 0))
            find = value.run
            return Code(lambda frame: contains(known, find(frame), frame), value.cost)
        return self.dispatched(name, [value, items], False)

    def optional_select(self, node: Call, name: str) -> Code:
        operand, field = self.code(node.args[0]), node.args[1]
        assert isinstance(field, Literal)
        run, key = operand.run, field.value
        return Code(lambda frame: optional.select(run(frame), key), operand.cost + 1)

    def fallback(self, node: Call, name: str) -> Code:
        assert node.target is not None
        target, other = self.code(node.target), self.code(node.args[0])
        return Code(operators.fallback(target.run, other, name == "or"), target.cost)

    def row(self, node: ListLiteral) -> Code:
        codes = [self.code(element) for element in node.elements]
        if not node.optional and all(code.constant for code in codes):
            return _constant([code.run(Frame({}, 0, 0, 0)) for code in codes])
        runs = tuple(code.run for code in codes)
        cost = _LIST + sum(code.cost for code in codes)
        if not node.optional:
            return Code(lambda frame: [run(frame) for run in runs], cost)
        marks = node.optional

        def build(frame: Frame) -> Value:
            found = []
            for at, run in enumerate(runs):
                value = run(frame)
                if at not in marks:
                    found.append(value)
                elif _wanted(value).present:
                    found.append(value.value)
            return found

        return Code(build, cost)

    def table(self, node: MapLiteral) -> Code:
        parts = [(self.code(e.key), self.code(e.value), e.optional) for e in node.entries]
        runs = [(key.run, value.run, marked) for key, value, marked in parts]
        cost = _MAP + sum(key.cost + value.cost for key, value, _ in parts)

        def build(frame: Frame) -> dict[Any, Value]:
            found: dict[Any, Value] = {}
            for key, run, marked in runs:
                name, value = key_of(key(frame)), run(frame)
                if not marked:
                    found[name] = value
                elif _wanted(value).present:
                    found[name] = value.value
            return found

        return Code(build, cost)

    def message(self, node: Message) -> Code:
        as_map = MapLiteral(
            node.at, [Entry(e.at, Literal(e.at, e.key), e.value, e.optional) for e in node.entries]
        )
        code = self.table(as_map)
        return Code(code.run, code.cost - _MAP + _MESSAGE)

    def comprehension(self, node: Comprehension) -> Code:
        whole = self.code(node.range)
        slots = [self.slots + n for n in range(len(node.names))]
        self.slots += len(slots)
        before = self.scope
        self.scope = {**before, **dict(zip(node.names, slots, strict=True))}
        parts = [self.code(part) for part in node.parts]
        self.scope = before
        test = parts[0] if len(parts) == 2 else None
        match node.kind:
            case "all" | "exists":
                run = loops.quantifier(whole.run, slots, parts[0], node.kind == "exists")
            case "exists_one":
                run = loops.exactly_one(whole.run, slots, parts[0])
                return Code(run, whole.cost + 2)
            case "filter":
                itself = Code(operators.local(slots[0], ()), 1)
                run = loops.listing(whole.run, slots, parts[0], itself)
            case "map":
                run = loops.listing(whole.run, slots, test, parts[-1])
            case "sortBy":
                run = loops.ordering(whole.run, slots, parts[0])
            case _:
                entries = node.kind == "transformMapEntry"
                run = loops.mapping(whole.run, slots, test, parts[-1], entries)
        return Code(run, whole.cost + 1)

    def bind(self, node: Bind) -> Code:
        value = self.code(node.value)
        slot = self.slots
        self.slots += 1
        before = self.scope
        self.scope = {**before, node.name: slot}
        body = self.code(node.body)
        self.scope = before
        return Code(operators.bound(value.run, slot, body, node.kind == "optFlatMap"), value.cost + 2)


_SPECIAL: Mapping[str, str] = {
    "_&&_": "logic",
    "_||_": "logic",
    "_?_:_": "choice",
    "_==_": "equality",
    "_!=_": "equality",
    "_<_": "comparison",
    "_<=_": "comparison",
    "_>_": "comparison",
    "_>=_": "comparison",
    "_+_": "sum",
    "_-_": "sum",
    "_[_]": "index",
    "@in": "membership",
    "_?._": "optional_select",
    "or": "fallback",
    "orValue": "fallback",
}
"""What has closures of its own, and the method that makes them."""


def _constant(value: Value) -> Code:
    return Code(lambda frame: value, 0, True)


def _is_attribute(node: Node) -> bool:
    """Whether more fields belong to the same look-up, which costs 1 as a whole."""
    if isinstance(node, Call):
        return node.function in ("_[_]", "_?._", "_[?_]")
    return isinstance(node, (Ident, Select))


def _wanted(value: Value) -> Optional:
    if type(value) is not Optional:
        raise CelError(f"cannot initialize optional list element from non-optional value {value}")
    return value


_Apply = Callable[[Frame, tuple[Value, ...]], Value]


def _candidates(function: Function, count: int, member: bool) -> list[Signature]:
    return [s for s in function.signatures if s.member == member and len(s.arguments) == count]


def _applied(function: Function, count: int, member: bool, counted: int) -> _Apply:
    """The function on values: finds the overload for their classes, counts what it costs beyond ``counted``."""
    candidates = _candidates(function, count, member)
    known: dict[tuple[type, ...], Signature] = {}

    def apply(frame: Frame, args: tuple[Value, ...]) -> Value:
        classes = tuple(map(type, args))
        found = known.get(classes)
        if found is None:
            found = next((s for s in candidates if s.accepts(classes)), None)
            if found is None:
                if not function.named:
                    raise no_such_overload()
                raise CelError(f"no such overload: {function.name}({', '.join(map(type_name, args))})")
            known[classes] = found
        overload = found.overload
        cost, after = overload.cost, overload.after
        frame.charge((cost if isinstance(cost, int) else cost(*args)) - counted)
        result = overload.run(*args, frame) if overload.metered else overload.run(*args)
        if after is not None:
            frame.charge(after(result))
        return result

    return apply


def _dispatch(function: Function, args: list[Code], member: bool) -> tuple[Run, int]:
    """(the closure of a call, what it costs at least)."""
    apply = _applied(function, len(args), member, counted=1)
    runs = tuple(arg.run for arg in args)
    match runs:
        case (one,):
            return lambda frame: apply(frame, (one(frame),)), 1
        case (one, two):
            return lambda frame: apply(frame, (one(frame), two(frame))), 1
    return lambda frame: apply(frame, tuple(run(frame) for run in runs)), 1
