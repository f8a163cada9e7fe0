"""`stat`."""

from __future__ import annotations

from datetime import UTC, datetime

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Stat
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import group, is_busybox, misused, options, user
from cluster_engine.linux.programs.ls import inode, mode

_USAGE = "stat [-ltf] [-c FMT] FILE..."
_KINDS = {"directory": "directory", "link": "symbolic link", "device": "character special file"}


def kind(stat: Stat) -> str:
    if stat.kind == "file":
        return "regular file" if stat.size else "regular empty file"
    return _KINDS[stat.kind]


def _time(mtime: int, busybox: bool) -> str:
    moment = datetime.fromtimestamp(mtime // 1_000_000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S") + f".{mtime % 1_000_000:06d}000 +0000"


def _formatted(sys: Sys, stat: Stat, name: str, form: str) -> str:
    seconds = str(stat.mtime // 1_000_000)
    when = _time(stat.mtime, is_busybox(sys))
    shown = (
        f"'{name}' -> '{stat.target}'" if stat.kind == "link" else f"'{name}'" if is_busybox(sys) else name
    )
    fields = {
        "a": f"{stat.mode:o}", "A": mode(stat), "b": str(stat.blocks * 2), "B": "512", "f": "81a4", "F": kind(stat),
        "g": str(stat.gid), "G": group(sys, stat.gid), "h": str(stat.links), "i": str(inode(stat)), "n": name,
        "N": shown, "o": "4096", "s": str(stat.size), "u": str(stat.uid), "U": user(sys, stat.uid), "x": when,
        "X": seconds, "y": when, "Y": seconds, "z": when, "Z": seconds, "w": "-", "W": "0", "d": "64", "D": "40",
        "t": "0", "T": "0", "%": "%",
    }  # fmt: skip
    out: list[str] = []
    at = 0
    while at < len(form):
        if form[at] == "%" and at + 1 < len(form):
            out.append(fields.get(form[at + 1], "?"))
            at += 2
        else:
            out.append(form[at])
            at += 1
    return "".join(out)


def _run(sys: Sys, argv: list[str]) -> int:
    opts = options(
        sys, argv, "Lltf", "c", {"format": "c", "dereference": "L", "terse": "t", "printf": "c"}, usage=_USAGE
    )
    if not opts.operands:
        misused(sys, "" if is_busybox(sys) else "missing operand", _USAGE)
    status = 0
    for name in opts.operands:
        try:
            stat = sys.fs.stat(name) if opts.flag("L") else sys.fs.lstat(name)
        except FileError as error:
            verb = "can't stat" if is_busybox(sys) else "cannot statx"
            sys.error(f"{verb} '{name}': {error.reason}")
            status = 1
            continue
        form = opts.value("c")
        if form is not None:
            sys.out(_formatted(sys, stat, name, form) + "\n")
            continue
        shown = f"{name} -> {stat.target}" if stat.kind == "link" and not is_busybox(sys) else name
        if stat.kind == "link" and is_busybox(sys):
            shown = f"'{name}' -> '{stat.target}'"
        owner, owners = user(sys, stat.uid), group(sys, stat.gid)
        when = _time(stat.mtime, is_busybox(sys))
        sys.out(
            f"  File: {shown}\n"
            f"  Size: {stat.size:<10}\tBlocks: {stat.blocks * 2:<10} IO Block: 4096   {kind(stat)}\n"
            + (
                f"Device: 40h/64d\tInode: {inode(stat):<10}  Links: {stat.links}\n"
                if is_busybox(sys)
                else f"Device: 0,64\tInode: {inode(stat):<11} Links: {stat.links}\n"
            )
            + f"Access: ({stat.mode:04o}/{mode(stat)})  Uid: ({stat.uid:5d}/{owner:>8})   "
            f"Gid: ({stat.gid:5d}/{owners:>8})\n"
            f"Access: {when}\nModify: {when}\nChange: {when}\n" + ("" if is_busybox(sys) else " Birth: -\n")
        )
    return status


PROGRAM = Program("stat", "show what belongs to a file", _USAGE, run=_run)
