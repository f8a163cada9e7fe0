"""`exit`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import ExitControl, ShellError


async def run(ctx: Context, argv: list[str]) -> int:
    """Leave the shell."""
    if len(argv) > 1 and not (argv[1].isascii() and argv[1].isdigit() and len(argv[1]) < 10):
        raise ShellError(f"exit: Illegal number: {argv[1][:40]}")
    raise ExitControl(int(argv[1]) & 255 if len(argv) > 1 else ctx.process.status)


COMMAND = Command("exit", "leave the shell", run, special=True, usage="exit [status]")
