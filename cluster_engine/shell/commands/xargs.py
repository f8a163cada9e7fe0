"""`xargs`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError
from ..options import options
from ..streams import Null

MAX_ARGUMENTS = 512


def _split(text: str, delimiter: str | None) -> list[str]:
    if delimiter is not None:
        parts = text.split(delimiter)
        return parts[:-1] if parts and parts[-1] == "" else parts
    words: list[str] = []
    current: list[str] | None = None
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if quote:
            if char == quote:
                quote = ""
            else:
                current = current if current is not None else []
                current.append(char)
        elif char in "'\"":
            quote = char
            current = current if current is not None else []
        elif char == "\\" and at < len(text):
            current = current if current is not None else []
            current.append(text[at])
            at += 1
        elif char in " \t\n":
            if current is not None:
                words.append("".join(current))
                current = None
        else:
            current = current if current is not None else []
            current.append(char)
    if quote:
        raise UsageError("unmatched quote", 1)
    if current is not None:
        words.append("".join(current))
    return words


async def run(ctx: Context, argv: list[str]) -> int:
    """Run a command with the words of standard input as arguments."""
    opts = options(
        argv, "0rt", "nILd", {"null": "0", "no-run-if-empty": "r", "max-args": "n", "delimiter": "d"},
        permute=False,
    )  # fmt: skip
    text, _ = await ctx.input([])
    await ctx.tick(1 + len(text) // 64)
    command = opts.operands or ["echo"]
    replace = opts.value("I")
    delimiter = "\0" if opts.flag("0") else opts.value("d")
    if delimiter == "\\n":
        delimiter = "\n"
    if replace is not None:
        lines = [line.strip(" \t") for line in text.split("\n") if line.strip(" \t")]
        batches = [[word.replace(replace, line) for word in command] for line in lines]
    else:
        words = _split(text, delimiter)
        size = min(max(opts.number("n", MAX_ARGUMENTS), 1), MAX_ARGUMENTS)
        batches = [[*command, *words[at : at + size]] for at in range(0, len(words), size)]
        if not words and not opts.flag("r"):
            batches = [command]
    status = 0
    process = ctx.process.fork()
    for batch in batches:
        await ctx.tick()
        if opts.flag("t"):
            await ctx.stderr.write((" ".join(batch) + "\n").encode("utf-8", "surrogateescape"))
        known = process.shell.commands.get(batch[0])
        result = await process.evaluator.dispatch_program(batch, known, {**ctx.io, 0: Null()})
        if result in (126, 127):
            return result
        if result == 255:
            await ctx.error(f"{batch[0]}: exited with status 255; aborting")
            return 124
        status = 123 if result else status
    return status


COMMAND = Command(
    "xargs", "run a command on words of the input", run, usage="xargs [-n count] [-I text] command …"
)
