"""From the text of a jq program to its syntax: nested tuples whose first item names the form.

Lowest binds `|`, then `,`, `//`, assignments, `or`, `and`, comparisons, `+ -`, `* / %`.
"""

from __future__ import annotations

import re
from typing import Any

Node = tuple[Any, ...]

MAX_PROGRAM = 16 * 1024
"""Characters of one program."""
MAX_DEPTH = 60
"""Brackets inside one another."""


class SyntaxProblem(Exception):
    """The text is no program of jq's."""


_TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*\s*)*(?:
    (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<string>")
    |(?P<format>@[A-Za-z0-9]+)
    |(?P<field>\.[A-Za-z_][A-Za-z0-9_]*)
    |(?P<variable>\$(?:__loc__|[A-Za-z_][A-Za-z0-9_]*))
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark>\?//=|\?//|//=|\|=|\+=|-=|\*=|/=|%=|==|!=|<=|>=|//|\.\.|[.\[\]{}()|,:;?=<>+\-*/%])
    )""",
    re.VERBOSE,
)
_ASSIGNMENTS = frozenset(["=", "|=", "+=", "-=", "*=", "/=", "%=", "//="])
_COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">="])
_WORDS = frozenset(
    [
        "and",
        "or",
        "if",
        "then",
        "elif",
        "else",
        "end",
        "as",
        "def",
        "reduce",
        "foreach",
        "try",
        "catch",
        "label",
    ]
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"'}


def parse(text: str) -> Node:
    """The program as one node. Raises SyntaxProblem."""
    if len(text) > MAX_PROGRAM:
        raise SyntaxProblem(f"a program may have at most {MAX_PROGRAM:,} characters")
    parser = _Parser(text)
    node: Node = ("identity",) if parser.kind == "end" else parser.program()
    if parser.kind != "end":
        raise parser.unexpected()
    return node


def _number(token: str) -> Any:
    value = float(token)
    return (
        int(value)
        if value.is_integer() and abs(value) < 1e17
        else value
        if value < 1e308
        else 1.7976931348623157e308
    )


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.kind = self.token = ""
        self.next()

    # --- tokens -----------------------------------------------------------------------------------

    def next(self) -> None:
        """Read one token ahead."""
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            rest = re.sub(r"\A(?:\s|#[^\n]*)+", "", self.text[self.at :])
            if rest:
                raise SyntaxProblem(f"unexpected {rest[0]!r}")
            self.kind, self.token = "end", ""
            return
        self.kind = found.lastgroup or ""
        self.token = found.group(self.kind)
        self.at = found.end()

    def unexpected(self) -> SyntaxProblem:
        """What stands there cannot."""
        return SyntaxProblem(
            "unexpected end of the program" if self.kind == "end" else f"unexpected {self.token}"
        )

    def is_mark(self, *marks: str) -> bool:
        """Is this one of these marks or words?"""
        return self.kind in ("mark", "word") and self.token in marks

    def _at_string(self) -> bool:
        return self.kind == "string"

    def take(self, mark: str) -> bool:
        """Go past a mark or word if it is there."""
        if self.is_mark(mark):
            self.next()
            return True
        return False

    def expect(self, mark: str) -> None:
        """Go past a mark or word that must be there."""
        if not self.take(mark):
            raise self.unexpected()

    # --- from the loosest binding to the tightest -------------------------------------------------

    def program(self) -> Node:
        """Definitions, pipes."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SyntaxProblem(f"nested more than {MAX_DEPTH} deep")
        try:
            return self._pipe()
        finally:
            self.depth -= 1

    def _pipe(self) -> Node:
        if self.is_mark("def"):
            definition = self._definition()
            rest: Node = ("identity",) if self.kind == "end" else self._pipe()
            return ("def", *definition, rest)
        left = self._comma()
        if self.take("|"):
            return ("pipe", left, self._pipe())
        return left

    def _definition(self) -> tuple[str, tuple[str, ...], Node]:
        self.next()
        name, names = self._word(), []
        if self.take("("):
            names.append(self._parameter())
            while self.take(";"):
                names.append(self._parameter())
            self.expect(")")
        self.expect(":")
        body = self.program()
        self.expect(";")
        return name, tuple(names), body

    def _parameter(self) -> str:
        name = self.token
        if self.kind not in ("word", "variable"):
            raise self.unexpected()
        self.next()
        return name

    def _word(self) -> str:
        name = self.token
        if self.kind != "word":
            raise self.unexpected()
        self.next()
        return name

    def _comma(self) -> Node:
        left = self._alternative()
        while self.take(","):
            left = ("comma", left, self._alternative())
        return left

    def _alternative(self) -> Node:
        left = self._assignment()
        if self.take("//"):
            return ("alternative", left, self._alternative())
        return left

    def _assignment(self) -> Node:
        left = self._or()
        if self.kind == "mark" and self.token in _ASSIGNMENTS:
            operator = self.token
            self.next()
            return ("assign", operator, left, self._alternative())
        return left

    def _or(self) -> Node:
        left = self._and()
        while self.take("or"):
            left = ("or", left, self._and())
        return left

    def _and(self) -> Node:
        left = self._comparison()
        while self.take("and"):
            left = ("and", left, self._comparison())
        return left

    def _comparison(self) -> Node:
        left = self._sum()
        if self.kind == "mark" and self.token in _COMPARISONS:
            operator = self.token
            self.next()
            return ("binary", operator, left, self._sum())
        return left

    def _sum(self) -> Node:
        left = self._product()
        while self.is_mark("+", "-"):
            operator = self.token
            self.next()
            left = ("binary", operator, left, self._product())
        return left

    def _product(self) -> Node:
        left = self._postfix()
        while self.is_mark("*", "/", "%"):
            operator = self.token
            self.next()
            left = ("binary", operator, left, self._postfix())
        return left

    # --- terms ------------------------------------------------------------------------------------

    def _postfix(self) -> Node:
        node = self._term()
        while True:
            if self.kind == "field":
                node = ("index", node, ("literal", self.token[1:]))
                self.next()
            elif self.is_mark("."):
                self.next()
                if self.kind == "string":
                    node = ("index", node, self._string(""))
                elif not self.is_mark("["):
                    raise self.unexpected()
            elif self.is_mark("["):
                node = self._brackets(node)
            elif self.is_mark("?"):
                self.next()
                node = ("try", node, None)
            elif self.is_mark("as"):
                self.next()
                pattern = self._pattern()
                self.expect("|")
                return ("as", node, pattern, self.program())
            else:
                return node

    def _brackets(self, node: Node) -> Node:
        self.next()
        if self.take("]"):
            return ("each", node)
        if self.take(":"):
            end = self.program()
            self.expect("]")
            return ("slice", node, None, end)
        start = self.program()
        if self.take(":"):
            last = None if self.is_mark("]") else self.program()
            self.expect("]")
            return ("slice", node, start, last)
        self.expect("]")
        return ("index", node, start)

    def _pattern(self) -> Node:
        """`$x`, `[$a, $b]`, `{name: $n, $m}`."""
        if self.kind == "variable":
            name = self.token
            self.next()
            return ("variable", name)
        if self.take("["):
            items = [self._pattern()]
            while self.take(","):
                items.append(self._pattern())
            self.expect("]")
            return ("array", tuple(items))
        self.expect("{")
        pairs: list[tuple[Node, Node]] = []
        while True:
            if self.kind == "variable":
                name = self.token
                self.next()
                key: Node = ("literal", name[1:])
                pairs.append((key, self._pattern() if self.take(":") else ("variable", name)))
            else:
                key = self._key()
                self.expect(":")
                pairs.append((key, self._pattern()))
            if not self.take(","):
                break
        self.expect("}")
        return ("object", tuple(pairs))

    def _term(self) -> Node:
        token = self.token
        match self.kind:
            case "number":
                self.next()
                return ("literal", _number(token))
            case "string":
                return self._string("")
            case "format":
                self.next()
                return self._string(token) if self._at_string() else ("format", token)
            case "field":
                self.next()
                return ("index", ("identity",), ("literal", token[1:]))
            case "variable":
                self.next()
                return ("variable", token)
            case "word":
                return self._named(token)
            case "mark":
                return self._marked(token)
        raise self.unexpected()

    def _marked(self, token: str) -> Node:
        if token == "-":
            self.next()
            return ("negative", self._postfix())
        if token == ".":
            self.next()
            if self.kind == "string":
                return ("index", ("identity",), self._string(""))
            return ("identity",)
        if token == "..":
            self.next()
            return ("call", "recurse", ())
        if token == "(":
            self.next()
            node = self.program()
            self.expect(")")
            return node
        if token == "[":
            self.next()
            if self.take("]"):
                return ("literal", [])
            node = self.program()
            self.expect("]")
            return ("collect", node)
        if token == "{":
            return self._object()
        raise self.unexpected()

    def _named(self, token: str) -> Node:
        if token == "if":
            return self._if()
        self.next()
        if token == "try":
            body = self._postfix()
            return ("try", body, self._postfix() if self.take("catch") else None)
        if token in ("reduce", "foreach"):
            source = self._term_of_reduce()
            pattern = self._pattern()
            self.expect("(")
            parts = [self.program()]
            while self.take(";"):
                parts.append(self.program())
            self.expect(")")
            if not (len(parts) == 2 or (token == "foreach" and len(parts) == 3)):
                raise SyntaxProblem(f"{token} takes (start; update)")
            return (token, source, pattern, *parts)
        if token in ("null", "true", "false"):
            return ("literal", {"null": None, "true": True, "false": False}[token])
        if token in _WORDS:
            raise SyntaxProblem(f"unexpected {token}")
        arguments: list[Node] = []
        if self.take("("):
            arguments.append(self.program())
            while self.take(";"):
                arguments.append(self.program())
            self.expect(")")
        return ("call", token, tuple(arguments))

    def _term_of_reduce(self) -> Node:
        node = self._term()
        while not self.is_mark("as"):
            if self.kind == "field":
                node = ("index", node, ("literal", self.token[1:]))
                self.next()
            elif self.is_mark("["):
                node = self._brackets(node)
            elif self.take("?"):
                node = ("try", node, None)
            else:
                raise self.unexpected()
        self.next()
        return node

    def _if(self) -> Node:
        self.next()
        condition = self.program()
        self.expect("then")
        then = self.program()
        otherwise: Node = ("identity",)
        if self.is_mark("elif"):
            return ("if", condition, then, self._if())
        if self.take("else"):
            otherwise = self.program()
        self.expect("end")
        return ("if", condition, then, otherwise)

    def _object(self) -> Node:
        self.next()
        pairs: list[tuple[Node, Node]] = []
        while not self.is_mark("}"):
            if self.kind == "variable":
                name = self.token
                self.next()
                pairs.append((("literal", name[1:]), ("variable", name)))
            else:
                key = self._key()
                value: Node = ("index", ("identity",), key)
                if self.take(":"):
                    value = self._value()
                pairs.append((key, value))
            if not self.take(","):
                break
        self.expect("}")
        return ("object", tuple(pairs))

    def _value(self) -> Node:
        node = self._alternative()
        while self.take("|"):
            node = ("pipe", node, self._alternative())
        return node

    def _key(self) -> Node:
        if self.kind == "word":
            return ("literal", self._word())
        if self.kind == "string":
            return self._string("")
        if self.kind == "format":
            token = self.token
            self.next()
            return self._string(token)
        if self.take("("):
            node = self.program()
            self.expect(")")
            return node
        raise self.unexpected()

    def _string(self, form: str) -> Node:
        """A string whose opening quote is the present token; `\\(…)` are programs."""
        parts: list[Any] = []
        text: list[str] = []
        at = self.at
        while True:
            if at >= len(self.text):
                raise SyntaxProblem("unterminated string")
            char = self.text[at]
            at += 1
            if char == '"':
                break
            if char != "\\":
                text.append(char)
                continue
            escape = self.text[at : at + 1]
            at += 1
            if escape == "(":
                parts.append("".join(text))
                text = []
                self.at = at
                self.next()
                parts.append(self.program())
                if not self.is_mark(")"):
                    raise self.unexpected()
                at = self.at
            elif escape == "u":
                code = self.text[at : at + 4]
                if not re.fullmatch(r"[0-9a-fA-F]{4}", code):
                    raise SyntaxProblem("invalid \\u escape")
                text.append(chr(int(code, 16)))
                at += 4
            elif escape in _ESCAPES:
                text.append(_ESCAPES[escape])
            else:
                raise SyntaxProblem(f"invalid escape \\{escape}")
        parts.append("".join(text))
        self.at = at
        self.next()
        if len(parts) == 1:
            return ("literal", parts[0])
        return ("template", form or "@text", tuple(parts))
