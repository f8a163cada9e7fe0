"""`read`."""

from __future__ import annotations

from cluster_engine.linux.sh.parse import is_name

from ..context import Command, Context, decode, encode
from ..errors import ShellError, UsageError


async def run(ctx: Context, argv: list[str]) -> int:
    """Read a line into variables."""
    words, raw = argv[1:], False
    while words and words[0].startswith("-") and len(words[0]) > 1:
        option = words.pop(0)
        if option == "--":
            break
        if option == "-r":
            raw = True
        elif option == "-p" and words:
            await ctx.stderr.write(encode(words.pop(0)))
        else:
            raise UsageError(f"Illegal option {option[:20]}")
    if not words:
        raise UsageError("arg count")
    for name in words:
        if not is_name(name):
            raise ShellError(f"read: {name[:40]}: bad variable name")
    text = ""
    complete = False
    while True:
        line = decode(await ctx.stdin.readline())
        complete = line.endswith("\n")
        text += line.removesuffix("\n")
        slashes = len(text) - len(text.rstrip("\\"))
        if raw or not complete or slashes % 2 == 0:
            break
        text = text[:-1]
    await ctx.tick(len(text) // 32)
    ifs = ctx.process.get("IFS")
    fields = _split(text, " \t\n" if ifs is None else ifs, len(words), raw)
    for name, value in zip(words, fields, strict=True):
        ctx.process.assign(name, value)
    return 0 if complete else 1


def _split(text: str, ifs: str, count: int, raw: bool) -> list[str]:
    """`count` fields; the last takes what is left. Escaped characters never separate."""
    chars: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        if text[at] == "\\" and not raw:
            if at + 1 < len(text):
                chars.append((text[at + 1], False))
            at += 2
        else:
            chars.append((text[at], text[at] in ifs))
            at += 1

    def white(index: int) -> bool:
        return index < len(chars) and chars[index][1] and chars[index][0] in " \t\n"

    fields: list[str] = []
    at = 0
    while white(at):
        at += 1
    while len(fields) < count - 1 and at < len(chars):
        start = at
        while at < len(chars) and not chars[at][1]:
            at += 1
        fields.append("".join(char for char, _ in chars[start:at]))
        while white(at):
            at += 1
        if at < len(chars) and chars[at][1]:
            at += 1
            while white(at):
                at += 1
    end = len(chars)
    while end > at and white(end - 1):
        end -= 1
    if end > at and chars[end - 1][1] and not any(separator for _, separator in chars[at : end - 1]):
        end -= 1
    fields.append("".join(char for char, _ in chars[at:end]))
    return fields + [""] * (count - len(fields))


COMMAND = Command("read", "read a line into variables", run, usage="read [-r] [-p prompt] name …")
