"""`cd`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError
from ..vfs import normal


async def run(ctx: Context, argv: list[str]) -> int:
    """Change the current directory."""
    operands = [word for word in argv[1:] if word not in ("--", "-L", "-P")]
    process = ctx.process
    if len(operands) > 1:
        raise UsageError("too many arguments")
    target = operands[0] if operands else process.get("HOME")
    if target is None:
        raise UsageError("HOME not set")
    if target == "-":
        target = process.get("OLDPWD")
        if target is None:
            raise UsageError("OLDPWD not set")
    path = normal(target, process.cwd)
    if not ctx.vfs.is_dir(path):
        raise UsageError(f"can't cd to {target}")
    process.assign("OLDPWD", process.cwd)
    process.cwd = path
    process.assign("PWD", path)
    if operands == ["-"]:
        await ctx.out(path + "\n")
    return 0


COMMAND = Command("cd", "change the current directory", run, usage="cd [directory | -]")
