"""`false`."""

from __future__ import annotations

from ..context import Command, Context


async def run(ctx: Context, argv: list[str]) -> int:
    """Fail."""
    return 1


COMMAND = Command("false", "fail", run)
