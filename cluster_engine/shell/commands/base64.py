"""`base64`."""

from __future__ import annotations

import base64
import binascii

from ..context import Command, Context, encode
from ..errors import UsageError
from ..options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Encode, or with -d decode."""
    opts = options(argv, "di", "w", {"decode": "d", "wrap": "w", "ignore-garbage": "i"})
    text, status = await ctx.input(opts.operands[:1])
    data = encode(text)
    await ctx.tick(1 + len(data) // 512)
    if opts.flag("d"):
        compact = b"".join(data.split(b"\n"))
        try:
            await ctx.stdout.write(base64.b64decode(compact, validate=not opts.flag("i")))
        except binascii.Error:
            raise UsageError("invalid input", 1) from None
        return status
    width = opts.number("w", 76)
    encoded = base64.b64encode(data)
    if width <= 0:
        await ctx.stdout.write(encoded)
        return status
    lines = [encoded[at : at + width] + b"\n" for at in range(0, len(encoded), width)]
    await ctx.stdout.write(b"".join(lines))
    return status


COMMAND = Command("base64", "encode or decode base64", run, usage="base64 [-d] [-w width] [file]")
