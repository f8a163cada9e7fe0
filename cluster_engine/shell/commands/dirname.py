"""`dirname`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError


async def run(ctx: Context, argv: list[str]) -> int:
    """A path without its last part."""
    if len(argv) < 2:
        raise UsageError("missing operand", 1)
    for word in argv[1:]:
        head, slash, _ = word.rstrip("/").rpartition("/")
        await ctx.out((head.rstrip("/") or ("/" if slash or word.startswith("/") else ".")) + "\n")
    return 0


COMMAND = Command("dirname", "a path without its last part", run, usage="dirname path")
