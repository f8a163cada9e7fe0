"""`unset`."""

from __future__ import annotations

from cluster_engine.linux.sh.parse import is_name

from ..context import Command, Context
from ..errors import ShellError


async def run(ctx: Context, argv: list[str]) -> int:
    """Forget variables (or, with -f, functions)."""
    words, functions = argv[1:], False
    while words and words[0] in ("-f", "-v", "--"):
        functions = words.pop(0) == "-f"
    for word in words:
        if functions:
            ctx.process.functions.pop(word, None)
            ctx.process.sources.pop(word, None)
        elif not is_name(word):
            raise ShellError(f"unset: {word[:40]}: bad variable name")
        else:
            ctx.process.unset(word)
    return 0


COMMAND = Command("unset", "forget variables", run, special=True, usage="unset [-f] name …")
