"""`rm` and `rmdir`."""

from __future__ import annotations

from cluster_engine.linux.errors import IS_DIRECTORY, NO_ENTRY, FileError
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import is_busybox, joined, misused, options

_RM = "rm [-irf] FILE..."
_RMDIR = "rmdir [-p] DIRECTORY..."


def _rm(sys: Sys, argv: list[str]) -> int:
    opts = options(
        sys, argv, "rRfvid", "", {"recursive": "r", "force": "f", "verbose": "v", "dir": "d"}, usage=_RM
    )
    force, recursive = opts.flag("f"), opts.flag("r", "R")
    if not opts.operands and not force:
        misused(sys, "" if is_busybox(sys) else "missing operand", _RM)
    status = 0
    for name in opts.operands:
        sys.tick()
        try:
            kind = sys.fs.lstat(name).kind
        except FileError as error:
            if not (force and error.reason in (NO_ENTRY, "Not a directory")):
                status = _cannot(sys, name, error.reason)
            continue
        if sys.fs.realpath(name) == "/" and recursive and not is_busybox(sys):
            sys.error(f"it is dangerous to operate recursively on '{name}'")
            sys.error("use --no-preserve-root to override this failsafe")
            status = 1
        elif kind == "directory" and not recursive and not opts.flag("d"):
            status = 1
            sys.error(
                f"'{name}' is a directory" if is_busybox(sys) else f"cannot remove '{name}': {IS_DIRECTORY}"
            )
        elif name.rstrip("/").rpartition("/")[2] in (".", ".."):
            if is_busybox(sys):
                sys.error("can't remove '.' or '..'")
            else:
                sys.error(f"refusing to remove '.' or '..' directory: skipping '{name}'")
            status = 1
        else:
            status = _remove(sys, name, opts.flag("v")) or status
    return status


def _cannot(sys: Sys, name: str, reason: str) -> int:
    sys.error(f"can't remove '{name}': {reason}" if is_busybox(sys) else f"cannot remove '{name}': {reason}")
    return 1


def _remove(sys: Sys, name: str, verbose: bool) -> int:
    """A file, or a directory with all that can be removed below it; each failure is told."""
    fs = sys.fs
    sys.tick()
    status = 0
    try:
        folder = fs.lstat(name).kind == "directory"
        if folder:
            for child in fs.listdir(name):
                status = _remove(sys, joined(name, child), verbose) or status
            if status:
                return status
            fs.rmdir(name)
        else:
            fs.unlink(name)
        if verbose:
            sys.out(f"removed {'directory ' if folder else ''}'{name}'\n")
    except FileError as error:
        return _cannot(sys, name, error.reason)
    return status


def _rmdir(sys: Sys, argv: list[str]) -> int:
    long = {"parents": "p", "ignore-fail-on-non-empty": "i", "verbose": "v"}
    opts = options(sys, argv, "pv", "", long, usage=_RMDIR)
    if not opts.operands:
        misused(sys, "" if is_busybox(sys) else "missing operand", _RMDIR)
    status = 0
    for name in opts.operands:
        while name:
            try:
                sys.fs.rmdir(name)
            except FileError as error:
                status = 1
                sys.error(
                    f"'{name}': {error.reason}"
                    if is_busybox(sys)
                    else f"failed to remove '{name}': {error.reason}"
                )
                break
            name = name.rstrip("/").rpartition("/")[0] if opts.flag("p") else ""
    return status


PROGRAM = Program("rm", "remove files", _RM, run=_rm)
RMDIR = Program("rmdir", "remove empty directories", _RMDIR, run=_rmdir)
