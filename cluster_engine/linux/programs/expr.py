"""`expr`."""

from __future__ import annotations

from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import fail, is_busybox, misused
from cluster_engine.linux.regex import PatternError, printable, regex
from cluster_engine.linux.text import characters, octets

_USAGE = "expr EXPRESSION"
_LEVELS = (("|",), ("&",), ("=", "==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"), (":",))
MAX_DEPTH = 40
_LIMIT = 1 << 63


class _Expression:
    def __init__(self, sys: Sys, words: list[str]) -> None:
        self.sys = sys
        self.words = words
        self.at = 0
        self.depth = 0

    def value(self) -> str:
        result = self._level(0)
        if self.at < len(self.words):
            self._syntax(self.words[self.at])
        return result

    def _syntax(self, word: str | None = None) -> None:
        if is_busybox(self.sys):
            fail(self.sys, "syntax error", 2)
        if word is None:
            fail(self.sys, f"syntax error: missing argument after '{self.words[-1]}'", 2)
        fail(self.sys, f"syntax error: unexpected argument '{word}'", 2)

    def _level(self, level: int) -> str:
        if level == len(_LEVELS):
            return self._primary()
        left = self._level(level + 1)
        while self.at < len(self.words) and self.words[self.at] in _LEVELS[level]:
            operator = self.words[self.at]
            self.at += 1
            left = self._apply(left, operator, self._level(level + 1))
        return left

    def _primary(self) -> str:
        if self.at >= len(self.words):
            self._syntax()
        word = self.words[self.at]
        self.at += 1
        if word == "(":
            self.depth += 1
            if self.depth > MAX_DEPTH:
                fail(self.sys, f"an expression nested more than {MAX_DEPTH} deep is not read here", 2)
            inner = self._level(0)
            if self.at >= len(self.words) or self.words[self.at] != ")":
                self._syntax()
            self.at += 1
            self.depth -= 1
            return inner
        if word == "length" and self.at < len(self.words):
            return str(len(characters(self._primary())))
        if word == "match" and self.at + 1 < len(self.words):
            return self._match(self._primary(), self._primary())
        if word == "index" and self.at + 1 < len(self.words):
            text, chars = self._primary(), self._primary()
            return str(next((at + 1 for at, char in enumerate(text) if char in chars), 0))
        if word == "substr" and self.at + 2 < len(self.words):
            text, start, count = self._primary(), self._int(self._primary()), self._int(self._primary())
            return text[start - 1 : start - 1 + count] if start > 0 and count > 0 else ""
        if word == "+" and self.at < len(self.words):
            self.at += 1
            return self.words[self.at - 1]
        return word

    @staticmethod
    def _is_int(text: str) -> bool:
        digits = text[1:] if text.startswith("-") else text
        return digits.isascii() and digits.isdigit() and len(digits) < 20

    def _int(self, text: str) -> int:
        if not self._is_int(text):
            fail(self.sys, "non-integer argument" if not is_busybox(self.sys) else "non-numeric argument", 2)
        return int(text)

    def _apply(self, left: str, operator: str, right: str) -> str:
        match operator:
            case "|":
                return left if left not in ("", "0") else right if right else "0"
            case "&":
                return left if left not in ("", "0") and right not in ("", "0") else "0"
            case ":":
                return self._match(left, right)
            case "=" | "==" | "!=" | "<" | "<=" | ">" | ">=":
                if self._is_int(left) and self._is_int(right):
                    order = (int(left) > int(right)) - (int(left) < int(right))
                else:
                    order = (left > right) - (left < right)
                truth = {
                    "=": order == 0,
                    "==": order == 0,
                    "!=": order != 0,
                    "<": order < 0,
                    "<=": order <= 0,
                    ">": order > 0,
                }
                return "1" if truth.get(operator, order >= 0) else "0"
        a, b = self._int(left), self._int(right)
        if operator in "/%" and b == 0:
            fail(self.sys, "division by zero", 2)
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if operator in "/%" else 0
        result = {"+": a + b, "-": a - b, "*": a * b, "/": quotient, "%": a - quotient * b}[operator]
        if not -_LIMIT <= result < _LIMIT:
            fail(self.sys, f"{left}: Numerical result out of range", 3)
        return str(result)

    def _match(self, text: str, pattern: str) -> str:
        try:
            compiled = regex(
                "^" + characters(pattern) if not pattern.startswith("^") else characters(pattern),
                extended=False,
            )
        except PatternError as error:
            fail(self.sys, f"{error}", 2)
        found = compiled.search(printable(characters(text)))
        if compiled.groups:
            if found is None:
                return ""
            start, end = found.span(1)
            return octets(characters(text)[start:end]) if start >= 0 else ""
        return str(found.end()) if found is not None else "0"


def _run(sys: Sys, argv: list[str]) -> int:
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    if not words:
        if is_busybox(sys):
            fail(sys, "too few arguments", 2)
        misused(sys, "missing operand", _USAGE, 2)
    value = _Expression(sys, words).value()
    sys.out(value + "\n")
    return 1 if value in ("", "0") else 0


PROGRAM = Program("expr", "reckon with arguments", _USAGE, run=_run)
