"""`test` and `[`."""

from __future__ import annotations

from ..arithmetic import number
from ..context import Command, Context
from ..errors import ShellError, UsageError

_UNARY = frozenset(f"-{letter}" for letter in "nzefdsrwxLhtbcpSugk")
_BINARY = frozenset(
    ["=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"]
)


class _Test:
    def __init__(self, ctx: Context, words: list[str]) -> None:
        self._ctx = ctx
        self._words = words
        self._at = 0
        self._depth = 0

    def evaluate(self) -> bool:
        """The value of the whole expression; POSIX's rules by number of words come first."""
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
            raise UsageError(f"{words[self._at][:40]}: unexpected operator")
        return value

    def _peek(self) -> str | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def _next(self) -> str:
        word = self._peek()
        if word is None:
            raise UsageError("argument expected")
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
            if self._depth > 40:
                raise UsageError("nested more than 40 deep")
            value = self._or()
            if self._next() != ")":
                raise UsageError("closing paren expected")
            self._depth -= 1
            return value
        if left in _UNARY and self._peek() is not None:
            return self._unary(left, self._next())
        return left != ""

    def _unary(self, operator: str, operand: str) -> bool:
        if operator == "-n":
            return operand != ""
        if operator == "-z":
            return operand == ""
        if operator == "-t":
            return (
                operand in "0123456789"
                and len(operand) == 1
                and int(operand) in self._ctx.io
                and (self._ctx.io[int(operand)].is_tty)
            )
        path, vfs = self._ctx.path(operand), self._ctx.vfs
        if operand == "":
            return False
        if operand == "/dev/null":
            return operator in ("-e", "-r", "-w", "-c")
        match operator:
            case "-e" | "-r" | "-w":
                return vfs.exists(path)
            case "-f":
                return vfs.is_file(path)
            case "-d":
                return vfs.is_dir(path)
            case "-s":
                return vfs.exists(path) and vfs.stat(path).size > 0
            case "-x":
                return vfs.exists(path) and (vfs.is_dir(path) or vfs.stat(path).mode & 0o111 != 0)
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
                return self._files(left, operator, right)
        try:
            a, b = number(_decimal(left)), number(_decimal(right))
        except ShellError as error:
            raise UsageError(str(error)) from None
        return {
            "-eq": a == b, "-ne": a != b, "-lt": a < b, "-le": a <= b, "-gt": a > b, "-ge": a >= b,
        }[operator]  # fmt: skip

    def _files(self, left: str, operator: str, right: str) -> bool:
        vfs = self._ctx.vfs
        one, two = self._ctx.path(left), self._ctx.path(right)
        if operator == "-ef":
            return one == two and vfs.exists(one)
        if operator == "-ot":
            one, two = two, one
        if not vfs.exists(one):
            return False
        return not vfs.exists(two) or vfs.stat(one).mtime > vfs.stat(two).mtime


def _decimal(text: str) -> str:
    stripped = text.strip()
    sign = stripped[:1] if stripped[:1] in ("-", "+") else ""
    digits = stripped[len(sign) :]
    if not (digits.isascii() and digits.isdigit()):
        raise ShellError(f"Illegal number: {text[:40]}")
    return sign + (digits.lstrip("0") or "0")


async def run(ctx: Context, argv: list[str]) -> int:
    """Evaluate a condition."""
    words = argv[1:]
    if argv[0] == "[":
        if not words or words[-1] != "]":
            raise UsageError("missing ]")
        words = words[:-1]
    await ctx.tick(len(words) // 8)
    return 0 if _Test(ctx, words).evaluate() else 1


COMMAND = Command("test", "evaluate a condition", run, usage="test expression")
BRACKET = Command("[", "evaluate a condition", run, usage="[ expression ]")
