"""`unalias`."""

from __future__ import annotations

from ..context import Command, Context


async def run(ctx: Context, argv: list[str]) -> int:
    """Forget aliases."""
    status = 0
    for name in argv[1:]:
        if name == "-a":
            ctx.process.aliases.clear()
        elif ctx.process.aliases.pop(name, None) is None:
            await ctx.error(f"{name[:80]} not found")
            status = 1
    return status


COMMAND = Command("unalias", "forget aliases", run, usage="unalias [-a] name …")
