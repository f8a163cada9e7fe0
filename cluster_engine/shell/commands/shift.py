"""`shift`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import ShellError


async def run(ctx: Context, argv: list[str]) -> int:
    """Drop the first positional parameters."""
    number = 1
    if len(argv) > 1:
        if not (argv[1].isascii() and argv[1].isdigit() and len(argv[1]) < 6):
            raise ShellError(f"shift: Illegal number: {argv[1][:40]}")
        number = int(argv[1])
    if number > len(ctx.process.positional):
        raise ShellError("shift: can't shift that many")
    ctx.process.positional = ctx.process.positional[number:]
    return 0


COMMAND = Command("shift", "drop positional parameters", run, special=True, usage="shift [count]")
