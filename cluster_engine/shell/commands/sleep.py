"""`sleep`: virtual or real seconds, as the driver decides."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """A duration such as 5, 0.5, 2m."""
    unit = _UNITS.get(text[-1:], 0)
    digits = text[:-1] if unit else text
    whole, _, fraction = digits.partition(".")
    if not (digits.isascii() and (whole + fraction).isdigit() and len(digits) < 12):
        raise UsageError(f"invalid time interval '{text[:40]}'", 1)
    return float(digits) * (unit or 1)


async def run(ctx: Context, argv: list[str]) -> int:
    """Wait."""
    if len(argv) < 2:
        raise UsageError("missing operand", 1)
    await ctx.call("sleep", sum(seconds(word) for word in argv[1:]))
    return 0


COMMAND = Command("sleep", "wait", run, usage="sleep seconds")
