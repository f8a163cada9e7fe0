"""`find`, the part of it that people use: -name -iname -type -path -maxdepth -mindepth -empty -delete."""

from __future__ import annotations

from ..context import Command, Context
from ..errors import UsageError, VfsError
from ..pattern import matches


class _Query:
    def __init__(self) -> None:
        self.names: list[tuple[str, bool, bool]] = []
        self.kind = ""
        self.deepest = 10**6
        self.shallowest = 0
        self.empty = False
        self.delete = False


def _query(words: list[str]) -> _Query:
    query = _Query()
    while words:
        word = words.pop(0)
        if word in ("-name", "-iname", "-path", "-type", "-maxdepth", "-mindepth"):
            if not words:
                raise UsageError(f"missing argument to '{word}'", 1)
            value = words.pop(0)
            if word in ("-maxdepth", "-mindepth"):
                if not (value.isascii() and value.isdigit() and len(value) < 6):
                    raise UsageError(f"expected a number after {word}", 1)
                setattr(query, "deepest" if word == "-maxdepth" else "shallowest", int(value))
            elif word == "-type":
                if value not in ("f", "d"):
                    raise UsageError(f"unknown argument to -type: {value[:20]}", 1)
                query.kind = value
            else:
                query.names.append((value, word == "-iname", word == "-path"))
        elif word == "-empty":
            query.empty = True
        elif word == "-delete":
            query.delete = True
        elif word not in ("-print", "-a"):
            raise UsageError(f"{word[:40]}: not supported here", 1)
    return query


async def run(ctx: Context, argv: list[str]) -> int:
    """Print the paths below a directory that meet the conditions."""
    words = argv[1:]
    starts: list[str] = []
    while words and not words[0].startswith(("-", "(", "!")):
        starts.append(words.pop(0))
    query = _query(words)
    status = 0
    for start in starts or ["."]:
        root = ctx.path(start)
        if not ctx.vfs.exists(root):
            await ctx.error(str(VfsError(f"'{start}'", "No such file or directory")))
            status = 1
            continue
        found = [(root, ctx.vfs.is_dir(root)), *_depth_first(ctx, root)]
        for path, is_dir in reversed(found) if query.delete else found:
            await ctx.tick()
            below = path[len(root.rstrip("/")) :] if path != root else ""
            shown = start.rstrip("/") + below if below else start
            if _meets(ctx, query, path, shown, is_dir, below.count("/")):
                if query.delete:
                    ctx.vfs.remove(path)
                else:
                    await ctx.out(shown + "\n")
    return status


def _depth_first(ctx: Context, root: str) -> list[tuple[str, bool]]:
    return sorted(ctx.vfs.walk(root), key=lambda entry: entry[0].split("/"))


def _meets(ctx: Context, query: _Query, path: str, shown: str, is_dir: bool, depth: int) -> bool:
    if not query.shallowest <= depth <= query.deepest:
        return False
    if query.kind and (query.kind == "d") != is_dir:
        return False
    if query.empty and (ctx.vfs.listdir(path) if is_dir else ctx.vfs.stat(path).size):
        return False
    base = shown.rstrip("/").rpartition("/")[2] or shown
    for pattern, fold, whole in query.names:
        text = shown if whole else base
        if fold:
            pattern, text = pattern.lower(), text.lower()
        if not matches([(pattern, False)], text):
            return False
    return True


COMMAND = Command("find", "find files", run, usage="find [directory …] [-name pattern] [-type f|d]")
