"""`eval`."""

from __future__ import annotations

from ..context import Command, Context


async def run(ctx: Context, argv: list[str]) -> int:
    """Execute the arguments as a command line."""
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    return await ctx.process.evaluator.run_text(" ".join(words), ctx.io)


COMMAND = Command("eval", "execute text as a command line", run, special=True, usage="eval text …")
