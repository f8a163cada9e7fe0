"""`ls`."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Stat
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import Options, group, is_busybox, joined, options, user
from cluster_engine.linux.text import characters, octets
from cluster_engine.linux.width import columns

_USAGE = "ls [-1AaCxdLHRFplinshrSXvctu] [-w WIDTH] [FILE]..."
_LONG = {
    "all": "a", "almost-all": "A", "recursive": "R", "reverse": "r", "human-readable": "h", "directory": "d",
    "inode": "i", "size": "s", "classify": "F", "color": "k", "numeric-uid-gid": "n", "full-time": "e",
    "dereference": "L",
}  # fmt: skip
_LETTERS = {"directory": "d", "link": "l", "device": "c", "file": "-"}
_HALF_YEAR = 182 * 86_400

Entry = tuple[str, str, Stat]
"""(name as shown, path, stat)."""


def _run(sys: Sys, argv: list[str]) -> int:
    opts = options(
        sys,
        argv,
        "laA1RdhtrSFpUCnGgoLHsixceXvkq",
        "wI",
        _LONG,
        status=1 if is_busybox(sys) else 2,
        usage=_USAGE,
    )
    status = 0
    files: list[Entry] = []
    folders: list[str] = []
    follow = opts.flag("L", "H") or not opts.flag("l", "d", "F", "n", "g", "o")
    for name in sorted(opts.operands) or ["."]:
        try:
            stat = sys.fs.stat(name) if follow or name.endswith("/") else sys.fs.lstat(name)
        except FileError as error:
            if follow and sys.fs.is_link(name):
                stat = sys.fs.lstat(name)  # a link to nothing is shown as itself
            else:
                sys.error(
                    f"{name}: {error.reason}"
                    if is_busybox(sys)
                    else f"cannot access '{name}': {error.reason}"
                )
                status = 1 if is_busybox(sys) else 2
                continue
        if stat.kind == "directory" and not opts.flag("d"):
            folders.append(name)
        else:
            files.append((name, name, stat))
    if files:
        _show(sys, opts, files, total=False)
    titles = len(opts.operands) > 1 or opts.flag("R")
    first = not files
    queue = folders
    while queue:
        name = queue.pop(0)
        sys.tick()
        try:
            entries = _children(sys, opts, name)
        except FileError as error:
            said = f"can't open '{name}'" if is_busybox(sys) else f"cannot open directory '{name}'"
            sys.error(f"{said}: {error.reason}")
            status = 1 if is_busybox(sys) else max(status, 1 if opts.flag("R") else 2)
            continue
        if titles:
            sys.out(("" if first else "\n") + f"{name}:\n")
        first = False
        if opts.flag("R"):
            queue = [e[1] for e in entries if e[2].kind == "directory" and e[0] not in (".", "..")] + queue
        _show(sys, opts, entries, total=True)
    return status


def _children(sys: Sys, opts: Options, folder: str) -> list[Entry]:
    names = sys.fs.listdir(folder)
    if opts.flag("a"):
        names = [".", "..", *names]
    elif not opts.flag("A"):
        names = [name for name in names if not name.startswith(".")]
    entries: list[Entry] = []
    for name in names:
        path = joined(folder, name)
        try:
            stat = sys.fs.stat(path) if opts.flag("L") else sys.fs.lstat(path)
        except FileError as error:
            sys.error(f"{path}: {error.reason}")
            continue
        entries.append((name, path, stat))
    return entries


def _show(sys: Sys, opts: Options, entries: list[Entry], *, total: bool) -> None:
    if opts.flag("t"):
        entries = sorted(entries, key=lambda entry: -entry[2].mtime)
    elif opts.flag("S"):
        entries = sorted(entries, key=lambda entry: -entry[2].size)
    if opts.flag("r"):
        entries = entries[::-1]
    sys.tick(len(entries) // 4)
    long = opts.flag("l", "n", "g", "o", "e")
    rows = [(_marked(opts, entry, long), entry[2]) for entry in entries]
    if opts.flag("i") and not long:
        rows = [(f"{inode(stat)} {name}", stat) for name, stat in rows]
    if long:
        _long(sys, opts, rows, total)
        return
    window = sys.window(1)
    if (window or opts.flag("C")) and not opts.flag("1") and rows:
        width = window[0] if window else 80
        sys.out(octets(columns([characters(name) for name, _ in rows], width)))
    else:
        sys.out("".join(name + "\n" for name, _ in rows))


def _marked(opts: Options, entry: Entry, long: bool) -> str:
    name, _, stat = entry
    mark = ""
    if stat.kind == "directory" and opts.flag("F", "p"):
        mark = "/"
    elif opts.flag("F") and stat.kind == "file" and stat.mode & 0o111:
        mark = "*"
    elif opts.flag("F") and stat.kind == "link" and not long:
        mark = "@"
    if long and stat.kind == "link":
        return f"{name} -> {stat.target}"
    return name + mark


def size(number: int) -> str:
    """As `ls -h` shows it."""
    if number < 1024:
        return str(number)
    value, unit = number * 10 / 1024, 0
    while value >= 10 * 1024 and unit < 3:
        value, unit = value / 1024, unit + 1
    letter = "KMGT"[unit]
    tenths = -int(-value // 1)  # rounded up, as GNU does
    return f"{tenths // 10}.{tenths % 10}{letter}" if tenths < 100 else f"{-(-tenths // 10)}{letter}"


def inode(stat: Stat) -> int:
    """A number that stays the same for a file as long as it keeps its place."""
    return int.from_bytes(hashlib.blake2b(stat.identity.encode(), digest_size=4).digest(), "big") | 1


def mode(stat: Stat) -> str:
    """`drwxr-xr-x`."""
    bits = [letter if stat.mode & (0o400 >> index) else "-" for index, letter in enumerate("rwxrwxrwx")]
    for bit, at, low, high in ((0o4000, 2, "s", "S"), (0o2000, 5, "s", "S"), (0o1000, 8, "t", "T")):
        if stat.mode & bit:
            bits[at] = low if bits[at] == "x" else high
    return _LETTERS[stat.kind] + "".join(bits)


def _long(sys: Sys, opts: Options, rows: list[tuple[str, Stat]], total: bool) -> None:
    sys.tick(4 * len(rows))
    human = opts.flag("h")
    if total:
        blocks = sum(stat.blocks for _, stat in rows)
        sys.out(f"total {(size(blocks * 1024) if blocks else '0') if human else blocks}\n")
    numeric = opts.flag("n")
    cells = []
    for name, stat in rows:
        owner = str(stat.uid) if numeric else user(sys, stat.uid)
        owners = group_name = str(stat.gid) if numeric else group(sys, stat.gid)
        shown = size(stat.size) if human else "1,   3" if stat.kind == "device" else str(stat.size)
        cells.append(
            (mode(stat), str(stat.links), owner, owners or group_name, shown, _moment(sys, opts, stat), name)
        )
    if is_busybox(sys):
        many = max([4, *(len(cell[1]) for cell in cells)])
        width = max([7 if human else 9, *(len(cell[4]) for cell in cells)])
        for cell in cells:
            owner = "" if opts.flag("g") else f" {cell[2]:<8.8}"
            sys.out(
                f"{cell[0]} {cell[1]:>{many}}{owner} {cell[3]:<8.8} {cell[4]:>{width}} {cell[5]} {cell[6]}\n"
            )
        return
    widths = [max((len(cell[at]) for cell in cells), default=0) for at in range(5)]
    for cell in cells:
        owner = "" if opts.flag("g") else f" {cell[2]:<{widths[2]}}"
        owner += "" if opts.flag("o", "G") else f" {cell[3]:<{widths[3]}}"
        sys.out(f"{cell[0]} {cell[1]:>{widths[1]}}{owner} {cell[4]:>{widths[4]}} {cell[5]} {cell[6]}\n")


def _moment(sys: Sys, opts: Options, stat: Stat) -> str:
    moment = datetime.fromtimestamp(stat.mtime // 1_000_000, UTC)
    if opts.flag("e"):
        if is_busybox(sys):
            return moment.strftime("%a %b %e %H:%M:%S %Y")
        return moment.strftime("%Y-%m-%d %H:%M:%S") + f".{stat.mtime % 1_000_000:06d}000 +0000"
    age = (sys.now - stat.mtime) // 1_000_000
    recent = -900 < age < _HALF_YEAR if is_busybox(sys) else 0 <= age < _HALF_YEAR
    return moment.strftime("%b %e %H:%M" if recent else "%b %e  %Y")


PROGRAM = Program("ls", "list files", _USAGE, run=_run)
