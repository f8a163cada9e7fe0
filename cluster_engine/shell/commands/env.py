"""`env`."""

from __future__ import annotations

from cluster_engine.linux.sh.parse import is_name

from ..context import Command, Context
from ..errors import UsageError


async def run(ctx: Context, argv: list[str]) -> int:
    """Print the environment, or run a command in a changed one."""
    words = argv[1:]
    child = ctx.process.fork()
    while words:
        word = words[0]
        if word in ("-i", "-"):
            for name in list(child.exported):
                child.unset(name)
        elif word == "-u" and len(words) > 1:
            child.unset(words[1])
            words = words[1:]
        elif word == "--":
            words = words[1:]
            break
        elif word.startswith("-"):
            raise UsageError(f"invalid option '{word[:40]}'", 125)
        elif "=" in word:
            name, _, value = word.partition("=")
            if not is_name(name):
                raise UsageError(f"{name[:40]}: not a variable name", 125)
            child.assign(name, value)
            child.exported[name] = None
        else:
            break
        words = words[1:]
    if not words:
        await ctx.out("".join(f"{name}={value}\n" for name, value in child.environment().items()))
        return 0
    child.variables = child.environment()
    return await child.evaluator.dispatch_program(words, child.shell.commands.get(words[0]), ctx.io)


COMMAND = Command(
    "env", "print or change the environment", run, usage="env [-i] [-u name] [name=value …] [command …]"
)
