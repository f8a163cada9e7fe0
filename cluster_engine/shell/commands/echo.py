"""`echo`, as POSIX sh has it: `-n` alone is an option, backslash escapes are interpreted."""

from __future__ import annotations

from ..context import Command, Context
from .printf import escapes


async def run(ctx: Context, argv: list[str]) -> int:
    """Print the arguments."""
    words = argv[1:]
    newline = True
    if words and words[0] == "-n":
        newline, words = False, words[1:]
    text = " ".join(words)
    if "\\" in text:
        text, stop = escapes(text, octal_zero=True)
        newline = newline and not stop
    await ctx.out(text + ("\n" if newline else ""))
    return 0


COMMAND = Command("echo", "print the arguments", run, usage="echo [-n] [text …]")
