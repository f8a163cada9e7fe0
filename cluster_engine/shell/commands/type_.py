"""`type`."""

from __future__ import annotations

from cluster_engine.linux.sh.tokens import RESERVED

from ..context import Command, Context

_BUILTIN = frozenset(
    [
        ".", ":", "[", "alias", "break", "cd", "command", "continue", "echo", "eval", "exit", "export",
        "false", "help", "history", "local", "printf", "pwd", "read", "readonly", "return", "set",
        "shift", "source", "test", "true", "type", "unalias", "unset",
    ]
)  # fmt: skip


def kind(ctx: Context, name: str) -> tuple[str, str]:
    """What a name is, in words, and what `command -v` prints for it."""
    process, shell = ctx.process, ctx.process.shell
    if name in RESERVED:
        return "a shell keyword", name
    if name in process.aliases:
        return f"an alias for {process.aliases[name]}", f"alias {name}='{process.aliases[name]}'"
    if name in process.functions:
        return "a shell function", name
    if name in _BUILTIN and name in shell.commands:
        return "a shell builtin", name
    if name in shell.commands or name in shell.externals:
        return f"/usr/bin/{name}", f"/usr/bin/{name}"
    if "/" in name and ctx.vfs.is_file(ctx.path(name)):
        return name, name
    return "nothing", ""


async def run(ctx: Context, argv: list[str]) -> int:
    """Tell what names stand for."""
    status = 0
    for name in argv[1:]:
        what, _ = kind(ctx, name)
        if what == "nothing":
            await ctx.out(f"{name}: not found\n")
            status = 127
        else:
            await ctx.out(f"{name} is {what}\n")
    return status


COMMAND = Command("type", "tell what a name stands for", run, usage="type name …")
