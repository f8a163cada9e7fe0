"""``echo`` and ``printf``, as builtins and as programs."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.sh.base import Usage
from cluster_engine.linux.sh.shell import Shell
from cluster_engine.linux.text import characters, octets

_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "e": "\x1b",
}  # fmt: skip
MAX_WIDTH = 10_000
"""Characters that a conversion may be padded to."""


def escapes(text: str, *, zero: bool = False) -> tuple[str, bool]:
    """Interpret backslash escapes; the flag tells of ``\\c`` (print nothing more). ``zero``: octal needs ``\\0``."""
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char != "\\" or at >= len(text):
            out.append(char)
            continue
        following = text[at]
        if following == "c":
            return "".join(out), True
        if following in _ESCAPES:
            out.append(_ESCAPES[following])
            at += 1
        elif following == "x" and text[at + 1 : at + 2] and text[at + 1] in "0123456789abcdefABCDEF":
            end = at + 1
            while end < len(text) and end < at + 3 and text[end] in "0123456789abcdefABCDEF":
                end += 1
            out.append(chr(int(text[at + 1 : end], 16)))
            at = end
        elif following in "01234567" and (not zero or following == "0"):
            start = at + 1 if zero else at
            end = start
            while end < len(text) and end < start + 3 and text[end] in "01234567":
                end += 1
            out.append(chr(int(text[start:end] or "0", 8) & 0xFF))
            at = end
        else:
            out.append(char)
    return "".join(out), False


def echo(argv: list[str]) -> str:
    """What ``echo`` prints (busybox: ``-n -e -E``)."""
    words = argv[1:]
    newline, interpret = True, False
    while words and len(words[0]) > 1 and words[0][0] == "-" and not words[0][1:].strip("neE"):
        for letter in words[0][1:]:
            newline = newline and letter != "n"
            interpret = letter == "e" or (interpret and letter != "E")
        words = words[1:]
    text = " ".join(words)
    if interpret:
        text, stopped = escapes(text, zero=True)
        newline = newline and not stopped
    return text + "\n" if newline else text


class _Format:
    def __init__(self, template: str, arguments: list[str], error: Callable[[str], None]) -> None:
        self._template = template
        self._arguments = arguments
        self._used = 0
        self._error = error
        self._out: list[str] = []
        self._size = 0
        self.status = 0

    def _next(self) -> str | None:
        if self._used < len(self._arguments):
            self._used += 1
            return self._arguments[self._used - 1]
        return None

    def _number(self, text: str | None) -> int:
        if text is None:
            text = ""
        if text[:1] in ("'", '"'):
            wide = characters(text)
            return ord(wide[1]) if len(wide) > 1 else 0
        try:
            stripped = text.strip(" \t\n")
            negative = stripped[:1] == "-"
            digits = stripped.lstrip("+-") if len(stripped) < 30 else "x"
            value = int(digits, 16 if digits[:2] in ("0x", "0X") else 8 if digits[:1] == "0" else 10)
            if not digits.isascii() or "_" in digits:
                raise ValueError
        except ValueError:
            self._error(f"invalid number '{text}'")
            self.status = 1
            return 0
        return -value if negative else value

    def run(self) -> str:
        """Print the format, again while arguments are left."""
        while True:
            before = self._used
            if self._once() or self._used >= len(self._arguments) or self._used == before:
                return "".join(self._out)
            if sum(map(len, self._out[-8:])) + self._size > 1 << 22:
                return "".join(self._out)

    def _once(self) -> bool:
        text, at = self._template, 0
        while at < len(text):
            char = text[at]
            if char == "\\":
                end = at + 2
                while end < min(len(text), at + 4) and text[at + 1] in "01234567" and text[end] in "01234567":
                    end += 1
                if text[at + 1 : at + 2] == "x":
                    end = at + 4
                piece, stop = escapes(text[at:end])
                self._out.append(piece)
                at = end
                if stop:
                    return True
            elif char == "%":
                at, stop = self._conversion(at + 1)
                if stop:
                    return True
            else:
                following = at
                while following < len(text) and text[following] not in "\\%":
                    following += 1
                self._out.append(text[at:following])
                at = following
        return False

    def _length(self, at: int) -> tuple[int | None, int]:
        if self._template.startswith("*", at):
            return self._number(self._next()), at + 1
        end = at
        while end < len(self._template) and self._template[end] in "0123456789":
            end += 1
        return (int(self._template[at:end][:6]) if end > at else None), end

    def _conversion(self, at: int) -> tuple[int, bool]:
        text, start = self._template, at
        if text.startswith("%", at):
            self._out.append("%")
            return at + 1, False
        while at < len(text) and text[at] in "-+ #0":
            at += 1
        flags = text[start:at]
        width, at = self._length(at)
        precision: int | None = None
        if text.startswith(".", at):
            precision, at = self._length(at + 1)
            precision = precision or 0
        if abs(width or 0) > MAX_WIDTH or (precision or 0) > MAX_WIDTH:
            raise Usage(f"a width may be at most {MAX_WIDTH:,}", 1, line=False)
        kind = text[at : at + 1]
        if width is not None and width < 0:
            flags, width = flags + "-", -width
        stop = False
        if kind in ("s", "b", "c"):
            body = self._next() or ""
            if kind == "b":
                body, stop = escapes(body, zero="\\0" in body)
            wide = characters(body)
            wide = wide[:1] if kind == "c" else wide
            wide = wide if precision is None else wide[: max(precision, 0)]
            body = octets(wide)
        elif kind and kind in "diuoxX":
            body = _integer(self._number(self._next()), kind, flags, precision)
        elif kind and kind in "fFeEgG":
            body = self._float(kind, flags, precision)
        else:
            raise Usage(f"%{kind}: invalid format", 1, line=False)
        missing = (width or 0) - len(characters(body))
        if missing > 0:
            if "-" in flags:
                body += " " * missing
            elif "0" in flags and kind not in "sbc" and (precision is None or kind not in "diouxX"):
                sign = body[:1] if body[:1] in "+- " else ""
                body = sign + "0" * missing + body[len(sign) :]
            else:
                body = " " * missing + body
        self._out.append(body)
        self._size += len(body)
        return at + 1, stop

    def _float(self, kind: str, flags: str, precision: int | None) -> str:
        argument = self._next() or "0"
        try:
            if len(argument) > 40:
                raise ValueError
            value = float(argument)
        except ValueError:
            self._error(f"invalid number '{argument}'")
            self.status, value = 1, 0.0
        sign = "+" if "+" in flags else (" " if " " in flags else "-")
        return format(value, f"{sign}.{min(6 if precision is None else precision, 100)}{kind}")


def _integer(value: int, kind: str, flags: str, precision: int | None) -> str:
    if kind in "uoxX" and value < 0:
        value += 2**64
    digits = format(abs(value), {"d": "d", "i": "d", "u": "d", "o": "o", "x": "x", "X": "X"}[kind])
    if precision is not None:
        digits = digits.rjust(precision, "0")
    if "#" in flags and value and kind in "oxX":
        digits = {"o": "0", "x": "0x", "X": "0X"}[kind] + digits
    if value < 0:
        return "-" + digits
    if kind in "di" and "+" in flags:
        return "+" + digits
    return (" " if kind in "di" and " " in flags else "") + digits


def printf(argv: list[str], error: Callable[[str], None]) -> tuple[str, int]:
    """What ``printf`` prints, and its status. Raises Usage."""
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    if not words:
        raise Usage("usage: printf FORMAT [ARGUMENT...]", 2, line=False)
    formatter = _Format(words[0], words[1:], error)
    return formatter.run(), formatter.status


def _echo(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    sh.write(fds, 1, echo(argv))
    return 0


def _printf(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    text, status = printf(argv, lambda message: sh.write_error(fds, "printf", message, False))
    sh.write(fds, 1, text)
    return status


def _echo_program(sys: Sys, argv: list[str]) -> int:
    sys.out(echo(argv))
    return 0


def _printf_program(sys: Sys, argv: list[str]) -> int:
    try:
        text, status = printf(argv, sys.error)
    except Usage as error:
        sys.error(str(error))
        return error.status
    sys.out(text)
    return status


BUILTINS = {"echo": _echo, "printf": _printf}
PROGRAMS = (
    Program("echo", "print words", "echo [-neE] [word …]", run=_echo_program),
    Program("printf", "print formatted text", "printf format [argument …]", run=_printf_program),
)
