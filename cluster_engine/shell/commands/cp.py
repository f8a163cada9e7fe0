"""`cp`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError, VfsError
from ..options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Copy files, with `-r` directories."""
    opts = options(argv, "rRafpvi", "", {"recursive": "r"})
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
        if ctx.vfs.is_dir(source) and not opts.flag("r", "R", "a"):
            await ctx.error(f"-r not specified; omitting directory '{name}'")
            status = 1
        elif source == goal:
            await ctx.error(f"'{name}' and '{target}' are the same file")
            status = 1
        elif goal.startswith(source.rstrip("/") + "/") and ctx.vfs.is_dir(source):
            await ctx.error(f"cannot copy a directory, '{name}', into itself, '{target}'")
            status = 1
        else:
            try:
                await _copy(ctx, source, goal)
            except VfsError as error:
                shown = name if error.path == source else target
                await ctx.error(f"cannot copy '{name}': {shown}: {error.reason}")
                status = 1
    return status


async def _copy(ctx: Context, source: str, goal: str) -> None:
    vfs = ctx.vfs
    await ctx.tick()
    if vfs.is_file(source) or not vfs.exists(source):
        vfs.write(goal, vfs.read(source))
        vfs.chmod(goal, vfs.stat(source).mode)
        return
    if not vfs.is_dir(goal):
        vfs.mkdir(goal)
    for path, is_dir in list(vfs.walk(source)):
        await ctx.tick(2)
        copy = goal + path[len(source.rstrip("/")) :]
        if not is_dir:
            vfs.write(copy, vfs.read(path))
        elif not vfs.is_dir(copy):
            vfs.mkdir(copy)


COMMAND = Command("cp", "copy files", run, usage="cp [-r] source … target")
