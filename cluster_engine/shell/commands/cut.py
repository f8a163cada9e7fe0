"""`cut`."""

from __future__ import annotations

from ..context import Command, Context, encode
from ..errors import UsageError
from ..options import options


def _ranges(text: str) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for part in text.replace(" ", ",").split(","):
        low, dash, high = part.partition("-")
        if (
            not part
            or part == "-"
            or not all(each == "" or (each.isdigit() and len(each) < 8) for each in (low, high))
        ):
            raise UsageError(f"invalid list: '{text[:40]}'", 1)
        start = int(low or 1)
        end = (int(high) if high else 10**8) if dash else start
        if start < 1 or end < start:
            raise UsageError(f"invalid range: '{part[:40]}'", 1)
        ranges.append((start, end))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


async def run(ctx: Context, argv: list[str]) -> int:
    """Print selected fields or characters of each line."""
    opts = options(
        argv,
        "ns",
        "bcfdO",
        {"fields": "f", "delimiter": "d", "characters": "c", "output-delimiter": "O", "only-delimited": "s"},
    )
    chosen = [letter for letter in "bcf" if opts.flag(letter)]
    if len(chosen) != 1:
        raise UsageError("you must specify one list of bytes, characters, or fields", 1)
    ranges = _ranges(opts.value(chosen[0]) or "")
    delimiter = opts.value("d") if opts.flag("d") else "\t"
    if delimiter is None or len(delimiter) != 1:
        raise UsageError("the delimiter must be a single character", 1)
    joiner = opts.value("O") if opts.flag("O") else (delimiter if chosen[0] == "f" else "")
    text, status = await ctx.input(opts.operands)
    for line in text.split("\n")[: -1 if text.endswith("\n") or not text else None]:
        await ctx.tick(1 + len(line) // 256)
        if chosen[0] == "f":
            fields: list[str] = line.split(delimiter)
            if len(fields) == 1:
                if not opts.flag("s"):
                    await ctx.out(line + "\n")
                continue
            picked = [field for start, end in ranges for field in fields[start - 1 : end]]
            await ctx.out((joiner or "").join(picked) + "\n")
        elif chosen[0] == "b":
            data = encode(line)
            pieces = [data[start - 1 : end] for start, end in ranges]
            await ctx.stdout.write(encode(joiner or "").join(piece for piece in pieces if piece) + b"\n")
        else:
            parts = [line[start - 1 : end] for start, end in ranges]
            await ctx.out((joiner or "").join(part for part in parts if part) + "\n")
    return status


COMMAND = Command("cut", "print fields of lines", run, usage="cut -d char -f list [file …]")
