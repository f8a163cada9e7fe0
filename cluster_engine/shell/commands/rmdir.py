"""`rmdir`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError, VfsError


async def run(ctx: Context, argv: list[str]) -> int:
    """Remove empty directories."""
    if len(argv) < 2:
        raise UsageError("missing operand", 1)
    status = 0
    for name in argv[1:]:
        try:
            if ctx.vfs.is_file(ctx.path(name)):
                raise VfsError(name, "Not a directory")
            ctx.vfs.remove(ctx.path(name))
        except VfsError as error:
            await ctx.error(f"failed to remove '{name}': {error.reason}")
            status = 1
    return status


COMMAND = Command("rmdir", "remove empty directories", run, usage="rmdir directory …")
