"""`rm`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError, VfsError
from ..options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Remove files, with `-r` directories and all that is in them."""
    opts = options(argv, "rRfvi", "", {"recursive": "r", "force": "f"})
    force, recursive = opts.flag("f"), opts.flag("r", "R")
    if not opts.operands and not force:
        raise UsageError("missing operand", 1)
    status = 0
    for name in opts.operands:
        path = ctx.path(name)
        await ctx.tick()
        try:
            if not ctx.vfs.exists(path):
                if force:
                    continue
                raise VfsError(name, "No such file or directory")
            if ctx.vfs.is_dir(path) and not recursive:
                raise VfsError(name, "Is a directory")
            if path == "/" or ctx.cwd == path or ctx.cwd.startswith(path.rstrip("/") + "/"):
                raise VfsError(name, "the current directory lies in it")
            await ctx.tick(1 + sum(1 for _ in ctx.vfs.walk(path)) // 8)
            ctx.vfs.remove_tree(path)
        except VfsError as error:
            await ctx.error(f"cannot remove '{name}': {error.reason}")
            status = 1
    return status


COMMAND = Command("rm", "remove files", run, usage="rm [-rf] path …")
