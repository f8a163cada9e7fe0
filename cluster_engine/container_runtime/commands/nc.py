"""``nc -z``: whether a port is open. Anything else that nc does is refused."""

from __future__ import annotations

from cluster_engine.shell.context import Command, Context
from cluster_engine.shell.options import options


async def run(ctx: Context, argv: list[str]) -> int:
    """Try to connect."""
    opts = options(argv, "zvnl", "wp")
    if not opts.flag("z") or len(opts.operands) != 2:
        await ctx.error("only `nc -z [-v] [-w seconds] host port` is simulated")
        return 1
    host, port = opts.operands
    answer: dict[str, str] = await ctx.call(
        "connect", host, int(port) if port.isdigit() and len(port) < 6 else 0
    )
    error, address = answer.get("error", ""), answer.get("address", host)
    if error == "resolve":
        await ctx.error(f"bad address '{host}'")
        return 1
    if error:
        if opts.flag("v"):
            await ctx.error(f"{host} ({address}:{port}): {error.capitalize()}")
        return 1
    if opts.flag("v"):
        await ctx.out(f"{host} ({address}:{port}) open\n")
    return 0


COMMAND = Command("nc", "try a port", run, usage="nc -z host port")
