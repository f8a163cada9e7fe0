"""`vim`, `vi`, `nano`, `edit`: the file opens in the host's editor."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError, VfsError


async def run(ctx: Context, argv: list[str]) -> int:
    """Open a file in the editor of the page."""
    names = [word for word in argv[1:] if not word.startswith(("-", "+"))]
    if ctx.host.open_editor is None:
        raise UsageError("no editor can be opened from here", 1)
    if not names:
        raise UsageError(f"name a file: {argv[0]} file.yaml", 1)
    path = ctx.path(names[0])
    if ctx.vfs.is_dir(path):
        raise VfsError(names[0], "Is a directory")
    if not ctx.vfs.exists(path):
        ctx.vfs.write(path, b"")
    message = ctx.host.open_editor(path)
    await ctx.out(message + "\n" if message else "")
    return 0


def _named(name: str) -> Command:
    return Command(name, "open a file in the editor", run, usage=f"{name} file")


VIM = _named("vim")
VI = _named("vi")
NANO = _named("nano")
EDIT = _named("edit")
