"""`:`."""

from __future__ import annotations

from ..context import Command, Context


async def run(ctx: Context, argv: list[str]) -> int:
    """Do nothing; the arguments were expanded."""
    return 0


COMMAND = Command(":", "do nothing", run, special=True)
