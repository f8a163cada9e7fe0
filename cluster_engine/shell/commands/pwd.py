"""`pwd`."""

from __future__ import annotations

from ..context import Command, Context


async def run(ctx: Context, argv: list[str]) -> int:
    """Print the current directory."""
    await ctx.out(ctx.cwd + "\n")
    return 0


COMMAND = Command("pwd", "print the current directory", run)
