"""`break` and `continue`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import LoopControl, ShellError


async def run(ctx: Context, argv: list[str]) -> int:
    """Leave a loop, or begin its next round."""
    levels = 1
    if len(argv) > 1:
        if not (argv[1].isascii() and argv[1].isdigit() and len(argv[1]) < 6 and int(argv[1]) > 0):
            raise ShellError(f"{argv[0]}: Illegal number: {argv[1][:40]}")
        levels = int(argv[1])
    if not ctx.process.loops:
        return 0
    raise LoopControl(argv[0], levels)


COMMAND = Command("break", "leave a loop", run, special=True, usage="break [levels]")
CONTINUE = Command("continue", "begin the next round of a loop", run, special=True, usage="continue [levels]")
