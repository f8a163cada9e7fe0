"""``trap``: what a shell does when it is told to stop.

As in a real shell the handler runs when the foreground command ends; a trap on EXIT is kept but not run.
"""

from __future__ import annotations

from cluster_engine.shell.context import Command, Context
from cluster_engine.shell.errors import UsageError

_MAX = 16
_SIGNALS = {"1": "HUP", "2": "INT", "3": "QUIT", "15": "TERM", "0": "EXIT"}


def _table(ctx: Context) -> dict[str, str]:
    table: dict[str, str] = ctx.host.extra.get("traps", {})
    return table


async def run(ctx: Context, argv: list[str]) -> int:
    """Set, clear (``-``) or list traps."""
    table = _table(ctx)
    if len(argv) == 1:
        for name, handler in table.items():
            await ctx.out(f"trap -- '{handler}' {name}\n")
        return 0
    if len(argv) == 2:
        raise UsageError("a handler needs at least one signal", 1)
    handler = argv[1]
    for word in argv[2:]:
        name = _SIGNALS.get(word, word.upper().removeprefix("SIG"))
        if handler == "-":
            table.pop(name, None)
        elif len(table) < _MAX:
            table[name] = handler
    return 0


async def run_pending(ctx: Context) -> None:
    """Runs the handlers of signals that came while a command was running."""
    pending: list[str] = ctx.host.extra.get("pending", [])
    while pending:
        handler = _table(ctx).get(pending.pop(0))
        if handler:
            await ctx.process.evaluator.run_text(handler, ctx.io)


COMMAND = Command("trap", "handle signals", run, special=True, usage="trap [handler signal …]")
