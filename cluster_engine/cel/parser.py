"""Text to a syntax tree, by precedence climbing.

Models parser/parser.go and parser/gen/CEL.g4 of cel-go. Errors have ANTLR's texts; like ANTLR, one token that is too
much is left out and reading goes on, but after an error that needs more than that the rest is not read.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NoReturn

from cluster_engine.cel import literals, macros
from cluster_engine.cel.errors import CelSyntaxError, Issue
from cluster_engine.cel.lexer import (
    BYTES,
    END,
    FLOAT,
    IDENTIFIER,
    INT,
    QUOTED_IDENTIFIER,
    STRING,
    UINT,
    Token,
    tokens,
)
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

MAX_LENGTH = 100_000
"""Code points of an expression (cel-go's own limit)."""

MAX_DEPTH = 100
"""Expressions within each other, and levels of a tree; upstream takes 250, which are too many frames for Python."""

RESERVED = frozenset((
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace", "return", "var", "void", "while",
))  # fmt: skip
"""Words that name nothing."""

_BINARY = {
    "||": (1, "_||_"),
    "&&": (2, "_&&_"),
    "<": (3, "_<_"),
    "<=": (3, "_<=_"),
    ">=": (3, "_>=_"),
    ">": (3, "_>_"),
    "==": (3, "_==_"),
    "!=": (3, "_!=_"),
    "in": (3, "@in"),
    "+": (4, "_+_"),
    "-": (4, "_-_"),
    "*": (5, "_*_"),
    "/": (5, "_/_"),
    "%": (5, "_%_"),
}
_ORDER = ("[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":", "true", "false", "null",
          FLOAT, INT, UINT, STRING, BYTES, IDENTIFIER, QUOTED_IDENTIFIER)  # fmt: skip
_OPERAND = frozenset(
    ("[", "{", "(", ".", "-", "!", "true", "false", "null", FLOAT, INT, UINT, STRING, BYTES, IDENTIFIER)
)
_CONSTANTS = {"true": True, "false": False, "null": None}


class _Stop(Exception):
    """Nothing more is read."""


def parse(source: str) -> Node:
    """The tree of an expression. Raises CelSyntaxError."""
    if len(source) > MAX_LENGTH:
        text = f"expression code point size exceeds limit: size: {len(source)}, limit {MAX_LENGTH}"
        raise CelSyntaxError(source[:80], [Issue(0, text)])
    parser = _Parser(source)
    tree: Node | None = None
    with suppress(_Stop):
        tree = parser.whole()
    if parser.issues or tree is None:
        raise CelSyntaxError(source, parser.issues)
    if _depth(tree) > MAX_DEPTH:
        raise CelSyntaxError(source, [Issue(0, f"expression recursion limit exceeded: {MAX_DEPTH}")])
    return tree


def children(node: Node) -> list[Node]:
    """The nodes right below a node."""
    match node:
        case Select():
            return [node.operand]
        case Call():
            return [node.target, *node.args] if node.target is not None else node.args
        case ListLiteral():
            return node.elements
        case MapLiteral():
            return [part for entry in node.entries for part in (entry.key, entry.value)]
        case Message():
            return [entry.value for entry in node.entries]
        case Comprehension():
            return [node.range, *node.parts]
        case Bind():
            return [node.value, node.body]
    return []


def _depth(tree: Node) -> int:
    level, depth = [tree], 0
    while level:
        depth += 1
        level = [child for node in level for child in children(node)]
    return depth


class _Parser:
    def __init__(self, source: str) -> None:
        self.tokens, self.issues = tokens(source)
        self.source = source
        self.place = 0
        self.depth = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.place].kind

    def take(self) -> Token:
        token = self.tokens[self.place]
        if token.kind != END:
            self.place += 1
        return token

    def report(self, at: int, message: str) -> None:
        self.issues.append(Issue(at, message))

    # What ANTLR does with a token that does not fit

    def _mismatch(self, expected: frozenset[str]) -> NoReturn:
        token = self.tokens[self.place]
        shown = _shown(expected)
        self.report(token.at, f"Syntax error: mismatched input '{token.text}' expecting {shown}")
        raise _Stop

    def sync(self, expected: frozenset[str]) -> None:
        """Makes sure that one of ``expected`` comes; leaves one token out where that helps."""
        if self.kind in expected:
            return
        token = self.tokens[self.place]
        following = self.tokens[min(self.place + 1, len(self.tokens) - 1)]
        if token.kind != END and following.kind in expected:
            self.report(
                token.at, f"Syntax error: extraneous input '{token.text}' expecting {_shown(expected)}"
            )
            self.place += 1
            return
        self._mismatch(expected)

    def match(self, kind: str, missing: bool = False) -> Token:
        """Takes a token of that kind. ``missing``: whatever may follow it ends an expression as well."""
        if self.kind != kind and missing and self.kind not in _OPERAND:
            following = self.tokens[min(self.place + 1, len(self.tokens) - 1)]
            if following.kind != kind or self.kind == END:
                token = self.tokens[self.place]
                self.report(token.at, f"Syntax error: missing '{kind}' at '{token.text}'")
                raise _Stop
        self.sync(frozenset((kind,)))
        return self.take()

    # The grammar

    def whole(self) -> Node:
        tree = self.expression()
        self.sync(frozenset((END,)))
        return tree

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.report(0, f"expression recursion limit exceeded: {MAX_DEPTH}")
            raise _Stop
        condition = self.binary(1)
        if self.kind == "?":
            at = self.take().at
            then = self.binary(1)
            self.match(":")
            condition = Call(at, "_?_:_", None, [condition, then, self.expression()])
        self.depth -= 1
        return condition

    def binary(self, least: int) -> Node:
        left = self.unary()
        while True:
            rank, function = _BINARY.get(self.kind, (0, ""))
            if rank < least or not rank:
                return left
            at = self.take().at
            right = self.binary(rank + 1)
            if rank <= 2 and isinstance(left, Call) and left.function == function:
                left.args.append(right)  # evaluated as one, whatever the number of terms
            else:
                left = Call(at, function, None, [left, right])

    def unary(self) -> Node:
        sign = self.kind
        if sign not in ("!", "-"):
            return self.member(self.primary())
        at, count = self.tokens[self.place].at, 0
        while self.kind == sign:
            self.take()
            count += 1
        if self.kind not in _OPERAND - {"!", "-"}:
            token = self.tokens[self.place]
            text = "" if token.kind == END else token.text
            self.report(token.at, f"Syntax error: no viable alternative at input '{sign}{text}'")
            raise _Stop
        negative = sign == "-" and self.kind in (INT, FLOAT)
        operand = self.member(self.literal(negative=True) if negative else self.primary())
        if (count - negative) % 2 == 0:
            return operand
        return Call(at, "!_" if sign == "!" else "-_", None, [operand])

    def member(self, node: Node) -> Node:
        while True:
            sign = self.kind
            if sign == ".":
                node = self.selection(node)
            elif sign == "[":
                at = self.take().at
                optional = self.kind == "?" and bool(self.take())
                index = self.expression()
                self.match("]", missing=True)
                node = Call(at, "_[?_]" if optional else "_[_]", None, [node, index])
            elif sign == "{" and (name := _qualified(node)):
                at = self.take().at
                node = Message(at, name, self.fields())
            else:
                return node

    def selection(self, node: Node) -> Node:
        at = self.take().at
        optional = self.kind == "?" and bool(self.take())
        if self.kind not in (IDENTIFIER, QUOTED_IDENTIFIER):
            token = self.tokens[self.place]
            text = "" if token.kind == END else token.text
            self.report(token.at, f"Syntax error: no viable alternative at input '.{'?' * optional}{text}'")
            raise _Stop
        token = self.take()
        name = token.text.strip("`")
        if optional:
            return Call(at, "_?._", None, [node, Literal(at, name)])
        if self.kind == "(" and token.kind == IDENTIFIER:
            opening = self.take().at
            return self.call(opening, name, node, self.arguments())
        return Select(at, node, name)

    def call(self, at: int, name: str, target: Node | None, args: list[Node]) -> Node:
        try:
            return macros.expand(at, name, target, args) or Call(at, name, target, args)
        except macros.MacroError as error:
            self.issues.append(error.issue)
            return Literal(at, None)

    def arguments(self) -> list[Node]:
        """The arguments after an opening parenthesis, and the closing one."""
        args: list[Node] = []
        self.sync(_OPERAND | {")"})
        if self.kind != ")":
            args.append(self.expression())
            while self.kind == ",":
                self.take()
                args.append(self.expression())
        self.match(")", missing=True)
        return args

    def primary(self) -> Node:
        self.sync(_OPERAND)
        kind = self.kind
        if kind == "-" or kind == "!":  # only after a token that was left out
            return self.unary()
        if kind == IDENTIFIER or kind == ".":
            return self.name()
        if kind == "(":
            self.take()
            inner = self.expression()
            self.match(")", missing=True)
            return inner
        if kind == "[":
            return self.row()
        if kind == "{":
            at = self.take().at
            return MapLiteral(at, self.entries())
        return self.literal()

    def name(self) -> Node:
        dot = self.take().text if self.kind == "." else ""
        if dot:
            self.sync(frozenset((IDENTIFIER,)))
        token = self.take()
        if token.text in RESERVED:
            self.report(token.at, f"reserved identifier: {token.text}")
        name = dot + token.text
        if self.kind == "(":
            at = self.take().at
            return self.call(at, name, None, self.arguments())
        return Ident(token.at, name)

    def row(self) -> Node:
        at = self.take().at
        self.sync(_OPERAND | {"]", ",", "?"})
        elements: list[Node] = []
        optional: set[int] = set()
        while self.kind not in ("]", ","):
            if self.kind == "?":
                self.take()
                optional.add(len(elements))
            elements.append(self.expression())
            if self.kind != "," or self.tokens[self.place + 1].kind == "]":
                break
            self.take()
        if self.kind != "]":
            self.sync(frozenset(("]", ",")))
        if self.kind == ",":
            self.take()
        self.match("]")
        return ListLiteral(at, elements, frozenset(optional))

    def entries(self) -> list[Entry]:
        found: list[Entry] = []
        self.sync(_OPERAND | {"}", ",", "?"})
        while self.kind not in ("}", ","):
            optional = self.kind == "?" and bool(self.take())
            key = self.expression()
            at = self.match(":").at
            found.append(Entry(at, key, self.expression(), optional))
            if not self.another():
                break
        self.close()
        return found

    def fields(self) -> list[Entry]:
        found: list[Entry] = []
        self.sync(frozenset(("}", ",", "?", IDENTIFIER, QUOTED_IDENTIFIER)))
        while self.kind not in ("}", ","):
            optional = self.kind == "?" and bool(self.take())
            name = self.take().text.strip("`")
            at = self.match(":").at
            found.append(Entry(at, name, self.expression(), optional))
            if not self.another():
                break
        self.close()
        return found

    def another(self) -> bool:
        if self.kind != "," or self.tokens[self.place + 1].kind == "}":
            return False
        self.take()
        return True

    def close(self) -> None:
        if self.kind != "}":
            self.sync(frozenset(("}", ",")))
        if self.kind == ",":
            self.take()
        self.match("}")

    def literal(self, negative: bool = False) -> Node:
        token = self.take()
        kind, text, at = token
        if negative:
            text, at = f"-{text}", self.tokens[self.place - 2].at
        if kind in _CONSTANTS:
            return Literal(at, _CONSTANTS[kind])
        if kind == FLOAT:
            number = float(text)
            if number in (float("inf"), float("-inf")):
                self.report(at, "invalid double literal")
            return Literal(at, number)
        if kind in (INT, UINT):
            value = literals.integer(text) if kind == INT else literals.unsigned(text)
            if value is None:
                self.report(at, "invalid int literal" if kind == INT else "invalid uint literal")
            return Literal(at, value)
        content, problem = literals.text_of(text, kind == BYTES)
        if problem:
            self.report(at, problem)
        return Literal(at, content)


def _qualified(node: Node) -> str:
    """The dotted name that a tree stands for, or nothing."""
    names: list[str] = []
    while isinstance(node, Select) and not node.test:
        names.append(node.field)
        node = node.operand
    if not isinstance(node, Ident):
        return ""
    return ".".join((node.name, *reversed(names)))


def _shown(expected: frozenset[str]) -> str:
    names = [
        kind if kind.isupper() or kind in (END, QUOTED_IDENTIFIER) else f"'{kind}'"
        for kind in (*_ORDER, END)
        if kind in expected
    ]
    return names[0] if len(names) == 1 else "{" + ", ".join(names) + "}"
