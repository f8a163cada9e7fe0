"""`touch`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError, VfsError
from ..options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Create empty files or renew their time."""
    opts = options(argv, "camf")
    if not opts.operands:
        raise UsageError("missing file operand", 1)
    status = 0
    for name in opts.operands:
        await ctx.tick()
        if opts.flag("c") and not ctx.vfs.exists(ctx.path(name)):
            continue
        try:
            ctx.vfs.touch(ctx.path(name))
        except VfsError as error:
            await ctx.error(f"cannot touch '{name}': {error.reason}")
            status = 1
    return status


COMMAND = Command("touch", "create empty files", run, usage="touch file …")
