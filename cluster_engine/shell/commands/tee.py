"""`tee`."""

from __future__ import annotations

from ..context import Command, Context
from ..options import options
from ..streams import FileWriter


async def run(ctx: Context, argv: list[str]) -> int:
    """Copy standard input to files and to standard output."""
    opts = options(argv, "ai")
    writers = [FileWriter(ctx.kernel, ctx.vfs, ctx.path(name), opts.flag("a")) for name in opts.operands]
    while chunk := await ctx.stdin.read():
        for writer in writers:
            await writer.write(chunk)
        await ctx.stdout.write(chunk)
    return 0


COMMAND = Command("tee", "copy input to files and output", run, usage="tee [-a] [file …]")
