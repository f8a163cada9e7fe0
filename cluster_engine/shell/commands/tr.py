"""`tr`."""

from __future__ import annotations

from collections.abc import Callable

from ..context import Command, Context, decode
from ..errors import UsageError
from ..options import options
from .printf import escapes

_CLASSES: dict[str, Callable[[str], bool]] = {
    "alpha": lambda c: c.isalpha(), "digit": lambda c: c.isdigit(), "alnum": lambda c: c.isalnum(),
    "upper": lambda c: c.isupper(), "lower": lambda c: c.islower(), "space": lambda c: c in " \t\n\v\f\r",
    "blank": lambda c: c in " \t", "punct": lambda c: c.isprintable() and not c.isalnum() and c != " ",
    "cntrl": lambda c: ord(c) < 32 or ord(c) == 127, "print": lambda c: c.isprintable(),
    "xdigit": lambda c: c in "0123456789abcdefABCDEF", "graph": lambda c: c.isprintable() and c != " ",
}  # fmt: skip

MAX_SET = 8_192


def _expand(text: str) -> list[str]:
    chars: list[str] = []
    at = 0
    while at < len(text):
        if text.startswith("[:", at) and ":]" in text[at:]:
            name = text[at + 2 : text.index(":]", at)]
            if name not in _CLASSES:
                raise UsageError(f"invalid character class '{name[:20]}'", 1)
            chars += [chr(code) for code in range(128) if _CLASSES[name](chr(code))]
            at = text.index(":]", at) + 2
            continue
        char, size = text[at], 1
        if char == "\\" and at + 1 < len(text):
            size = 4 if text[at + 1 : at + 4].isdigit() else 2
            char = escapes(text[at : at + size])[0]
        at += size
        if text[at : at + 1] == "-" and at + 1 < len(text):
            last = text[at + 1]
            if ord(last) < ord(char):
                raise UsageError(f"range-endpoints of '{char}-{last}' are in reverse order", 1)
            if ord(last) - ord(char) > 4096:
                raise UsageError("a range may have at most 4,096 characters", 1)
            chars += [chr(code) for code in range(ord(char), ord(last) + 1)]
            at += 2
        else:
            chars.append(char)
        if len(chars) > MAX_SET:
            raise UsageError(f"a set may have at most {MAX_SET:,} characters", 1)
    return chars


async def run(ctx: Context, argv: list[str]) -> int:
    """Replace, delete (-d) or squeeze (-s) characters."""
    opts = options(
        argv, "cCdst", "", {"delete": "d", "squeeze-repeats": "s", "complement": "c"}, permute=False
    )
    sets = [_expand(text) for text in opts.operands]
    delete, squeeze, complement = opts.flag("d"), opts.flag("s"), opts.flag("c", "C")
    if not sets or (len(sets) < 2 and not delete and not squeeze):
        raise UsageError("missing operand", 1)
    if len(sets) > 2 or (delete and not squeeze and len(sets) > 1):
        raise UsageError("extra operand", 1)
    first = dict.fromkeys(sets[0])
    table: dict[str, str] = {}
    if not delete and len(sets) == 2:
        if not sets[1]:
            raise UsageError("when not truncating set1, string2 must be non-empty", 1)
        target = sets[1] + [sets[1][-1]] * max(0, len(sets[0]) - len(sets[1]))
        for old, new in zip(sets[0], target, strict=False):
            table[old] = new
    squeezed = dict.fromkeys(sets[-1]) if squeeze else {}
    previous = ""
    while line := await ctx.stdin.readline():
        out: list[str] = []
        await ctx.tick(1 + len(line) // 64)
        for char in decode(line):
            hit = (char in first) != complement
            if hit and delete:
                continue
            if hit and len(sets) == 2 and not delete:
                char = sets[1][-1] if complement else table[char]
            if squeeze and char == previous:
                listed = (char in squeezed) != (complement and len(sets) == 1)
                if listed:
                    continue
            previous = char
            out.append(char)
        await ctx.out("".join(out))
    return 0


COMMAND = Command("tr", "replace or delete characters", run, usage="tr [-cds] set1 [set2]")
