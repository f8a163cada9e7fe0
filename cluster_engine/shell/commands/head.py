"""`head`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import VfsError
from ..options import Options, count, options


async def run(ctx: Context, argv: list[str]) -> int:
    """Print the first lines (or bytes) of files."""
    if len(argv) > 1 and argv[1][:1] == "-" and argv[1][1:].isdigit():
        argv = [argv[0], "-n", argv[1][1:], *argv[2:]]
    opts = options(argv, "qv", "nc", {"lines": "n", "bytes": "c", "quiet": "q"})
    status, first = 0, True
    for name in opts.operands or ["-"]:
        try:
            stream = await ctx.open(name)
        except VfsError as error:
            await ctx.error(f"cannot open '{name}' for reading: {error.reason}")
            status = 1
            continue
        if (len(opts.operands) > 1 and not opts.flag("q")) or opts.flag("v"):
            title = "standard input" if name == "-" else name
            await ctx.out(("" if first else "\n") + f"==> {title} <==\n")
        first = False
        await _head(ctx, stream, opts)
    return status


async def _head(ctx: Context, stream: object, opts: Options) -> None:
    from ..streams import Stream

    assert isinstance(stream, Stream)
    text = opts.value("c")
    if text is not None:
        left = count(text)
        while left > 0 and (chunk := await stream.read(min(left, 4096))):
            left -= len(chunk)
            await ctx.stdout.write(chunk)
        return
    left = opts.number("n", 10)
    if left < 0:
        lines = (await ctx.read_all(stream)).splitlines(keepends=True)
        await ctx.stdout.write(b"".join(lines[:left]))
        return
    while left > 0 and (line := await stream.readline()):
        left -= 1
        await ctx.stdout.write(line)


COMMAND = Command("head", "print the first lines", run, usage="head [-n lines] [-c bytes] [file …]")
