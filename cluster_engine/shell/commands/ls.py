"""`ls`."""

from __future__ import annotations

from datetime import UTC, datetime

from ..context import Command, Context
from ..errors import VfsError
from ..options import Options, options
from ..width import columns, text_width


async def run(ctx: Context, argv: list[str]) -> int:
    """List directories and files."""
    opts = options(
        argv, "laA1RdhtrSFpUC", "", {"all": "a", "almost-all": "A", "recursive": "R", "reverse": "r"}
    )
    names = sorted(opts.operands) or ["."]
    status = 0
    files: list[str] = []
    folders: list[str] = []
    for name in names:
        path = ctx.path(name)
        if not ctx.vfs.exists(path):
            await ctx.error(f"cannot access '{name}': No such file or directory")
            status = 2
        elif ctx.vfs.is_dir(path) and not opts.flag("d"):
            folders.append(name)
        else:
            files.append(name)
    if files:
        await _show(ctx, opts, [(name, ctx.path(name)) for name in files], total=False)
    titles = len(names) > 1 or opts.flag("R")
    first = not files
    queue = list(folders)
    while queue:
        name = queue.pop(0)
        await ctx.tick()
        if titles:
            await ctx.out(("" if first else "\n") + f"{name}:\n")
        first = False
        path = ctx.path(name)
        try:
            children = ctx.vfs.listdir(path)
        except VfsError as error:
            raise VfsError(name, error.reason) from None
        if not opts.flag("a", "A"):
            children = [child for child in children if not child.startswith(".")]
        entries = [(child, f"{path.rstrip('/')}/{child}") for child in children]
        if opts.flag("R"):
            below = [f"{name.rstrip('/')}/{child}" for child, full in entries if ctx.vfs.is_dir(full)]
            queue = below + queue
        if opts.flag("a"):
            parent = path.rpartition("/")[0] or "/"
            entries = [(".", path), ("..", parent), *entries]
        await _show(ctx, opts, entries, total=True)
    return status


async def _show(ctx: Context, opts: Options, entries: list[tuple[str, str]], *, total: bool) -> None:
    vfs = ctx.vfs
    if opts.flag("t"):
        entries = sorted(entries, key=lambda entry: -vfs.stat(entry[1]).mtime)
    elif opts.flag("S"):
        entries = sorted(entries, key=lambda entry: -vfs.stat(entry[1]).size)
    if opts.flag("r"):
        entries = entries[::-1]
    await ctx.tick(1 + len(entries) // 4)
    marked = []
    for name, path in entries:
        mark = "/" if opts.flag("F", "p") and vfs.is_dir(path) else ""
        if opts.flag("F") and vfs.is_file(path) and vfs.stat(path).mode & 0o111:
            mark = "*"
        marked.append((name + mark, path))
    if opts.flag("l"):
        await _long(ctx, opts, marked, total)
    elif ctx.stdout.is_tty and not opts.flag("1") and marked:
        await ctx.out(columns([name for name, _ in marked], ctx.process.shell.size[0]))
    else:
        await ctx.out("".join(name + "\n" for name, _ in marked))


def _size(number: int, human: bool) -> str:
    if not human or number < 1024:
        return str(number)
    value, unit = number / 1024, "K"
    if value >= 1024:
        value, unit = value / 1024, "M"
    return f"{value:.1f}{unit}" if value < 10 else f"{value:.0f}{unit}"


async def _long(ctx: Context, opts: Options, entries: list[tuple[str, str]], total: bool) -> None:
    vfs = ctx.vfs
    await ctx.tick(1 + 4 * len(entries))
    if total:
        blocks = sum(-(-vfs.stat(path).size // 4096) * 4 for _, path in entries)
        await ctx.out(f"total {_size(blocks * 1024, True) if opts.flag('h') else blocks}\n")
    owner = ctx.process.get("USER") or "root"
    sizes = [_size(vfs.stat(path).size, opts.flag("h")) for _, path in entries]
    width = max((text_width(size) for size in sizes), default=0)
    for (name, path), size in zip(entries, sizes, strict=True):
        stat = vfs.stat(path)
        bits = "".join(
            letter if stat.mode & (0o400 >> index) else "-" for index, letter in enumerate("rwxrwxrwx")
        )
        moment = datetime.fromtimestamp(stat.mtime // 1_000_000, UTC).strftime("%b %e %H:%M")
        links = 2 if stat.is_dir else 1
        await ctx.out(
            f"{'d' if stat.is_dir else '-'}{bits} {links} {owner} {owner} {size:>{width}} {moment} {name}\n"
        )


COMMAND = Command("ls", "list files", run, usage="ls [-lahtrSR1dF] [path …]")
