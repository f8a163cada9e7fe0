"""`date`: the time of the host's clock (the virtual one), in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from ..context import Command, Context
from ..errors import UsageError
from ..options import options

_LETTERS = "aAbBcCdDeFgGHIjklmMnpPrRsStTuUVwWxXyYzZ%"


def _format(moment: datetime, microseconds: int, text: str) -> str:
    if len(text) > 256:
        raise UsageError("a format may have at most 256 characters", 1)
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        letter = text[at + 1 : at + 2]
        if char != "%" or not letter:
            out.append(char)
            at += 1
            continue
        if letter == "N":
            out.append(f"{microseconds % 1_000_000 * 1000:09d}")
        elif letter == "s":
            out.append(str(microseconds // 1_000_000))
        elif letter == "Z":
            out.append("UTC")
        elif letter in _LETTERS:
            out.append(moment.strftime("%" + letter))
        else:
            out.append("%" + letter)
        at += 2
    return "".join(out)


async def run(ctx: Context, argv: list[str]) -> int:
    """Print the date."""
    opts = options(argv, "uR", "dI", {"utc": "u", "rfc-email": "R"}) if "-I" not in argv else None
    now = ctx.host.now()
    moment = datetime.fromtimestamp(now // 1_000_000, UTC)
    if opts is None:
        text = "%Y-%m-%d"
    elif opts.flag("d"):
        raise UsageError("-d is not supported here", 1)
    elif opts.flag("I"):
        text = "%Y-%m-%dT%H:%M:%S+00:00" if (opts.value("I") or "").startswith("s") else "%Y-%m-%d"
    elif opts.flag("R"):
        text = "%a, %d %b %Y %H:%M:%S +0000"
    elif opts.operands and opts.operands[0].startswith("+"):
        text = opts.operands[0][1:]
    elif opts.operands:
        raise UsageError(f"cannot set the date: '{opts.operands[0][:40]}'", 1)
    else:
        text = "%a %b %e %H:%M:%S UTC %Y"
    await ctx.out(_format(moment, now, text) + "\n")
    return 0


COMMAND = Command("date", "print the date", run, usage="date [-u] [+format]")
