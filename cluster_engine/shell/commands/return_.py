"""`return`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import ExitControl, ReturnControl, ShellError


async def run(ctx: Context, argv: list[str]) -> int:
    """Leave a function or a sourced file."""
    if len(argv) > 1 and not (argv[1].isascii() and argv[1].isdigit() and len(argv[1]) < 10):
        raise ShellError(f"return: Illegal number: {argv[1][:40]}")
    status = int(argv[1]) & 255 if len(argv) > 1 else ctx.process.status
    if not ctx.process.calls:
        raise ExitControl(status)
    raise ReturnControl(status)


COMMAND = Command("return", "leave a function", run, special=True, usage="return [status]")
