"""`wc`."""

from __future__ import annotations

from ..context import Command, Context, decode
from ..errors import VfsError
from ..options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Count lines, words, bytes (-c), characters (-m)."""
    opts = options(argv, "lwcmL", "", {"lines": "l", "words": "w", "bytes": "c", "chars": "m"})
    wanted = [letter for letter in "lwmc" if opts.flag(letter)] or ["l", "w", "c"]
    rows: list[tuple[list[int], str]] = []
    status, from_stdin, total_bytes = 0, False, 0
    for name in opts.operands or ["-"]:
        try:
            data = await ctx.read_all(await ctx.open(name))
        except VfsError as error:
            await ctx.error(str(error))
            status = 1
            continue
        total_bytes += len(data)
        from_stdin = from_stdin or name == "-"
        await ctx.tick(1 + len(data) // 512)
        counts = {"l": data.count(b"\n"), "w": len(data.split()), "c": len(data), "m": 0}
        if "m" in wanted:
            counts["m"] = len(decode(data))
        rows.append(([counts[letter] for letter in wanted], name if opts.operands else ""))
    if len(opts.operands) > 1:
        rows.append(([sum(column) for column in zip(*(row for row, _ in rows), strict=True)], "total"))
    width = 1 if len(wanted) == 1 and len(rows) == 1 else (7 if from_stdin else len(str(total_bytes)))
    for row, name in rows:
        line = " ".join(f"{number:{width}d}" for number in row)
        await ctx.out(f"{line} {name}".rstrip(" ") + "\n" if name else line + "\n")
    return status


COMMAND = Command("wc", "count lines, words, bytes", run, usage="wc [-lwcm] [file …]")
