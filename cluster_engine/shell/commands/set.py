"""`set`."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import ShellError

_NAMES = {
    "errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "allexport": "a", "pipefail": "pipefail",
}  # fmt: skip


def quote(text: str) -> str:
    """Text as the shell would read it back."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


async def run(ctx: Context, argv: list[str]) -> int:
    """Show variables, set options (-e -u -x -f -a, -o name) or the positional parameters."""
    process = ctx.process
    words = argv[1:]
    if not words:
        for name in sorted(process.variables):
            await ctx.out(f"{name}={quote(process.variables[name])}\n")
        return 0
    while words and words[0][:1] in ("-", "+") and len(words[0]) > 1:
        word = words.pop(0)
        if word == "--":
            process.positional = words
            return 0
        for letter in word[1:]:
            if letter == "o":
                if not words:
                    for name, option in _NAMES.items():
                        await ctx.out(f"{name:16}{'on' if option in process.options else 'off'}\n")
                    return 0
                given = words.pop(0)
                if given not in _NAMES:
                    raise ShellError(f"set: Illegal option -o {given[:40]}")
                letter = _NAMES[given]
            elif letter not in "euxfa":
                raise ShellError(f"set: Illegal option -{letter}")
            if word[0] == "-":
                process.options[letter] = None
            else:
                process.options.pop(letter, None)
    if words:
        process.positional = words
    return 0


COMMAND = Command(
    "set", "shell options and parameters", run, special=True, usage="set [-eux] [-o name] [-- word …]"
)
