"""`$((…))`: integers of 64 bits, C's operators, assignment; precedence climbing."""

from __future__ import annotations

import re
from collections.abc import Callable

from .errors import ShellError

MAX_LENGTH = 4096
MAX_DEPTH = 40

_TOKEN = re.compile(
    r"\s*(?:(0[xX][0-9a-fA-F]+|[0-9]+)|([A-Za-z_][A-Za-z0-9_]*)|"
    r"(<<=|>>=|\+\+|--|\*\*|&&|\|\||==|!=|<=|>=|<<|>>|[-+*/%&|^]=|[-+*/%<>=!~&|^?:(),]))"
)
_LEVELS: dict[str, int] = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, ">": 7, "<=": 7, ">=": 7,
    "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_ASSIGN = frozenset(["=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="])


def evaluate(text: str, get: Callable[[str], str], put: Callable[[str, str], None]) -> int:
    """The value of the expression; `get`/`put` reach the shell's variables."""
    if len(text) > MAX_LENGTH:
        raise ShellError(f"an arithmetic expression may have at most {MAX_LENGTH} characters")
    return _Parser(text, get, put).parse()


def number(text: str) -> int:
    """A number as the shell reads it: decimal, 0x…, 0…; blank is 0."""
    stripped = text.strip()
    sign = -1 if stripped.startswith("-") else 1
    digits = stripped[1:] if stripped[:1] in ("-", "+") else stripped
    if not digits:
        if stripped:
            raise ShellError(f"Illegal number: {text[:40]}")
        return 0
    if len(digits) > 40 or not digits.isascii():
        raise ShellError(f"Illegal number: {text[:40]}")
    try:
        if digits[:2] in ("0x", "0X"):
            return _wrap(sign * int(digits[2:], 16))
        if digits.startswith("0") and digits.isdigit():
            return _wrap(sign * int(digits, 8))
        if not digits.isdigit():
            raise ValueError
        return _wrap(sign * int(digits))
    except ValueError:
        raise ShellError(f"Illegal number: {text[:40]}") from None


def _wrap(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63


class _Parser:
    def __init__(self, text: str, get: Callable[[str], str], put: Callable[[str, str], None]) -> None:
        self._text = text
        self._get = get
        self._put = put
        self._tokens = self._scan()
        self._at = 0
        self._depth = 0

    def _scan(self) -> list[str]:
        tokens: list[str] = []
        at = 0
        while self._text[at:].strip():
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise self._error()
            tokens.append(match.group().strip())
            at = match.end()
        return tokens

    def _error(self) -> ShellError:
        shown = self._text.strip()
        for operator in ("++", "--", "**"):
            if operator in shown:
                return ShellError(f'arithmetic expression: `{operator}` belongs to bash: "{shown[:60]}"')
        return ShellError(f'arithmetic expression: expecting primary: "{shown[:60]}"')

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, token: str) -> bool:
        if self._peek() == token:
            self._at += 1
            return True
        return False

    def parse(self) -> int:
        if not self._tokens:
            return 0
        value = self._assignment(True)
        if self._at < len(self._tokens):
            raise self._error()
        return value

    def _assignment(self, live: bool) -> int:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ShellError(f"arithmetic expression: nested more than {MAX_DEPTH} deep")
        try:
            following = self._tokens[self._at + 1 : self._at + 2]
            if following and following[0] in _ASSIGN and _is_name(self._peek()):
                name, operator = self._peek(), following[0]
                self._at += 2
                value = self._assignment(live)
                if operator != "=" and live:
                    value = self._apply(operator[:-1], number(self._get(name)), value)
                if live:
                    self._put(name, str(value))
                return value
            return self._ternary(live)
        finally:
            self._depth -= 1

    def _ternary(self, live: bool) -> int:
        condition = self._binary(1, live)
        if not self._take("?"):
            return condition
        chosen = self._assignment(live and condition != 0)
        if not self._take(":"):
            raise self._error()
        other = self._assignment(live and condition == 0)
        return chosen if condition else other

    def _binary(self, level: int, live: bool) -> int:
        left = self._unary(live)
        while True:
            operator = self._peek()
            power = _LEVELS.get(operator, 0)
            if power < level:
                return left
            self._at += 1
            if operator == "&&":
                right = self._binary(power + 1, live and left != 0)
                left = int(left != 0 and right != 0)
            elif operator == "||":
                right = self._binary(power + 1, live and left == 0)
                left = int(left != 0 or right != 0)
            else:
                right = self._binary(power + 1, live)
                left = self._apply(operator, left, right) if live else 0

    def _unary(self, live: bool) -> int:
        operators: list[str] = []
        while self._peek() in ("+", "-", "!", "~"):
            operators.append(self._peek())
            self._at += 1
        value = self._primary(live)
        for operator in reversed(operators):
            if operator == "-":
                value = _wrap(-value)
            elif operator == "!":
                value = int(value == 0)
            elif operator == "~":
                value = ~value
        return value

    def _primary(self, live: bool) -> int:
        token = self._peek()
        self._at += 1
        if token == "(":
            value = self._assignment(live)
            if not self._take(")"):
                raise self._error()
            return value
        if token[:1].isdigit():
            return number(token)
        if _is_name(token):
            return number(self._get(token)) if live else 0
        raise self._error()

    def _apply(self, operator: str, left: int, right: int) -> int:
        if operator in ("/", "%"):
            if right == 0:
                raise ShellError(f'arithmetic expression: division by zero: "{self._text.strip()[:60]}"')
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return _wrap(quotient if operator == "/" else left - quotient * right)
        match operator:
            case "+":
                value = left + right
            case "-":
                value = left - right
            case "*":
                value = left * right
            case "<<":
                value = left << (right & 63)
            case ">>":
                value = left >> (right & 63)
            case "&":
                value = left & right
            case "|":
                value = left | right
            case "^":
                value = left ^ right
            case "==":
                value = int(left == right)
            case "!=":
                value = int(left != right)
            case "<":
                value = int(left < right)
            case ">":
                value = int(left > right)
            case "<=":
                value = int(left <= right)
            case _:
                value = int(left >= right)
        return _wrap(value)


def _is_name(token: str) -> bool:
    return bool(token) and (token[0].isalpha() or token[0] == "_") and token.isascii()
