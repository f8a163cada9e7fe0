"""`basename`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError


async def run(ctx: Context, argv: list[str]) -> int:
    """The last part of a path."""
    if not 2 <= len(argv) <= 3:
        raise UsageError("missing operand" if len(argv) < 2 else "extra operand", 1)
    name = argv[1].rstrip("/").rpartition("/")[2] or ("/" if argv[1] else "")
    if len(argv) == 3 and name != argv[2]:
        name = name.removesuffix(argv[2])
    await ctx.out(name + "\n")
    return 0


COMMAND = Command("basename", "the last part of a path", run, usage="basename path [suffix]")
