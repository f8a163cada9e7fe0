"""`uniq`."""

from __future__ import annotations

from ..context import Command, Context, encode
from ..options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Join equal neighbouring lines."""
    opts = options(argv, "cdui", "fs", {"count": "c", "repeated": "d", "unique": "u"})
    skip_fields, skip_chars = opts.number("f", 0), opts.number("s", 0)
    text, status = await ctx.input(opts.operands[:1])
    groups: list[tuple[str, int]] = []
    previous: str | None = None
    for line in text.split("\n")[: -1 if text.endswith("\n") or not text else None]:
        await ctx.tick()
        key = line
        for _ in range(min(skip_fields, 100)):
            key = key.lstrip(" \t")
            key = key[len(key.split(None, 1)[0]) :] if key else key
        key = key[max(skip_chars, 0) :]
        key = key.lower() if opts.flag("i") else key
        if previous == key and groups:
            groups[-1] = (groups[-1][0], groups[-1][1] + 1)
        else:
            groups.append((line, 1))
        previous = key
    out: list[str] = []
    for line, number in groups:
        if (opts.flag("d") and number < 2) or (opts.flag("u") and number > 1):
            continue
        out.append(f"{number:7d} {line}\n" if opts.flag("c") else line + "\n")
    result = encode("".join(out))
    if len(opts.operands) > 1:
        ctx.vfs.write(ctx.path(opts.operands[1]), result)
    else:
        await ctx.stdout.write(result)
    return status


COMMAND = Command("uniq", "join equal neighbouring lines", run, usage="uniq [-cdui] [file]")
