"""Small commands that tell where one is: hostname, id, whoami, uname, ps, nproc, kill, sync."""

from __future__ import annotations

from cluster_engine.shell.context import Command, Context

_KERNEL = "6.12.48"


def _extra(ctx: Context, name: str, default: str = "") -> str:
    return str(ctx.host.extra.get(name, default))


async def hostname(ctx: Context, argv: list[str]) -> int:
    """The Pod's host name; ``-i`` its address."""
    if argv[1:2] in (["-i"], ["-I"]):
        await ctx.out(_extra(ctx, "ip") + "\n")
    else:
        await ctx.out(_extra(ctx, "hostname", "localhost") + "\n")
    return 0


async def whoami(ctx: Context, argv: list[str]) -> int:
    """The user's name."""
    uid = _extra(ctx, "uid", "0")
    if uid != "0":
        await ctx.error(f"unknown uid {uid}")
        return 1
    await ctx.out("root\n")
    return 0


async def identity(ctx: Context, argv: list[str]) -> int:
    """User and group."""
    uid, gid = _extra(ctx, "uid", "0"), _extra(ctx, "gid", "0")
    if argv[1:2] == ["-u"]:
        await ctx.out(f"{uid}\n")
    elif argv[1:2] == ["-g"]:
        await ctx.out(f"{gid}\n")
    elif uid == "0":
        await ctx.out("uid=0(root) gid=0(root) groups=0(root)\n")
    else:
        await ctx.out(f"uid={uid} gid={gid} groups={gid}\n")
    return 0


async def uname(ctx: Context, argv: list[str]) -> int:
    """The kernel."""
    option = argv[1] if len(argv) > 1 else "-s"
    host = _extra(ctx, "hostname", "localhost")
    known = {
        "-s": "Linux",
        "-r": _KERNEL,
        "-n": host,
        "-m": "x86_64",
        "-a": f"Linux {host} {_KERNEL} #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux",
    }
    if option not in known:
        await ctx.error(f"unrecognized option: {option[:20]}")
        return 1
    await ctx.out(known[option] + "\n")
    return 0


async def processes(ctx: Context, argv: list[str]) -> int:
    """The container's main process and ps itself."""
    main = _extra(ctx, "command", "sh")
    await ctx.out(
        f"PID   USER     TIME  COMMAND\n    1 root      0:00 {main}\n   42 root      0:00 {' '.join(argv)}\n"
    )
    return 0


async def cpus(ctx: Context, argv: list[str]) -> int:
    """How many CPUs the node has."""
    await ctx.out("4\n")
    return 0


async def kill(ctx: Context, argv: list[str]) -> int:
    """Signal the container's main process (PID 1); nothing else runs here."""
    signal, words = "TERM", argv[1:]
    if words and words[0].startswith("-"):
        signal = words.pop(0).lstrip("-").upper().removeprefix("SIG")
        if signal == "S" and words:
            signal = words.pop(0).upper()
    signal = {"9": "KILL", "15": "TERM", "2": "INT", "1": "HUP", "3": "QUIT"}.get(signal, signal)
    for word in words:
        if word != "1":
            await ctx.error(f"can't kill pid {word}: No such process")
            return 1
        await ctx.call("signal", signal)
    return 0


async def sync(ctx: Context, argv: list[str]) -> int:
    """Nothing to write back."""
    return 0


COMMANDS: tuple[Command, ...] = (
    Command("hostname", "print the host name", hostname),
    Command("whoami", "print the user", whoami),
    Command("id", "print user and group", identity),
    Command("uname", "print the system", uname),
    Command("ps", "list processes", processes),
    Command("nproc", "count CPUs", cpus),
    Command("kill", "send a signal", kill),
    Command("sync", "write back", sync),
)
