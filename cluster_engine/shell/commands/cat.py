"""`cat`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import VfsError
from ..options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Copy files (or standard input) to standard output."""
    opts = options(argv, "nu")
    status, line_number = 0, 0
    for name in opts.operands or ["-"]:
        try:
            stream = await ctx.open(name)
        except VfsError as error:
            await ctx.error(str(error))
            status = 1
            continue
        if not opts.flag("n"):
            while chunk := await stream.read():
                await ctx.stdout.write(chunk)
            continue
        while line := await stream.readline():
            line_number += 1
            await ctx.stdout.write(b"%6d\t" % line_number + line)
    return status


COMMAND = Command("cat", "print files", run, usage="cat [-n] [file …]")
