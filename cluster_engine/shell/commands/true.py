"""`true`."""

from __future__ import annotations

from ..context import Command, Context


async def run(ctx: Context, argv: list[str]) -> int:
    """Succeed."""
    return 0


COMMAND = Command("true", "succeed", run)
