"""`export`."""

from __future__ import annotations

from cluster_engine.linux.sh.parse import is_name

from ..context import Command, Context
from ..errors import ShellError
from .set import quote


async def run(ctx: Context, argv: list[str]) -> int:
    """Mark variables for the environment of programs."""
    process = ctx.process
    words = [word for word in argv[1:] if word not in ("-p", "--")]
    if not words:
        for name in sorted(process.exported):
            value = process.get(name)
            await ctx.out(f"export {name}" + (f"={quote(value)}" if value is not None else "") + "\n")
        return 0
    for word in words:
        name, equals, value = word.partition("=")
        if not is_name(name):
            raise ShellError(f"export: {name[:40]}: bad variable name")
        if equals:
            process.assign(name, value)
        process.exported[name] = None
    return 0


COMMAND = Command("export", "pass variables to programs", run, special=True, usage="export name[=value] …")
