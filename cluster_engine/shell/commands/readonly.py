"""`readonly`."""

from __future__ import annotations

from cluster_engine.linux.sh.parse import is_name

from ..context import Command, Context
from ..errors import ShellError
from .set import quote


async def run(ctx: Context, argv: list[str]) -> int:
    """Protect variables from change."""
    process = ctx.process
    words = [word for word in argv[1:] if word not in ("-p", "--")]
    if not words:
        for name in sorted(process.readonly):
            await ctx.out(f"readonly {name}={quote(process.get(name) or '')}\n")
        return 0
    for word in words:
        name, equals, value = word.partition("=")
        if not is_name(name):
            raise ShellError(f"readonly: {name[:40]}: bad variable name")
        if equals:
            process.assign(name, value)
        process.readonly[name] = None
    return 0


COMMAND = Command("readonly", "protect variables", run, special=True, usage="readonly name[=value] …")
