"""`command`."""

from __future__ import annotations

from ..context import Command, Context
from .type_ import kind


async def run(ctx: Context, argv: list[str]) -> int:
    """Run a command past functions and aliases, or (-v) tell what a name is."""
    words = argv[1:]
    verbose = ""
    while words and words[0] in ("-v", "-V", "-p", "--"):
        option = words.pop(0)
        verbose = option if option in ("-v", "-V") else verbose
        if option == "--":
            break
    if not words:
        return 0
    if verbose:
        name = words[0]
        what, text = kind(ctx, name)
        if what == "nothing":
            if verbose == "-V":
                await ctx.error(f"{name[:80]}: not found")
            return 127
        await ctx.out((text if verbose == "-v" else f"{name} is {what}") + "\n")
        return 0
    known = ctx.process.shell.commands.get(words[0])
    return await ctx.process.evaluator.dispatch_program(words, known, ctx.io)


COMMAND = Command("command", "run a command past functions", run, usage="command [-v] name …")
