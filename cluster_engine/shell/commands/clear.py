"""`clear`."""

from __future__ import annotations

from ..context import Command, Context


async def run(ctx: Context, argv: list[str]) -> int:
    """Clear the screen."""
    await ctx.out("\x1b[H\x1b[2J\x1b[3J")
    return 0


COMMAND = Command("clear", "clear the screen", run)
