"""`seq`."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from ..context import Command, Context
from ..errors import UsageError


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or len(text) > 30 or abs(value) > 10**18:
        raise UsageError(f"invalid floating point argument: '{text[:40]}'", 1)
    return value


async def run(ctx: Context, argv: list[str]) -> int:
    """Print numbers from first to last."""
    words = argv[1:]
    separator, width = "\n", False
    while words and words[0].startswith(("-w", "-s")):
        option = words.pop(0)
        if option == "-w":
            width = True
        elif option != "-s":
            separator = option[2:]
        elif words:
            separator = words.pop(0)
    if words and words[0] == "--":
        words = words[1:]
    if not 1 <= len(words) <= 3:
        raise UsageError("missing operand" if not words else "extra operand", 1)
    first = _number(words[0]) if len(words) > 1 else Decimal(1)
    step = _number(words[1]) if len(words) == 3 else Decimal(1)
    last = _number(words[-1])
    if any(int(each.as_tuple().exponent) < -30 for each in (first, step, last)):
        raise UsageError("more than 30 decimal places", 1)
    if step == 0:
        raise UsageError("invalid Zero increment value: '0'", 1)
    places = max(0, -int(first.as_tuple().exponent), -int(step.as_tuple().exponent))
    digits = max(len(f"{first:.{places}f}"), len(f"{last:.{places}f}")) if width else 0
    value, started = first, False
    batch: list[str] = []
    while value <= last if step > 0 else value >= last:
        batch.append(f"{value:.{places}f}".zfill(digits))
        value += step
        started = True
        if len(batch) >= 256:
            await ctx.tick(64)
            more = value <= last if step > 0 else value >= last
            await ctx.out(separator.join(batch) + (separator if more else ""))
            batch = []
    await ctx.out(separator.join(batch) + ("\n" if started else ""))
    return 0


COMMAND = Command("seq", "print a sequence of numbers", run, usage="seq [first [step]] last")
