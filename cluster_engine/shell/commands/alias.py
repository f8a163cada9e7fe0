"""`alias`."""

from __future__ import annotations

from cluster_engine.linux.sh.parse import parse
from cluster_engine.linux.sh.syntax import Simple

from ..context import Command, Context
from ..errors import ParseError, ShellError


async def run(ctx: Context, argv: list[str]) -> int:
    """Show or define aliases."""
    process = ctx.process
    status = 0
    words = argv[1:] or sorted(process.aliases)
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            if name not in process.aliases:
                await ctx.error(f"{name[:80]} not found")
                status = 1
            else:
                await ctx.out(f"{name}='{process.aliases[name]}'\n")
            continue
        if not name or any(char in " \t\n$`'\"\\|&;<>()/" for char in name):
            raise ShellError(f"alias: {name[:40]}: not a name for an alias")
        try:
            simple = isinstance(parse(value, final=True), Simple)
        except ParseError as error:
            raise ShellError(f"alias: {error}") from None
        if not simple:
            raise ShellError("alias: only a simple command can be an alias here; write a function")
        if len(process.aliases) >= ctx.kernel.limits.functions:
            raise ShellError("alias: too many aliases")
        process.aliases[name] = value
    return status


COMMAND = Command("alias", "name a command", run, usage="alias [name='command']")
