"""``test`` and ``[``, as builtins and as programs."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Files
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.sh.base import Usage
from cluster_engine.linux.sh.shell import Shell

_UNARY = tuple(f"-{letter}" for letter in "nzefdsrwxLhtbcpSugkOG")
_BINARY = ("=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef")
MAX_NESTING = 40
"""Brackets inside one another."""


def number(text: str) -> int:
    """A decimal number. Raises Usage."""
    stripped = text.strip(" \t\n")
    digits = stripped[1:] if stripped[:1] in ("-", "+") else stripped
    if not digits.isdecimal():
        raise Usage(f"{text}: bad number", line=False)
    if len(digits) > 18:
        raise Usage(f"{text}: out of range", line=False)
    return -int(digits) if stripped[0] == "-" else int(digits)


def compare(left: int, operator: str, right: int) -> bool:
    """``-eq`` and its five kin."""
    match operator:
        case "-eq":
            return left == right
        case "-ne":
            return left != right
        case "-lt":
            return left < right
        case "-le":
            return left <= right
        case "-gt":
            return left > right
    return left >= right


class Condition:
    """One expression."""

    def __init__(self, words: list[str], files: Callable[[], Files], isatty: Callable[[int], bool]) -> None:
        self._words = words
        self._files = files
        self._isatty = isatty
        self._at = 0
        self._depth = 0

    def evaluate(self) -> bool:
        """Its value; POSIX's rules by number of words come first. Raises Usage."""
        words = self._words
        if not words:
            return False
        if len(words) == 1:
            return words[0] != ""
        if len(words) == 2 and words[0] == "!":
            return words[1] == ""
        if len(words) == 3 and words[1] in _BINARY:
            return self._binary(words[0], words[1], words[2])
        if len(words) == 4 and words[0] == "!" and words[2] in _BINARY:
            return not self._binary(words[1], words[2], words[3])
        value = self._or()
        if self._at < len(words):
            raise Usage(f"{words[self._at]}: unknown operand", line=False)
        return value

    def _peek(self) -> str | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def _next(self) -> str:
        word = self._peek()
        if word is None:
            raise Usage("argument expected", line=False)
        self._at += 1
        return word

    def _or(self) -> bool:
        value = self._and()
        while self._peek() == "-o":
            self._at += 1
            value = self._and() or value
        return value

    def _and(self) -> bool:
        value = self._not()
        while self._peek() == "-a":
            self._at += 1
            value = self._not() and value
        return value

    def _not(self) -> bool:
        negated = False
        while self._peek() == "!" and self._at + 1 < len(self._words):
            self._at += 1
            negated = not negated
        return self._primary() != negated

    def _primary(self) -> bool:
        left = self._next()
        if self._peek() in _BINARY and self._at + 1 < len(self._words):
            operator = self._next()
            return self._binary(left, operator, self._next())
        if left == "(":
            self._depth += 1
            if self._depth > MAX_NESTING:
                raise Usage(f"nested more than {MAX_NESTING} deep", line=False)
            value = self._or()
            if self._next() != ")":
                raise Usage("closing paren expected", line=False)
            self._depth -= 1
            return value
        if self._peek() in _BINARY:
            raise Usage(f"{self._peek()}: argument expected", line=False)
        if left in _UNARY and self._peek() is not None:
            return self._unary(left, self._next())
        return left != ""

    def _unary(self, operator: str, operand: str) -> bool:
        if operator == "-n":
            return operand != ""
        if operator == "-z":
            return operand == ""
        if operator == "-t":
            return operand.isdecimal() and len(operand) < 4 and self._isatty(int(operand))
        files = self._files()
        if operator in ("-r", "-w", "-x"):
            return files.access(operand, {"-r": 4, "-w": 2, "-x": 1}[operator])
        try:
            stat = files.lstat(operand) if operator in ("-L", "-h") else files.stat(operand)
        except FileError:
            return False
        match operator:
            case "-e":
                return True
            case "-f":
                return stat.kind == "file"
            case "-d":
                return stat.kind == "directory"
            case "-s":
                return stat.size > 0
            case "-L" | "-h":
                return stat.kind == "link"
            case "-c":
                return stat.kind == "device"
            case "-u" | "-g" | "-k":
                return bool(stat.mode & {"-u": 0o4000, "-g": 0o2000, "-k": 0o1000}[operator])
            case "-O":
                return stat.uid == files.who.uid
            case "-G":
                return stat.gid == files.who.gid
        return False

    def _binary(self, left: str, operator: str, right: str) -> bool:
        match operator:
            case "=" | "==":
                return left == right
            case "!=":
                return left != right
            case "<":
                return left < right
            case ">":
                return left > right
            case "-nt" | "-ot" | "-ef":
                return self._pair(left, operator, right)
        return compare(number(left), operator, number(right))

    def _pair(self, left: str, operator: str, right: str) -> bool:
        files = self._files()
        if operator == "-ot":
            left, right = right, left
        try:
            one = files.stat(left)
        except FileError:
            return False
        try:
            two = files.stat(right)
        except FileError:
            return operator != "-ef"
        if operator == "-ef":
            return one.identity == two.identity
        return one.mtime > two.mtime


def _words(argv: list[str]) -> list[str]:
    if argv[0].rpartition("/")[2] != "[":
        return argv[1:]
    if len(argv) < 2 or argv[-1] != "]":
        raise Usage("missing ]", line=False)
    return argv[1:-1]


def _test(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    words = _words(argv)
    sh.extra += len(words) // 8
    condition = Condition(words, sh.files, lambda fd: fds.get(str(fd), "n")[0] == "t")
    return 0 if condition.evaluate() else 1


def _program(sys: Sys, argv: list[str]) -> int:
    try:
        return 0 if Condition(_words(argv), lambda: sys.fs, sys.isatty).evaluate() else 1
    except Usage as error:
        sys.error(str(error))
        return error.status


BUILTINS = {"test": _test, "[": _test}
PROGRAMS = (
    Program("test", "evaluate a condition", "test expression", run=_program),
    Program("[", "evaluate a condition", "[ expression ]", run=_program),
)
