"""``tail`` with ``-f``: looks at the file once a second, as other containers may write to a shared volume."""

from __future__ import annotations

from cluster_engine.container_runtime.commands.trap import run_pending
from cluster_engine.shell.commands import tail as plain
from cluster_engine.shell.context import Command, Context
from cluster_engine.shell.errors import VfsError
from cluster_engine.shell.options import options

_PERIOD = 1.0


async def run(ctx: Context, argv: list[str]) -> int:
    """Print the last lines, and with -f or -F what is added later."""
    opts = options(
        argv, "qvfF", "ncs", {"lines": "n", "bytes": "c", "quiet": "q", "follow": "f", "retry": "F"}
    )
    if not opts.flag("f", "F"):
        return await plain.run(ctx, argv)
    names = opts.operands
    sizes: dict[str, int] = {}
    for name in names:
        try:
            sizes[name] = len(ctx.vfs.read(ctx.path(name))) if name != "/dev/null" else 0
        except VfsError as error:
            await ctx.error(f"can't open '{name}': {error.reason}")
            sizes[name] = 0
            if not opts.flag("F") and len(names) == 1:
                return 1
    rest = [name for name in names if name in sizes and ctx.vfs.is_file(ctx.path(name))]
    if rest:
        count = ["-n", opts.value("n") or "10"]
        await plain.run(ctx, ["tail", *count, *rest])
    while True:
        await ctx.tick(10)
        await ctx.call("sleep", _PERIOD)
        await run_pending(ctx)
        for name in names:
            path = ctx.path(name)
            if name == "/dev/null" or not ctx.vfs.is_file(path):
                continue
            data = ctx.vfs.read(path)
            start = sizes[name] if len(data) >= sizes[name] else 0
            if data[start:]:
                await ctx.stdout.write(data[start:])
            sizes[name] = len(data)


COMMAND = Command("tail", "print the last lines", run, usage="tail [-f] [-n lines] [file …]")
