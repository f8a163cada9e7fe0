"""Walks the tree of an awk program."""

from __future__ import annotations

import math
from typing import Any

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Sys
from cluster_engine.linux.programs.awk.builtins import BUILTINS, Array
from cluster_engine.linux.programs.awk.formatting import formatted
from cluster_engine.linux.programs.awk.memory import Memory
from cluster_engine.linux.programs.awk.parse import Node, Tree
from cluster_engine.linux.programs.awk.tokens import AwkError
from cluster_engine.linux.programs.awk.values import (
    UNSET,
    Input,
    Value,
    compare,
    to_number,
    to_text,
    truth,
)
from cluster_engine.linux.regex import found
from cluster_engine.linux.text import octets

MAX_STEPS = 2_000_000
"""Nodes that one call (BEGIN, a chunk of input, END) may walk."""
MAX_CALLS = 60
"""Functions inside one another."""


class Next(Exception):
    """`next`."""


class Exited(Exception):
    """`exit`."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Return(Exception):
    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class Interpreter(Memory):
    """How to walk the tree of a program that remembers."""

    def __init__(self, sys: Sys, tree: Tree) -> None:
        super().__init__(len(tree.rules))
        self.sys = sys
        self.tree = tree
        self.out: list[str] = []
        self.steps = 0
        self.exited: int | None = None

    # ---- places ------------------------------------------------------------------------------

    def key(self, nodes: tuple[Node, ...]) -> str:
        form = to_text(self.names["CONVFMT"])
        return to_text(self.names["SUBSEP"]).join(to_text(self.value(node), form) for node in nodes)

    def assign(self, place: Node, value: Value) -> Value:
        match place[0]:
            case "name":
                self.set(place[1], value)
            case "index":
                self.store(self.array(place[1]), self.key(place[2]), value)
            case "field":
                self.set_field(int(to_number(self.value(place[1]))), value)
        return value

    # ---- rules -------------------------------------------------------------------------------

    def begin(self) -> None:
        """BEGIN."""
        for block in self.tree.begin:
            self.run(block)

    def line(self, text: str) -> None:
        """One record through the rules."""
        self.set_record(text)
        self.names["NR"] = to_number(self.names["NR"]) + 1
        self.names["FNR"] = to_number(self.names["FNR"]) + 1
        try:
            for index, (first, second, action) in enumerate(self.tree.rules):
                if self._applies(index, first, second):
                    if action is None:
                        self._put(self.record + to_text(self.names["ORS"]))
                    else:
                        self.run(action)
        except Next:
            return

    def _applies(self, index: int, first: Node | None, second: Node | None) -> bool:
        if first is None:
            return True
        if second is None:
            return truth(self.value(first))
        if not self.ranges[index]:
            if not truth(self.value(first)):
                return False
            self.ranges[index] = True
        if truth(self.value(second)):
            self.ranges[index] = False
        return True

    def end(self) -> None:
        """END."""
        for block in self.tree.end:
            self.run(block)

    # ---- statements --------------------------------------------------------------------------

    def step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise AwkError("a program that takes more than 2,000,000 steps at once is not run on here")

    def run(self, node: Node) -> None:
        self.step()
        match node[0]:
            case "block":
                for each in node[1]:
                    self.run(each)
            case "expression":
                self.value(node[1])
            case "print":
                self._print(node)
            case "printf":
                values = [self.value(each) for each in node[1]]
                if not values:
                    raise AwkError("printf: no format")
                self._put(formatted(to_text(values[0]), values[1:]), node[2])
            case "if":
                if truth(self.value(node[1])):
                    self.run(node[2])
                elif node[3] is not None:
                    self.run(node[3])
            case "while" | "do" | "for" | "forin":
                self._loop(node)
            case "break":
                raise _Break
            case "continue":
                raise _Continue
            case "next":
                raise Next
            case "exit":
                if node[1] is not None:
                    self.exited = int(to_number(self.value(node[1]))) & 255
                raise Exited(self.exited or 0)
            case "return":
                raise _Return(self.value(node[1]) if node[1] is not None else UNSET)
            case "delete":
                array = self.array(node[1])
                if node[2] is None:
                    array.clear()
                else:
                    array.pop(self.key(node[2]), None)

    def _loop(self, node: Node) -> None:
        if node[0] == "forin":
            for key in self._order(self.array(node[2])):
                self.set(node[1], Input(key))
                if not self._round(node[3]):
                    return
            return
        if node[0] == "do":
            while self._round(node[1]) and truth(self.value(node[2])):
                pass
            return
        if node[0] == "while":
            while truth(self.value(node[1])) and self._round(node[2]):
                pass
            return
        if node[1] is not None:
            self.run(node[1])
        while node[2] is None or truth(self.value(node[2])):
            if not self._round(node[4]):
                return
            if node[3] is not None:
                self.run(node[3])

    @staticmethod
    def _order(array: Array) -> list[str]:
        """awk leaves the order open; here it is that of insertion."""
        return list(array)

    def _round(self, body: Node) -> bool:
        self.step()
        try:
            self.run(body)
        except _Break:
            return False
        except _Continue:
            return True
        return True

    def _print(self, node: Node) -> None:
        form = to_text(self.names["OFMT"])
        if node[1]:
            text = to_text(self.names["OFS"]).join(to_text(self.value(each), form) for each in node[1])
        else:
            text = self.record
        self._put(text + to_text(self.names["ORS"]), node[2])

    def _put(self, text: str, target: Node | None = None) -> None:
        if target is None:
            self.out.append(octets(text))
            return
        name = octets(to_text(self.value(target[1])))
        if name in ("/dev/stdout", "-"):
            self.out.append(octets(text))
        elif name == "/dev/stderr":
            self.sys.err(octets(text))
        else:
            append = target[0] == ">>" or name in self.written
            try:
                self.sys.fs.write(name, octets(text), append=append)
            except FileError as error:
                raise AwkError(f"can't redirect to {name}: {error.reason}") from None
            if name not in self.written:
                self.written.append(name)

    # ---- expressions -------------------------------------------------------------------------

    def value(self, node: Node) -> Value:
        self.step()
        match node[0]:
            case "number" | "string":
                result: Value = node[1]
                return result
            case "name":
                return self.get(node[1])
            case "field":
                return self.field(int(to_number(self.value(node[1]))))
            case "index":
                array, key = self.array(node[1]), self.key(node[2])
                if key not in array:
                    self.store(array, key, UNSET)
                return array[key]
            case "paren":
                return self.value(node[1])
            case "regex":
                return float(found(self.regex(node[1]), self.record))
            case "assign":
                return self.assign(node[1], self.value(node[2]))
            case "binary":
                return self._binary(node[1], to_number(self.value(node[2])), to_number(self.value(node[3])))
            case "concat":
                form = to_text(self.names["CONVFMT"])
                return to_text(self.value(node[1]), form) + to_text(self.value(node[2]), form)
            case "compare":
                order = compare(self.value(node[2]), self.value(node[3]))
                return float(
                    {
                        "<": order < 0,
                        "<=": order <= 0,
                        "==": order == 0,
                        "!=": order != 0,
                        ">": order > 0,
                        ">=": order >= 0,
                    }[node[1]]
                )
            case "match":
                text = to_text(self.value(node[1]))
                return float(found(self.pattern(node[2]), text) != node[3])
            case "and":
                return float(truth(self.value(node[1])) and truth(self.value(node[2])))
            case "or":
                return float(truth(self.value(node[1])) or truth(self.value(node[2])))
            case "in":
                return float(self.key(node[1]) in self.array(node[2]))
            case "unary":
                value = self.value(node[2])
                if node[1] == "!":
                    return float(not truth(value))
                return to_number(value) if node[1] == "+" else -to_number(value)
            case "ternary":
                return self.value(node[2]) if truth(self.value(node[1])) else self.value(node[3])
            case "pre" | "post":
                before = to_number(self.value(node[2]))
                after = self.assign(node[2], before + (1 if node[1] == "++" else -1))
                return after if node[0] == "pre" else before
            case "builtin":
                return self._builtin(node[1], node[2])
            case "call":
                return self._call(node[1], node[2])
        raise AwkError(f"syntax error: {node[0]}")

    def _binary(self, operator: str, left: float, right: float) -> float:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                if right == 0:
                    raise AwkError("division by zero")
                return left / right
            case "%":
                if right == 0:
                    raise AwkError("division by zero in %")
                return math.fmod(left, right)
        return self._power(left, right)

    @staticmethod
    def _power(base: float, exponent: float) -> float:
        """Whole exponents only, by multiplication: no result may depend on the platform's library."""
        if exponent == 0.5 and base >= 0:
            return math.sqrt(base)
        if exponent != int(exponent) or abs(exponent) > 1024:
            raise AwkError("a power that is no whole number up to 1024 is not reckoned here")
        result, square, count = 1.0, base, abs(int(exponent))
        while count:
            if count & 1:
                result *= square
            square *= square
            count >>= 1
        return result if exponent >= 0 else 1 / result if result else math.inf

    def pattern(self, node: Node) -> Any:
        while node[0] == "paren":
            node = node[1]
        return self.regex(node[1] if node[0] == "regex" else to_text(self.value(node)))

    def _call(self, name: str, nodes: tuple[Node, ...]) -> Value:
        names, body = self.tree.functions[name]
        if len(nodes) > len(names):
            raise AwkError(f"function {name} called with {len(nodes)} args, accepts only {len(names)}")
        if len(self.frames) >= MAX_CALLS:
            raise AwkError(f"functions inside one another more than {MAX_CALLS} deep are not run here")
        frame: dict[str, Value | Array] = {}
        for parameter, node in zip(names, nodes, strict=False):
            is_array = node[0] == "name" and (
                node[1] in self.arrays
                or (bool(self.frames) and isinstance(self.frames[-1].get(node[1]), dict))
                or (node[1] not in self.names and _uses_array(body, parameter))
            )
            frame[parameter] = self.array(node[1]) if is_array else self.value(node)
        for parameter in names[len(nodes) :]:
            frame[parameter] = UNSET
        self.frames.append(frame)
        try:
            self.run(body)
        except _Return as end:
            return end.value
        finally:
            self.frames.pop()
        return UNSET

    def _builtin(self, name: str, nodes: tuple[Node, ...]) -> Value:
        try:
            return BUILTINS[name](self, nodes)
        except IndexError:
            raise AwkError(f"not enough arguments for {name}") from None


def _uses_array(node: Any, name: str) -> bool:
    """Whether a function's body uses a parameter as an array."""
    if not isinstance(node, tuple):
        return False
    if len(node) > 1 and node[0] in ("index", "delete") and node[1] == name:
        return True
    if node and node[0] == "forin" and node[2] == name:
        return True
    if node and node[0] == "in" and node[2] == name:
        return True
    if (
        node
        and node[0] == "builtin"
        and node[1] == "split"
        and len(node[2]) > 1
        and node[2][1] == ("name", name)
    ):
        return True
    return any(_uses_array(child, name) for child in node)
