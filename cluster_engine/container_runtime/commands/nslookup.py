"""busybox ``nslookup``: what the cluster's DNS says about a name."""

from __future__ import annotations

from cluster_engine.shell.context import Command, Context

_SERVER = "10.96.0.10"


async def run(ctx: Context, argv: list[str]) -> int:
    """Look up one name."""
    names = [word for word in argv[1:] if not word.startswith("-")]
    if not names:
        await ctx.error("missing host name")
        return 1
    name = names[0].rstrip(".")
    found: list[str] | None = await ctx.call("lookup", name)
    if found is None:
        await ctx.out(";; connection timed out; no servers could be reached\n\n")
        return 1
    await ctx.out(f"Server:\t\t{_SERVER}\nAddress:\t{_SERVER}:53\n\n")
    if not found:
        await ctx.out(f"** server can't find {name}: NXDOMAIN\n\n")
        return 1
    for address in found:
        await ctx.out(f"Name:\t{name}\nAddress: {address}\n")
    await ctx.out("\n")
    return 0


COMMAND = Command("nslookup", "ask the DNS", run, usage="nslookup name")
