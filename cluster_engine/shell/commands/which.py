"""`which`."""

from __future__ import annotations

from ..context import Command, Context


async def run(ctx: Context, argv: list[str]) -> int:
    """Print where programs are."""
    shell = ctx.process.shell
    status = 0
    for name in argv[1:]:
        if name in shell.commands or name in shell.externals:
            await ctx.out(f"/usr/bin/{name}\n")
        else:
            status = 1
    return status


COMMAND = Command("which", "print where a program is", run, usage="which name …")
