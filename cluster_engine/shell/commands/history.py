"""`history`."""

from __future__ import annotations

from ..context import Command, Context
from ..options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Show the lines typed so far."""
    opts = options(argv, "c")
    history = ctx.process.shell.history
    if opts.flag("c"):
        history.clear()
        return 0
    from ..options import count

    number = abs(count(opts.operands[0])) if opts.operands else len(history)
    start = max(len(history) - number, 0)
    for index, line in enumerate(history[start:], start + 1):
        await ctx.out(f"{index:5d}  {line}\n")
    return 0


COMMAND = Command("history", "show the lines typed so far", run, usage="history [-c] [count]")
