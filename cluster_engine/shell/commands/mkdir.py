"""`mkdir`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError, VfsError
from ..options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Create directories."""
    opts = options(argv, "pv", "m", {"parents": "p"})
    if not opts.operands:
        raise UsageError("missing operand", 1)
    status = 0
    for name in opts.operands:
        await ctx.tick()
        path = ctx.path(name)
        try:
            if not (opts.flag("p") and ctx.vfs.is_dir(path)):
                ctx.vfs.mkdir(path, parents=opts.flag("p"))
        except VfsError as error:
            await ctx.error(f"cannot create directory '{name}': {error.reason}")
            status = 1
    return status


COMMAND = Command("mkdir", "create directories", run, usage="mkdir [-p] directory …")
