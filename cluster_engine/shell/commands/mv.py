"""`mv`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError, VfsError
from ..options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Move or rename files and directories."""
    opts = options(argv, "fivn")
    if len(opts.operands) < 2:
        what = "missing file operand" if not opts.operands else "missing destination file operand"
        raise UsageError(what, 1)
    *sources, target = opts.operands
    into = ctx.vfs.is_dir(ctx.path(target))
    if len(sources) > 1 and not into:
        raise UsageError(f"target '{target}': Not a directory", 1)
    status = 0
    for name in sources:
        source = ctx.path(name)
        goal = ctx.path(f"{target}/{source.rpartition('/')[2]}" if into else target)
        await ctx.tick()
        try:
            ctx.vfs.rename(source, goal)
        except VfsError as error:
            if error.path == source:
                await ctx.error(f"cannot stat '{name}': {error.reason}")
            else:
                await ctx.error(f"cannot move '{name}' to '{target}': {error.reason}")
            status = 1
    return status


COMMAND = Command("mv", "move or rename files", run, usage="mv source … target")
