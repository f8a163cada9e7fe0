"""`printf`, and the backslash escapes that `echo` and `tr` share."""

from __future__ import annotations

from ..arithmetic import number
from ..context import Command, Context
from ..errors import ShellError, UsageError

_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "e": "\x1b",
}  # fmt: skip
MAX_WIDTH = 10_000


def escapes(text: str, *, octal_zero: bool = False) -> tuple[str, bool]:
    """Interpret backslash escapes; the flag tells of `\\c` (print nothing more)."""
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
        if following in _ESCAPES and not (octal_zero and following == "e"):
            out.append(_ESCAPES[following])
            at += 1
        elif following in "01234567" and (not octal_zero or following == "0"):
            start = at + 1 if octal_zero else at
            end = start
            while end < len(text) and end < start + 3 and text[end] in "01234567":
                end += 1
            code = int(text[start:end] or "0", 8) & 0xFF
            out.append(bytes([code]).decode("utf-8", "surrogateescape"))
            at = end
        else:
            out.append(char)
    return "".join(out), False


class _Format:
    def __init__(self, ctx: Context, format_text: str, arguments: list[str]) -> None:
        self._ctx = ctx
        self._format = format_text
        self._arguments = arguments
        self._used = 0
        self.status = 0

    def _next(self) -> str | None:
        if self._used < len(self._arguments):
            self._used += 1
            return self._arguments[self._used - 1]
        return None

    async def _number(self, text: str | None) -> int:
        if text is None:
            return 0
        if text[:1] in ("'", '"'):
            return ord(text[1]) if len(text) > 1 else 0
        try:
            return number(text)
        except ShellError:
            await self._ctx.error(f"{text[:40]}: expected numeric value")
            self.status = 1
            return 0

    async def run(self) -> None:
        """Print the format, again while arguments are left."""
        while True:
            before = self._used
            await self._ctx.tick()
            if await self._once():
                return
            if self._used >= len(self._arguments) or self._used == before:
                return

    async def _once(self) -> bool:
        text, at = self._format, 0
        out: list[str] = []
        while at < len(text):
            char = text[at]
            if char == "\\":
                end = at + 2
                while end < min(len(text), at + 4) and text[at + 1] in "01234567" and text[end] in "01234567":
                    end += 1
                piece, stop = escapes(text[at:end])
                out.append(piece)
                at = end
                if stop:
                    await self._ctx.out("".join(out))
                    return True
            elif char == "%":
                piece, at, stop = await self._conversion(at + 1)
                out.append(piece)
                if stop:
                    await self._ctx.out("".join(out))
                    return True
            else:
                out.append(char)
                at += 1
        await self._ctx.out("".join(out))
        return False

    async def _size(self, at: int) -> tuple[int | None, int]:
        if self._format.startswith("*", at):
            return await self._number(self._next()), at + 1
        end = at
        while end < len(self._format) and self._format[end] in "0123456789":
            end += 1
        return (int(self._format[at:end][:6]) if end > at else None), end

    async def _conversion(self, at: int) -> tuple[str, int, bool]:
        text, start = self._format, at
        if text.startswith("%", at):
            return "%", at + 1, False
        while at < len(text) and text[at] in "-+ #0":
            at += 1
        flags = text[start:at]
        width, at = await self._size(at)
        precision: int | None = None
        if text.startswith(".", at):
            precision, at = await self._size(at + 1)
            precision = precision or 0
        if abs(width or 0) > MAX_WIDTH or (precision or 0) > MAX_WIDTH:
            raise UsageError(f"a width may be at most {MAX_WIDTH:,}")
        kind = text[at : at + 1]
        if width is not None and width < 0:
            flags, width = flags + "-", -width
        stop = False
        if kind in ("s", "b", "c"):
            body = self._next() or ""
            if kind == "b":
                body, stop = escapes(body, octal_zero="\\0" in body)
            body = body[:1] if kind == "c" else body
            body = body if precision is None else body[: max(precision, 0)]
        elif kind and kind in "diuoxX":
            body = _integer(await self._number(self._next()), kind, flags, precision)
        elif kind and kind in "fFeEgG":
            body = await self._float(kind, flags, precision)
        else:
            raise UsageError(f"%{kind}: invalid directive")
        if width is not None and len(body) < width:
            if "-" in flags:
                body = body.ljust(width)
            elif "0" in flags and kind not in "sbc" and precision is None:
                sign = body[:1] if body[:1] in "+- " else ""
                body = sign + body[len(sign) :].rjust(width - len(sign), "0")
            else:
                body = body.rjust(width)
        return body, at + 1, stop

    async def _float(self, kind: str, flags: str, precision: int | None) -> str:
        argument = self._next() or "0"
        try:
            if len(argument) > 40:
                raise ValueError
            value = float(argument)
        except ValueError:
            await self._ctx.error(f"{argument[:40]}: expected numeric value")
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


async def run(ctx: Context, argv: list[str]) -> int:
    """Print formatted text."""
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    if not words:
        raise UsageError("usage: printf format [arg ...]")
    formatter = _Format(ctx, words[0], words[1:])
    await formatter.run()
    return formatter.status


COMMAND = Command("printf", "print formatted text", run, usage="printf format [argument …]")
