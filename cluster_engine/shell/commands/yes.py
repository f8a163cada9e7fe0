"""`yes`."""

from __future__ import annotations

from ..context import Command, Context, encode


async def run(ctx: Context, argv: list[str]) -> int:
    """Print a line again and again, until the reader has enough or the budget ends."""
    line = encode(" ".join(argv[1:]) or "y") + b"\n"
    block = line * max(1, 4096 // len(line))
    while True:
        await ctx.tick(4)
        await ctx.stdout.write(block)


COMMAND = Command("yes", "print a line for ever", run, usage="yes [text]")
