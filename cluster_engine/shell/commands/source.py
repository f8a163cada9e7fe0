"""`.` (and `source`)."""

from __future__ import annotations

from ..context import Command, Context, decode
from ..errors import ReturnControl, ShellError, UsageError, VfsError


async def run(ctx: Context, argv: list[str]) -> int:
    """Execute the lines of a file in this shell."""
    if len(argv) < 2:
        raise UsageError("a file name is required")
    try:
        text = decode(ctx.vfs.read(ctx.path(argv[1])))
    except VfsError as error:
        raise ShellError(f"{argv[0]}: cannot open {argv[1][:80]}: {error.reason}") from None
    ctx.process.calls += 1
    try:
        return await ctx.process.evaluator.run_text(text, ctx.io)
    except ReturnControl as control:
        return control.status
    finally:
        ctx.process.calls -= 1


COMMAND = Command(".", "execute a file in this shell", run, special=True, usage=". file")
SOURCE = Command("source", "execute a file in this shell", run, usage="source file")
