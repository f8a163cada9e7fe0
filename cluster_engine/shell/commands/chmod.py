"""`chmod`: octal modes and `+x`-like ones; only the x bit matters, to run a script."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError
from ..options import options

_BITS = {"r": 4, "w": 2, "x": 1}


def _mode(text: str, before: int) -> int:
    if text and len(text) <= 4 and all(char in "01234567" for char in text):
        return int(text, 8)
    for operator in "+-=":
        who, found, what = text.partition(operator)
        if found and all(char in "ugoa" for char in who) and all(char in _BITS for char in what):
            bits = sum(_BITS[char] for char in dict.fromkeys(what))
            shifts = {"u": 6, "g": 3, "o": 0}
            chosen = "ugo" if not who or "a" in who else who
            mask = sum(bits << shifts[char] for char in dict.fromkeys(chosen))
            full = sum(7 << shifts[char] for char in dict.fromkeys(chosen))
            if operator == "+":
                return before | mask
            return before & ~mask if operator == "-" else before & ~full | mask
    raise UsageError(f"invalid mode: '{text[:40]}'", 1)


async def run(ctx: Context, argv: list[str]) -> int:
    """Change the permission bits."""
    arguments = (
        argv if len(argv) < 2 or not argv[1].startswith(("-r", "-w", "-x")) else [argv[0], "--", *argv[1:]]
    )
    opts = options(arguments, "R")
    if len(opts.operands) < 2:
        raise UsageError("missing operand", 1)
    mode, *names = opts.operands
    for name in names:
        path = ctx.must_be_file(name) if not ctx.vfs.is_dir(ctx.path(name)) else ctx.path(name)
        paths = [path]
        if opts.flag("R"):
            paths += [below for below, _ in ctx.vfs.walk(path)]
        for each in paths:
            await ctx.tick()
            ctx.vfs.chmod(each, _mode(mode, ctx.vfs.stat(each).mode))
    return 0


COMMAND = Command("chmod", "change permission bits", run, usage="chmod +x file …")
