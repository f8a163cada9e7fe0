"""What `cp`, `mv` and `tar` share: whole trees, and what their messages say."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Files, Stat
from cluster_engine.linux.program import Sys
from cluster_engine.linux.programs._common import Options, is_busybox, joined, misused

MAX_DEPTH = 64
"""Directories inside one another that are walked."""


def sources_and_target(sys: Sys, opts: Options, usage: str) -> tuple[list[str], str]:
    """What `cp` and `mv` are given, and where to: ends the program when that is missing, or cannot take so many."""
    fs, busybox = sys.fs, is_busybox(sys)
    operands = list(opts.operands)
    if opts.value("t"):
        operands.append(str(opts.value("t")))
    if len(operands) < 2:
        what = (
            f"missing destination file operand after '{operands[0]}'" if operands else "missing file operand"
        )
        misused(sys, "" if busybox else what, usage)
    *sources, target = operands
    if len(sources) > 1 and not busybox and (opts.flag("T") or not fs.is_dir(target)):
        reason = "Not a directory" if fs.exists(target) else "No such file or directory"
        sys.error(f"target '{target}': {reason}")
        sys.exit(1)
    return sources, target


def below(files: Files, path: str, depth: int = 0) -> list[str]:
    """All paths below a directory, parents first; links are not followed. Raises FileError."""
    found: list[str] = []
    if depth > MAX_DEPTH:
        raise FileError("File name too long", path)
    for name in files.listdir(path):
        child = joined(path, name)
        found.append(child)
        if files.lstat(child).kind == "directory":
            found += below(files, child, depth + 1)
    return found


def copy_one(sys: Sys, source: str, goal: str, *, keep: bool, follow: bool = False) -> None:
    """One file, link or empty directory. ``keep``: owner, mode and time as well. Raises FileError."""
    fs = sys.fs
    sys.tick()
    stat = fs.stat(source) if follow else fs.lstat(source)
    if stat.kind == "link":
        if fs.exists(goal) or fs.is_link(goal):
            fs.unlink(goal)
        fs.symlink(stat.target, goal)
    elif stat.kind == "directory":
        if not fs.is_dir(goal):
            fs.mkdir(goal)
    else:
        fresh = not fs.exists(goal)
        data = fs.read(source)
        sys.tick(len(data) // 256)
        fs.write(goal, data)
        if fresh:
            fs.chmod(goal, stat.mode & 0o777 & ~fs.umask)
    if keep:
        keep_attributes(sys, stat, goal)


def keep_attributes(sys: Sys, stat: Stat, goal: str) -> None:
    """Gives ``goal`` the owner (if we may), mode and time of another file."""
    fs = sys.fs
    if sys.uid == 0:
        fs.chown(goal, stat.uid, stat.gid, follow=False)
    if stat.kind != "link":
        fs.chmod(goal, stat.mode)
        fs.utime(goal, stat.mtime)


def copy_tree(sys: Sys, source: str, goal: str, *, keep: bool) -> None:
    """A file, or a directory with all that is in it. Raises FileError at the first that cannot be."""
    fs = sys.fs
    root = fs.realpath(source)
    if fs.lstat(source).kind != "directory":
        copy_one(sys, source, goal, keep=keep)
        return
    paths = below(fs, source)
    if (fs.realpath(goal) + "/").startswith(root + "/"):
        raise FileError("cannot copy a directory into itself", goal)
    copy_one(sys, source, goal, keep=False)
    folders = [(source, goal)]
    for path in paths:
        copy = joined(goal, path[len(source.rstrip("/")) + 1 :])
        if fs.lstat(path).kind == "directory":
            folders.append((path, copy))
            copy_one(sys, path, copy, keep=False)
        else:
            copy_one(sys, path, copy, keep=keep)
    for folder, copy in reversed(folders if keep else []):
        keep_attributes(sys, fs.lstat(folder), copy)


def remove_tree(sys: Sys, path: str) -> None:
    """A path and all that is below it. Raises FileError at the first that cannot be removed."""
    fs = sys.fs
    if fs.lstat(path).kind != "directory":
        fs.unlink(path)
        return
    for name in fs.listdir(path):
        sys.tick()
        remove_tree(sys, joined(path, name))
    fs.rmdir(path)
