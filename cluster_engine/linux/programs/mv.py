"""`mv`."""

from __future__ import annotations

from cluster_engine.linux.errors import CROSS_DEVICE, FileError
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import base, is_busybox, joined, options
from cluster_engine.linux.programs.copying import copy_tree, remove_tree, sources_and_target

_USAGE = "mv [-finT] SOURCE... DEST"


def _run(sys: Sys, argv: list[str]) -> int:
    long = {
        "force": "f",
        "no-clobber": "n",
        "target-directory": "t",
        "no-target-directory": "T",
        "verbose": "v",
    }
    opts = options(sys, argv, "fivnTu", "t", long, usage=_USAGE)
    fs, busybox = sys.fs, is_busybox(sys)
    sources, target = sources_and_target(sys, opts, _USAGE)
    into = fs.is_dir(target) and not opts.flag("T")
    status = 0
    for name in sources:
        sys.tick()
        goal = joined(target, base(name)) if into or len(sources) > 1 else target
        if opts.flag("n") and fs.exists(goal):
            continue
        try:
            _move(sys, name, goal)
            if opts.flag("v"):
                sys.out(f"{'' if busybox else 'renamed '}'{name}' -> '{goal}'\n")
        except FileError as error:
            status = 1
            if busybox:
                sys.error(f"can't rename '{name}': {error.reason}")
            elif not (fs.exists(name) or fs.is_link(name)):
                sys.error(f"cannot stat '{name}': {error.reason}")
            elif error.reason == "Invalid argument":
                sys.error(f"cannot move '{name}' to a subdirectory of itself, '{goal}'")
            elif fs.is_dir(name) and fs.is_file(goal):
                sys.error(f"cannot overwrite non-directory '{goal}' with directory '{name}'")
            elif fs.is_dir(goal) and not fs.is_dir(name):
                sys.error(f"cannot overwrite directory '{goal}' with non-directory '{name}'")
            else:
                sys.error(f"cannot move '{name}' to '{goal}': {error.reason}")
    return status


def _move(sys: Sys, name: str, goal: str) -> None:
    fs = sys.fs
    if (
        not is_busybox(sys)
        and fs.exists(goal)
        and fs.exists(name)
        and fs.stat(goal).identity == fs.stat(name).identity
    ):
        sys.error(f"'{name}' and '{goal}' are the same file")
        sys.exit(1)
    try:
        fs.rename(name, goal)
    except FileError as error:
        if error.reason != CROSS_DEVICE:
            raise
        # To another volume: copied, then removed, as the real one does.
        if fs.is_file(goal) or fs.is_link(goal):
            fs.unlink(goal)
        copy_tree(sys, name, goal, keep=True)
        remove_tree(sys, name)


PROGRAM = Program("mv", "move or rename files", _USAGE, run=_run)
