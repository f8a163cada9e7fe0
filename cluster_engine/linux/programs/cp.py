"""`cp`."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import base, is_busybox, joined, options
from cluster_engine.linux.programs.copying import copy_one, copy_tree, sources_and_target

_USAGE = "cp [-arPLHpfinlsu] SOURCE... DEST"
_LONG = {
    "recursive": "r", "archive": "a", "force": "f", "no-clobber": "n", "preserve": "p", "symbolic-link": "s",
    "link": "l", "dereference": "L", "target-directory": "t", "no-target-directory": "T", "verbose": "v",
}  # fmt: skip


def _run(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "rRafpvinlsuPLHdT", "t", _LONG, usage=_USAGE)
    fs, busybox = sys.fs, is_busybox(sys)
    sources, target = sources_and_target(sys, opts, _USAGE)
    into = fs.is_dir(target) and not opts.flag("T")
    many = len(sources) > 1
    recursive, keep = opts.flag("r", "R", "a"), opts.flag("a", "p")
    status = 0
    for name in sources:
        goal = joined(target, base(name)) if into or many else target
        if not (fs.exists(name) or (recursive and fs.is_link(name))):
            sys.error(
                f"can't stat '{name}': {_why(sys, name)}"
                if busybox
                else f"cannot stat '{name}': {_why(sys, name)}"
            )
        elif fs.is_dir(name) and not recursive:
            sys.error(
                f"omitting directory '{name}'"
                if busybox
                else f"-r not specified; omitting directory '{name}'"
            )
        elif fs.exists(goal) and fs.stat(name).identity == fs.stat(goal).identity:
            sys.error(f"'{name}' and '{goal}' are the same file")
        elif opts.flag("n") and fs.exists(goal):
            continue
        elif fs.is_dir(name) and fs.is_file(goal):
            sys.error(
                f"can't overwrite non-directory '{goal}'"
                if busybox
                else f"cannot overwrite non-directory '{goal}' with directory '{name}'"
            )
        elif fs.is_dir(name) and (fs.realpath(goal) + "/").startswith(fs.realpath(name).rstrip("/") + "/"):
            said = f"recursion detected, omitting directory '{goal}'"
            sys.error(said if busybox else f"cannot copy a directory, '{name}', into itself, '{goal}'")
        else:
            try:
                _copy(
                    sys,
                    name,
                    goal,
                    recursive=recursive,
                    keep=keep,
                    symbolic=opts.flag("s"),
                    hard=opts.flag("l"),
                    force=opts.flag("f"),
                )
                if opts.flag("v"):
                    sys.out(f"'{name}' -> '{goal}'\n")
                continue
            except FileError as error:
                _tell(sys, name, goal, error)
        status = 1
    return status


def _why(sys: Sys, name: str) -> str:
    try:
        sys.fs.stat(name)
    except FileError as error:
        return error.reason
    return ""


def _copy(
    sys: Sys, name: str, goal: str, *, recursive: bool, keep: bool, symbolic: bool, hard: bool, force: bool
) -> None:
    if symbolic:
        sys.fs.symlink(name, goal)
    elif hard and not sys.fs.is_dir(name):
        sys.fs.link(name, goal)
    elif recursive:
        copy_tree(sys, name, goal, keep=keep)
    else:
        try:
            copy_one(sys, name, goal, keep=keep, follow=True)
        except FileError:
            if not force or not sys.fs.is_file(goal):
                raise
            sys.fs.unlink(goal)
            copy_one(sys, name, goal, keep=keep, follow=True)


def _tell(sys: Sys, name: str, goal: str, error: FileError) -> None:
    path = error.path
    reads = path == name or path.startswith(name.rstrip("/") + "/")
    reads = reads and not path.startswith(goal)
    if is_busybox(sys):
        sys.error(
            f"can't open '{path}': {error.reason}" if reads else f"can't create '{path}': {error.reason}"
        )
    elif reads:
        sys.error(f"cannot open '{path}' for reading: {error.reason}")
    else:
        kind = "directory" if sys.fs.is_dir(name) else "regular file"
        sys.error(f"cannot create {kind} '{path}': {error.reason}")


PROGRAM = Program("cp", "copy files", _USAGE, run=_run)
