"""The text of an awk program as a tree of tuples: ("kind", …)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cluster_engine.linux.programs.awk.tokens import AwkError, Token, tokens

MAX_DEPTH = 60
"""Expressions and statements inside one another."""

Node = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed program."""

    begin: tuple[Node, ...]
    rules: tuple[tuple[Node | None, Node | None, Node | None], ...]
    """(pattern, second pattern of a range, action)."""
    end: tuple[Node, ...]
    functions: dict[str, tuple[tuple[str, ...], Node]]


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.no_in = False
        self.no_greater = False
        self.called: list[str] = []

    # ---- helpers -----------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def accept(self, *kinds: str) -> bool:
        if self.kind in kinds:
            self.at += 1
            return True
        return False

    def expect(self, kind: str) -> str:
        if self.kind != kind:
            seen = self.tokens[self.at][1].replace("\n", "newline") or "end of file"
            raise AwkError(f"syntax error at or near {seen}")
        return self.take()[1]

    def newlines(self) -> None:
        while self.kind in ("newline", ";"):
            self.at += 1

    def lines(self) -> None:
        while self.kind == "newline":
            self.at += 1

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise AwkError(f"a program nested more than {MAX_DEPTH} deep is not run here")

    # ---- the program -------------------------------------------------------------------------

    def tree(self) -> Tree:
        begin: list[Node] = []
        end: list[Node] = []
        rules: list[tuple[Node | None, Node | None, Node | None]] = []
        functions: dict[str, tuple[tuple[str, ...], Node]] = {}
        self.newlines()
        while self.kind != "end":
            if self.accept("BEGIN"):
                begin.append(self.block())
            elif self.accept("END"):
                end.append(self.block())
            elif self.accept("function"):
                name = self.take()[1]
                self.expect("(")
                names: list[str] = []
                while self.kind != ")":
                    names.append(self.expect("name"))
                    self.accept(",")
                    self.lines()
                self.expect(")")
                self.lines()
                functions[name] = (tuple(names), self.block())
            else:
                first = second = action = None
                if self.kind != "{":
                    first = self.expression()
                    if self.accept(","):
                        self.lines()
                        second = self.expression()
                if self.kind == "{":
                    action = self.block()
                rules.append((first, second, action))
            self.newlines()
        for name in self.called:
            if name not in functions:
                raise AwkError(f"undefined function: {name}")
        return Tree(tuple(begin), tuple(rules), tuple(end), functions)

    def block(self) -> Node:
        self.deeper()
        self.lines()
        self.expect("{")
        body: list[Node] = []
        self.newlines()
        while self.kind != "}":
            body.append(self.statement())
            self.newlines()
        self.expect("}")
        self.depth -= 1
        return ("block", tuple(body))

    def statement(self) -> Node:
        self.deeper()
        node = self._statement()
        self.depth -= 1
        return node

    def _body(self) -> Node:
        self.lines()
        if self.accept(";"):
            return ("block", ())
        return self.statement()

    def _statement(self) -> Node:
        if self.kind == "{":
            return self.block()
        if self.accept("if"):
            self.expect("(")
            test = self.expression()
            self.expect(")")
            yes = self._body()
            mark = self.at
            self.newlines()
            if self.accept("else"):
                return ("if", test, yes, self._body())
            self.at = mark
            return ("if", test, yes, None)
        if self.accept("while"):
            self.expect("(")
            test = self.expression()
            self.expect(")")
            return ("while", test, self._body())
        if self.accept("do"):
            body = self._body()
            self.newlines()
            self.expect("while")
            self.expect("(")
            test = self.expression()
            self.expect(")")
            return ("do", body, test)
        if self.accept("for"):
            return self._for()
        node = self._simple()
        if self.kind not in (";", "newline", "}", "end"):
            self.expect(";")
        return node

    def _for(self) -> Node:
        self.expect("(")
        if self.kind == "name" and self.tokens[self.at + 1][0] == "in" and self.tokens[self.at + 3][0] == ")":
            name = self.take()[1]
            self.take()
            array = self.expect("name")
            self.expect(")")
            return ("forin", name, array, self._body())
        first = None if self.kind == ";" else self._simple()
        self.expect(";")
        self.lines()
        test = None if self.kind == ";" else self.expression()
        self.expect(";")
        self.lines()
        last = None if self.kind == ")" else self._simple()
        self.expect(")")
        return ("for", first, test, last, self._body())

    def _simple(self) -> Node:
        match self.kind:
            case "break" | "continue" | "next":
                return (self.take()[0],)
            case "exit" | "return":
                word = self.take()[0]
                value = None if self.kind in (";", "newline", "}", "end") else self.expression()
                return (word, value)
            case "delete":
                self.take()
                name = self.expect("name")
                if not self.accept("["):
                    return ("delete", name, None)
                keys = self._list("]")
                self.expect("]")
                return ("delete", name, keys)
            case "print" | "printf":
                return self._print()
        return ("expression", self.expression())

    def _print(self) -> Node:
        word = self.take()[0]
        self.no_greater = True
        if self.kind == "(" and self._closes_statement():
            self.take()
            saved, self.no_greater = self.no_greater, False
            arguments = self._list(")")
            self.no_greater = saved
            self.expect(")")
        else:
            arguments = () if self.kind in (";", "newline", "}", ">", ">>", "|", "end") else self._list("")
        self.no_greater = False
        target: Node | None = None
        if self.kind in (">", ">>", "|"):
            how = self.take()[0]
            if how == "|":
                raise AwkError("print | command is not supported here; pipe awk's output instead")
            target = (how, self._concatenation())
        return (word, arguments, target)

    def _closes_statement(self) -> bool:
        """Whether the parenthesis that opens here holds all of print's arguments."""
        depth, at = 0, self.at
        while self.tokens[at][0] != "end":
            kind = self.tokens[at][0]
            depth += (kind in ("(", "[")) - (kind in (")", "]"))
            if depth == 0:
                return self.tokens[at + 1][0] in (";", "newline", "}", ">", ">>", "|", "end")
            at += 1
        return False

    # ---- expressions -------------------------------------------------------------------------

    def _list(self, end: str) -> tuple[Node, ...]:
        nodes: list[Node] = []
        self.lines()
        if self.kind == end:
            return ()
        while True:
            nodes.append(self.expression())
            if not self.accept(","):
                return tuple(nodes)
            self.lines()

    def expression(self) -> Node:
        self.deeper()
        node = self._ternary()
        if self.kind in ("=", "+=", "-=", "*=", "/=", "%=", "^=", "**="):
            if node[0] not in ("name", "index", "field"):
                raise AwkError("syntax error: assignment to something that is no variable")
            operator = self.take()[0]
            self.lines()
            value = self.expression()
            operator = operator[:-1].replace("**", "^")
            node = (
                ("assign", node, value)
                if not operator
                else ("assign", node, ("binary", operator, node, value))
            )
        self.depth -= 1
        return node

    def _ternary(self) -> Node:
        test = self._or()
        if not self.accept("?"):
            return test
        self.lines()
        yes = self.expression()
        self.lines()
        self.expect(":")
        self.lines()
        return ("ternary", test, yes, self.expression())

    def _or(self) -> Node:
        left = self._and()
        while self.accept("||"):
            self.lines()
            left = ("or", left, self._and())
        return left

    def _and(self) -> Node:
        left = self._in()
        while self.accept("&&"):
            self.lines()
            left = ("and", left, self._in())
        return left

    def _in(self) -> Node:
        left = self._match()
        while self.kind == "in" and not self.no_in:
            self.take()
            keys = left[1] if left[0] == "grouping" else (left,)
            left = ("in", keys, self.expect("name"))
        if left[0] == "grouping":
            raise AwkError("syntax error: a list of expressions outside of `in`")
        return left

    def _match(self) -> Node:
        left = self._comparison()
        while self.kind in ("~", "!~"):
            operator = self.take()[0]
            left = ("match", left, self._comparison(), operator == "!~")
        return left

    def _comparison(self) -> Node:
        left = self._concatenation()
        while self.kind in ("<", "<=", "==", "!=", ">=") or (self.kind == ">" and not self.no_greater):
            operator = self.take()[0]
            left = ("compare", operator, left, self._concatenation())
        if self.kind == "|" and self.tokens[self.at + 1][0] == "getline":
            raise AwkError("command | getline is not supported here")
        return left

    def _concatenation(self) -> Node:
        left = self._additive()
        starts = ("name", "number", "string", "$", "(", "-", "+", "!", "++", "--", "builtin", "funcname")
        while self.kind in starts:
            if self.kind in ("+", "-"):
                break
            left = ("concat", left, self._additive())
        return left

    def _additive(self) -> Node:
        left = self._multiplicative()
        while self.kind in ("+", "-"):
            operator = self.take()[0]
            left = ("binary", operator, left, self._multiplicative())
        return left

    def _multiplicative(self) -> Node:
        left = self._unary()
        while self.kind in ("*", "/", "%"):
            operator = self.take()[0]
            left = ("binary", operator, left, self._unary())
        return left

    def _unary(self) -> Node:
        if self.kind in ("!", "-", "+"):
            self.deeper()
            operator = self.take()[0]
            node = ("unary", operator, self._unary())
            self.depth -= 1
            return node
        return self._power()

    def _power(self) -> Node:
        base = self._postfix()
        if self.kind in ("^", "**"):
            self.take()
            self.deeper()
            node = ("binary", "^", base, self._unary())
            self.depth -= 1
            return node
        return base

    def _postfix(self) -> Node:
        node = self._primary()
        if self.kind in ("++", "--") and node[0] in ("name", "index", "field"):
            return ("post", self.take()[0], node)
        return node

    def _primary(self) -> Node:
        kind, text = self.take()
        match kind:
            case "number":
                return ("number", float(text) if text.count(".") < 2 else 0.0)
            case "string":
                return ("string", text)
            case "regex":
                return ("regex", text)
            case "$":
                self.deeper()
                node = self._primary() if self.kind not in ("++", "--", "-") else self._unary()
                self.depth -= 1
                return ("field", node)
            case "++" | "--":
                return ("pre", kind, self._primary())
            case "(":
                saved = (self.no_greater, self.no_in)
                self.no_greater = self.no_in = False
                nodes = self._list(")")
                self.lines()
                self.expect(")")
                self.no_greater, self.no_in = saved
                if len(nodes) != 1:
                    return ("grouping", nodes)
                return ("paren", nodes[0])
            case "name":
                if self.accept("["):
                    keys = self._list("]")
                    self.expect("]")
                    return ("index", text, keys)
                return ("name", text)
            case "builtin":
                return self._builtin(text)
            case "funcname":
                self.expect("(")
                arguments = self._list(")")
                self.lines()
                self.expect(")")
                self.called.append(text)
                return ("call", text, arguments)
            case "-" | "+" | "!":
                return ("unary", kind, self._primary())
            case "getline":
                raise AwkError("getline is not supported here")
        seen = text.replace("\n", "newline") or "end of file"
        raise AwkError(f"syntax error at or near {seen}")

    def _builtin(self, name: str) -> Node:
        if name in ("system", "sin", "cos", "atan2", "exp", "log"):
            raise AwkError(f"{name}() is not supported here")
        if self.accept("("):
            saved = (self.no_greater, self.no_in)
            self.no_greater = self.no_in = False
            arguments = self._list(")")
            self.lines()
            self.expect(")")
            self.no_greater, self.no_in = saved
            return ("builtin", name, arguments)
        if name != "length":
            raise AwkError(f"syntax error: {name} without arguments")
        return ("builtin", name, ())


@lru_cache(maxsize=64)
def parse(text: str) -> Tree:
    """The tree of a program. Raises AwkError."""
    return _Parser(tokens(text)).tree()
