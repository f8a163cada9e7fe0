"""`watch`."""

from __future__ import annotations

from ..context import Command, Context, encode
from ..errors import UsageError
from .sleep import seconds


async def run(ctx: Context, argv: list[str]) -> int:
    """Run a command again and again, until Ctrl-C or the budget ends it."""
    words, interval = argv[1:], 2.0
    title = True
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-n", "--interval") and words:
            interval = seconds(words.pop(0))
        elif option.startswith("-n") and len(option) > 2:
            interval = seconds(option[2:])
        elif option in ("-t", "--no-title"):
            title = False
        elif option not in ("-d", "--differences", "-c", "--color"):
            raise UsageError(f"invalid option '{option[:40]}'", 1)
    if not words:
        raise UsageError("a command is required", 1)
    interval = max(interval, 0.1)
    text = " ".join(words)
    while True:
        child = ctx.process.fork()
        output = await child.evaluator.capture(text, ctx.io)
        header = f"Every {interval:.1f}s: {text}\n\n" if title else ""
        await ctx.stdout.write(b"\x1b[H\x1b[2J" + encode(header) + output)
        await ctx.tick(10)
        await ctx.call("sleep", interval)


COMMAND = Command("watch", "run a command every 2 seconds", run, usage="watch [-n seconds] command …")
