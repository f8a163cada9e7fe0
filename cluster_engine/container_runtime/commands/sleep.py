"""``sleep`` in a container: virtual seconds, after which the shell's traps run."""

from __future__ import annotations

from cluster_engine.container_runtime.commands.trap import run_pending
from cluster_engine.shell.commands.sleep import seconds
from cluster_engine.shell.context import Command, Context
from cluster_engine.shell.errors import UsageError

_FOREVER = 10.0 * 365 * 86_400


async def run(ctx: Context, argv: list[str]) -> int:
    """Wait."""
    if len(argv) < 2:
        raise UsageError("missing operand", 1)
    total = sum(_FOREVER if word in ("infinity", "inf") else seconds(word) for word in argv[1:])
    await ctx.call("sleep", min(total, _FOREVER))
    await run_pending(ctx)
    return 0


COMMAND = Command("sleep", "wait", run, usage="sleep seconds")
