"""`local`."""

from __future__ import annotations

from cluster_engine.linux.sh.parse import is_name

from ..context import Command, Context
from ..errors import ShellError


async def run(ctx: Context, argv: list[str]) -> int:
    """Variables that end with the function."""
    process = ctx.process
    if not process.locals:
        raise ShellError("local: not in a function")
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        if not is_name(name):
            raise ShellError(f"local: {name[:40]}: bad variable name")
        process.locals[-1].setdefault(name, (process.get(name), name in process.exported))
        if equals:
            process.assign(name, value)
    return 0


COMMAND = Command("local", "variables of a function", run, special=True, usage="local name[=value] …")
