"""`tail` (without `-f`: a file here changes only through this shell)."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError, VfsError
from ..options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Print the last lines (or bytes) of files."""
    if len(argv) > 1 and argv[1][:1] in ("-", "+") and argv[1][1:].isdigit():
        argv = [argv[0], "-n", argv[1].removeprefix("-"), *argv[2:]]
    opts = options(argv, "qvfF", "nc", {"lines": "n", "bytes": "c", "quiet": "q", "follow": "f"})
    if opts.flag("f", "F"):
        raise UsageError("-f is not supported: files here change only through this shell", 1)
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
        data = await ctx.read_all(stream)
        number = abs(opts.number("c" if opts.flag("c") else "n", 10))
        text = opts.value("c") or opts.value("n") or ""
        if opts.flag("c"):
            part = data[number - 1 if number else 0 :] if text.startswith("+") else data[len(data) - number :]
            await ctx.stdout.write(part if number or text.startswith("+") else b"")
        else:
            lines = data.split(b"\n")
            lines = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
            if text.startswith("+"):
                chosen = lines[max(number - 1, 0) :]
            else:
                chosen = lines[max(len(lines) - number, 0) :]
            await ctx.stdout.write(b"".join(chosen))
    return status


COMMAND = Command("tail", "print the last lines", run, usage="tail [-n lines] [-c bytes] [file …]")
