"""`less` and `more`: there is no paging here, the text is printed."""

from __future__ import annotations

from ..context import Command, Context
from . import cat


async def run(ctx: Context, argv: list[str]) -> int:
    """Print files whole."""
    names = [word for word in argv[1:] if not word.startswith(("-", "+")) or word == "-"]
    return await cat.run(ctx, [argv[0], "--", *names])


COMMAND = Command("less", "print files (no paging here)", run, usage="less [file …]")
MORE = Command("more", "print files (no paging here)", run, usage="more [file …]")
