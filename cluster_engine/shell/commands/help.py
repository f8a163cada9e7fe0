"""`help`."""

from __future__ import annotations

from ..context import Command, Context


async def run(ctx: Context, argv: list[str]) -> int:
    """List the commands, or explain one."""
    shell = ctx.process.shell
    if len(argv) > 1:
        command = shell.commands.get(argv[1])
        external = shell.externals.get(argv[1])
        if command is None and external is None:
            await ctx.error(f"no help for {argv[1][:40]}")
            return 1
        if command is not None:
            await ctx.out(f"{command.usage or command.name}\n    {command.summary}\n")
        elif external is not None:
            await ctx.out(f"{external.name}\n    {external.summary} (try: {external.name} --help)\n")
        return 0
    rows = [(name, command.summary) for name, command in sorted(shell.commands.items())]
    width = max(len(name) for name, _ in rows)
    await ctx.out("Commands of this shell:\n")
    for name, summary in rows:
        await ctx.out(f"  {name:{width}}  {summary}\n")
    if shell.externals:
        await ctx.out("Programs:\n")
        for name in sorted(shell.externals):
            await ctx.out(f"  {name:{width}}  {shell.externals[name].summary}\n")
    if ctx.process.aliases:
        await ctx.out("Aliases:\n")
        for name in sorted(ctx.process.aliases):
            await ctx.out(f"  {name:{width}}  {ctx.process.aliases[name]}\n")
    return 0


COMMAND = Command("help", "list the commands", run, usage="help [command]")
