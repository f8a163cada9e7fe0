"""`$((…))`: integers of 64 bits, C's operators, assignment; compiled once to a tree of closures.

An expression is text after expansion. `compiled` parses it (the result is cached) to a function of a *scope*: an
object with ``number(name)`` and ``assign(name, text)``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from cluster_engine.linux.sh.errors import ShellError

MAX_LENGTH = 4096
"""Characters of one expression."""
MAX_DEPTH = 40
"""Brackets, ternaries and assignments inside one another."""


class Scope(Protocol):
    """Where names are looked up."""

    def number(self, name: str) -> int:
        """The value of a variable. Raises ShellError when it is no number."""

    def assign(self, name: str, value: str) -> None: ...


Compute = Callable[[Scope], int]

_TOKEN = re.compile(
    r"[ \t\n]*(?:(0[xX][0-9a-fA-F]+|[0-9]+)|([A-Za-z_][A-Za-z0-9_]*)|"
    r"(<<=|>>=|\+\+|--|\*\*|&&|\|\||==|!=|<=|>=|<<|>>|[-+*/%&|^]=|[-+*/%<>=!~&|^?:(),]))"
)
_NAME_AHEAD = re.compile(r"[ \t\n]*[A-Za-z_]")
_LEVELS: dict[str, int] = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, ">": 7, "<=": 7, ">=": 7,
    "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10, "**": 11,
}  # fmt: skip
_ASSIGN = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")
_BIG = 1 << 63


def wrap(value: int) -> int:
    """The value as 64 bits hold it."""
    return value if -_BIG <= value < _BIG else (value + _BIG) % (2 * _BIG) - _BIG


def number(text: str) -> int:
    """A number as the shell reads it: decimal, 0x…, 0…; blank is 0. Raises ShellError."""
    if text.isdecimal() and (text[0] != "0" or len(text) == 1) and len(text) < 19:
        return int(text)
    stripped = text.strip(" \t\n")
    sign = -1 if stripped.startswith("-") else 1
    digits = stripped[1:] if stripped[:1] in ("-", "+") else stripped
    if not digits and not stripped:
        return 0
    try:
        if not digits or len(digits) > 40 or not digits.isascii():
            raise ValueError
        if digits[:2] in ("0x", "0X"):
            return wrap(sign * int(digits[2:], 16))
        if not digits.isdecimal():
            raise ValueError
        return wrap(sign * int(digits, 8 if digits[0] == "0" else 10))
    except ValueError:
        raise ShellError("arithmetic syntax error") from None


@lru_cache(maxsize=1024)
def compiled(text: str) -> Compute:
    """The expression as a function. Raises ShellError (syntax)."""
    if len(text) > MAX_LENGTH:
        raise ShellError(f"an arithmetic expression may have at most {MAX_LENGTH} characters")
    return _Parser(text).parse()


def _constant(value: int) -> Compute:
    return lambda scope: value


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        self._at = 0
        self._depth = 0
        at, end = 0, len(text.rstrip(" \t\n"))
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                raise self._error()
            token = match.group().strip(" \t\n")
            at = match.end()
            before = self._tokens[-1] if self._tokens else ""
            if token in ("++", "--") and not (_is_name(before) or _NAME_AHEAD.match(text, at)):
                self._tokens.extend(token)  # two signs
            else:
                self._tokens.append(token)

    def _error(self) -> ShellError:
        return ShellError("arithmetic syntax error")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, token: str) -> bool:
        if self._peek() == token:
            self._at += 1
            return True
        return False

    def parse(self) -> Compute:
        if not self._tokens:
            return _constant(0)
        value = self._comma()
        if self._at < len(self._tokens):
            raise self._error()
        return value

    def _comma(self) -> Compute:
        value = self._assignment()
        while self._take(","):
            value = _both(value, self._assignment())
        return value

    def _assignment(self) -> Compute:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ShellError(f"arithmetic expression: nested more than {MAX_DEPTH} deep")
        following = self._tokens[self._at + 1 : self._at + 2]
        if following and following[0] in _ASSIGN and _is_name(self._peek()):
            name, operator = self._peek(), following[0]
            self._at += 2
            value = _assign(name, operator[:-1], self._assignment())
        else:
            value = self._ternary()
        self._depth -= 1
        return value

    def _ternary(self) -> Compute:
        condition = self._binary(1)
        if not self._take("?"):
            return condition
        chosen = self._assignment()
        if not self._take(":"):
            raise self._error()
        other = self._assignment()
        return lambda scope: chosen(scope) if condition(scope) else other(scope)

    def _binary(self, level: int) -> Compute:
        left = self._unary()
        while True:
            operator = self._peek()
            power = _LEVELS.get(operator, 0)
            if power < level:
                return left
            self._at += 1
            right = self._binary(power if operator == "**" else power + 1)
            left = _binary(operator, left, right)

    def _unary(self) -> Compute:
        token = self._peek()
        if token in ("++", "--") and _is_name("".join(self._tokens[self._at + 1 : self._at + 2])):
            self._at += 2
            return _step(self._tokens[self._at - 1], 1 if token == "++" else -1, before=True)
        if token in ("+", "-", "!", "~", "--", "++"):
            self._at += 1
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise ShellError(f"arithmetic expression: nested more than {MAX_DEPTH} deep")
            value = self._unary()
            self._depth -= 1
            if token == "-":
                return lambda scope: wrap(-value(scope))
            if token == "!":
                return lambda scope: int(value(scope) == 0)
            if token == "~":
                return lambda scope: ~value(scope)
            return value
        return self._primary()

    def _primary(self) -> Compute:
        token = self._peek()
        self._at += 1
        if token == "(":
            value = self._comma()
            if not self._take(")"):
                raise self._error()
            return value
        if token[:1].isdecimal():
            return _constant(number(token))
        if _is_name(token):
            if self._peek() in ("++", "--") and not self._operand_follows():
                self._at += 1
                return _step(token, 1 if self._tokens[self._at - 1] == "++" else -1, before=False)
            return lambda scope: scope.number(token)
        raise self._error()

    def _operand_follows(self) -> bool:
        following = self._tokens[self._at + 1 : self._at + 2]
        return bool(following) and (following[0][0].isalnum() or following[0][0] in "_(")


def _both(first: Compute, second: Compute) -> Compute:
    def run(scope: Scope) -> int:
        first(scope)
        return second(scope)

    return run


def _step(name: str, by: int, *, before: bool) -> Compute:
    def run(scope: Scope) -> int:
        old = scope.number(name)
        new = wrap(old + by)
        scope.assign(name, str(new))
        return new if before else old

    return run


def _assign(name: str, operator: str, value: Compute) -> Compute:
    if not operator:

        def plain(scope: Scope) -> int:
            result = value(scope)
            scope.assign(name, str(result))
            return result

        return plain
    combined = _binary(operator, lambda scope: scope.number(name), value)

    def run(scope: Scope) -> int:
        result = combined(scope)
        scope.assign(name, str(result))
        return result

    return run


def _divide(left: int, right: int) -> int:
    if right == 0:
        raise ShellError("divide by zero")
    quotient = abs(left) // abs(right)
    return wrap(quotient if (left < 0) == (right < 0) else -quotient)


def _power(left: int, right: int) -> int:
    if right < 0:
        raise ShellError("exponent less than 0")
    return wrap(pow(left, right, 1 << 64) if right > 64 else left**right)


def _binary(operator: str, a: Compute, b: Compute) -> Compute:
    match operator:
        case "+":
            return lambda scope: wrap(a(scope) + b(scope))
        case "-":
            return lambda scope: wrap(a(scope) - b(scope))
        case "*":
            return lambda scope: wrap(a(scope) * b(scope))
        case "/":
            return lambda scope: _divide(a(scope), b(scope))
        case "%":

            def modulo(scope: Scope) -> int:
                left, right = a(scope), b(scope)
                return wrap(left - _divide(left, right) * right)

            return modulo
        case "**":
            return lambda scope: _power(a(scope), b(scope))
        case "&&":
            return lambda scope: int(a(scope) != 0 and b(scope) != 0)
        case "||":
            return lambda scope: int(a(scope) != 0 or b(scope) != 0)
        case "<<":
            return lambda scope: wrap(a(scope) << (b(scope) & 63))
        case ">>":
            return lambda scope: a(scope) >> (b(scope) & 63)
        case "&":
            return lambda scope: a(scope) & b(scope)
        case "|":
            return lambda scope: a(scope) | b(scope)
        case "^":
            return lambda scope: a(scope) ^ b(scope)
        case "==":
            return lambda scope: int(a(scope) == b(scope))
        case "!=":
            return lambda scope: int(a(scope) != b(scope))
        case "<":
            return lambda scope: int(a(scope) < b(scope))
        case ">":
            return lambda scope: int(a(scope) > b(scope))
        case "<=":
            return lambda scope: int(a(scope) <= b(scope))
    return lambda scope: int(a(scope) >= b(scope))


def _is_name(token: str) -> bool:
    return bool(token) and token.isascii() and (token[0].isalpha() or token[0] == "_")
