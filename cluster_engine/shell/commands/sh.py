"""`sh`: scripts and `-c`."""

from __future__ import annotations

from ..context import Command, Context, decode
from ..errors import UsageError, VfsError


async def run(ctx: Context, argv: list[str]) -> int:
    """Run a script, the text after -c, or standard input."""
    words = argv[1:]
    given = ""
    text: str | None = None
    while words and words[0].startswith("-") and len(words[0]) > 1:
        word = words.pop(0)
        if word == "--":
            break
        if any(letter not in "euxfci" for letter in word[1:]):
            raise UsageError(f"Illegal option {word[:20]}")
        given += word[1:]
        if "c" in word:
            if not words:
                raise UsageError("-c requires an argument")
            text = words.pop(0)
    if text is None and not words:
        if ctx.stdin.is_tty:
            raise UsageError("this is sh already; name a script")
        text, _ = await ctx.input([])
    child = ctx.process.fork()
    child.variables = ctx.env
    child.functions, child.aliases = {}, {}
    child.options = {letter: None for letter in given if letter in "euxf"}
    child.name = "sh"
    if text is None:
        name = words.pop(0)
        try:
            text = decode(ctx.vfs.read(ctx.path(name)))
        except VfsError as error:
            await ctx.error(f"cannot open {name[:80]}: {error.reason}")
            return 127
        child.name = name
    elif words:
        child.name = words.pop(0)
    child.positional = words
    return await child.evaluator.contained(text, ctx.io)


COMMAND = Command("sh", "run a script", run, usage="sh [-eux] [-c text | file] [argument …]")
