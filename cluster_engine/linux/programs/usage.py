"""Programs about what is used: `df du mount free uptime`."""

from __future__ import annotations

from typing import Any

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import is_busybox, joined, number, options
from cluster_engine.linux.programs.ls import size as human

_MEMORY = 8 * 1024 * 1024
"""KiB of a node."""


def _device(mount: dict[str, Any]) -> tuple[str, str]:
    """(what `mount` names as the source, the file system's type)."""
    return ("overlay", "overlay") if mount["at"] == "/" else ("/dev/vda1", "ext4")


def _df(sys: Sys, argv: list[str]) -> int:
    opts = options(
        sys,
        argv,
        "hkPTaimH",
        "t",
        {"human-readable": "h", "inodes": "i"},
        usage="df [-PkmhTai] [FILESYSTEM]...",
    )
    mounts = sys.fs.mounts()
    status = 0
    if opts.operands:
        chosen = []
        for name in opts.operands:
            try:
                sys.fs.stat(name)
            except FileError as error:
                sys.error(f"{name}: {error.reason}")
                status = 1
                continue
            path = sys.fs.realpath(name)
            inside = [
                each for each in mounts if path == each["at"] or path.startswith(each["at"].rstrip("/") + "/")
            ]
            chosen.append(max(inside, key=lambda each: len(each["at"])))
        mounts = chosen
        if not mounts:
            return status
    if opts.flag("i"):
        rows = [
            [
                "Filesystem",
                "Inodes",
                "IUsed" if not is_busybox(sys) else "Used",
                "IFree" if not is_busybox(sys) else "Available",
                "IUse%" if not is_busybox(sys) else "Use%",
                "Mounted on",
            ]
        ]
        for mount in mounts:
            total = mount["entries"] + mount["free"]
            rows.append(
                [
                    _device(mount)[0],
                    str(total),
                    str(mount["entries"]),
                    str(mount["free"]),
                    f"{-(-mount['entries'] * 100 // total)}%",
                    mount["at"],
                ]
            )
    else:
        head = (
            "Size"
            if opts.flag("h", "H")
            else "1M-blocks"
            if opts.flag("m")
            else "1K-blocks"
            if not opts.flag("P")
            else "1024-blocks"
        )
        rows = [
            [
                "Filesystem",
                head,
                "Used",
                "Available" if not opts.flag("h", "H") or is_busybox(sys) else "Avail",
                "Use%" if not opts.flag("P") or is_busybox(sys) else "Capacity",
                "Mounted on",
            ]
        ]
        for mount in mounts:
            total, used = mount["size"], min(mount["used"], mount["size"])
            cells = [
                _amount(opts.flag("h", "H"), opts.flag("m"), each) for each in (total, used, total - used)
            ]
            rows.append([_device(mount)[0], *cells, f"{-(-used * 100 // total)}%", mount["at"]])
    if opts.flag("T"):
        rows = [
            [row[0], "Type" if at == 0 else _device(mounts[at - 1])[1], *row[1:]]
            for at, row in enumerate(rows)
        ]
    _table(sys, rows, 20 if is_busybox(sys) else 14)
    return status


def _amount(readable: bool, mega: bool, count: int) -> str:
    if readable:
        return human(count) if count else "0"
    return str(-(-count // (1024 * 1024 if mega else 1024)))


def _table(sys: Sys, rows: list[list[str]], first: int) -> None:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    widths[0] = max(widths[0], first)
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        sys.out(" ".join([*cells, row[-1]]) + "\n")


def _du(sys: Sys, argv: list[str]) -> int:
    long = {"summarize": "s", "human-readable": "h", "all": "a", "max-depth": "d", "total": "c"}
    opts = options(sys, argv, "shakmcxb", "d", long, usage="du [-aHLdclsxhmk] [FILE]...")
    deepest = number(opts.value("d") or "1000")
    if opts.flag("s") or deepest is None:
        deepest = 0
    status, total = 0, 0
    for name in opts.operands or ["."]:
        try:
            total += _usage(
                sys, name, 0, deepest, opts.flag("a"), _shown(opts.flag("h"), opts.flag("m"), opts.flag("b"))
            )
        except FileError as error:
            sys.error(
                f"{name}: {error.reason}" if is_busybox(sys) else f"cannot access '{name}': {error.reason}"
            )
            status = 1
    if opts.flag("c"):
        sys.out(f"{_shown(opts.flag('h'), opts.flag('m'), opts.flag('b'))(total)}\ttotal\n")
    return status


def _shown(readable: bool, mega: bool, count: bool) -> Any:
    def show(kib: int) -> str:
        if readable:
            return human(kib * 1024) if kib else "0"
        return str(-(-kib // 1024)) if mega else str(kib * 1024) if count else str(kib)

    return show


def _usage(sys: Sys, path: str, depth: int, deepest: int, every: bool, show: Any) -> int:
    sys.tick()
    stat = sys.fs.lstat(path)
    total: int = stat.blocks
    if stat.kind == "directory" and depth < 64:
        for name in sys.fs.listdir(path):
            total += _usage(sys, joined(path, name), depth + 1, deepest, every, show)
    if depth <= deepest and (stat.kind == "directory" or every or depth == 0):
        sys.out(f"{show(total)}\t{path}\n")
    return total


def _mount(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "arwlvn", "to", usage="mount [OPTIONS] [-o OPT] DEVICE NODE")
    if opts.operands:
        sys.error(
            "permission denied (are you root?)"
            if is_busybox(sys)
            else f"{opts.operands[-1]}: permission denied."
        )
        return 1 if is_busybox(sys) else 32
    for mount in sys.fs.mounts():
        source, kind = _device(mount)
        sys.out(f"{source} on {mount['at']} type {kind} ({'ro' if mount['ro'] else 'rw'},relatime)\n")
    return 0


def _free(sys: Sys, argv: list[str]) -> int:
    """The node's memory; what the processes of this machine hold is not measured yet."""
    opts = options(sys, argv, "bkmgh", "", {"human": "h", "mega": "m"}, usage="free [-bkmgh]")
    unit = {"b": 1024, "k": 1, "m": 1 / 1024, "g": 1 / 1024 / 1024}
    letter = opts.last("bkmg") or "k"
    used, cache = _MEMORY // 4, _MEMORY // 4

    def show(kib: int) -> str:
        if opts.flag("h"):
            return human(kib * 1024) + ("" if is_busybox(sys) or not kib else "i")
        return str(int(kib * unit[letter]))

    rows = [_MEMORY, used, _MEMORY - used - cache, 0, cache, _MEMORY - used]
    if is_busybox(sys):
        sys.out("              total        used        free      shared  buff/cache   available\n")
        sys.out("Mem:    " + "".join(f"{show(each):>12}" for each in rows).removeprefix(" ") + "\n")
        sys.out("Swap:   " + "".join(f"{show(0):>12}" for _ in range(3)).removeprefix(" ") + "\n")
        return 0
    sys.out("               total        used        free      shared  buff/cache   available\n")
    sys.out("Mem:    " + "".join(f"{show(each):>12}" for each in rows) + "\n")
    sys.out("Swap:   " + "".join(f"{show(0):>12}" for _ in range(3)) + "\n")
    return 0


def _uptime(sys: Sys, argv: list[str]) -> int:
    """Since the first process of the namespace was started."""
    started = min((each["started"] for each in sys.processes()), default=sys.now)
    minutes = (sys.now - started) // 60_000_000
    days, minutes = divmod(minutes, 1440)
    clock = sys.now // 1_000_000 % 86_400
    since = f"{days} day{'s' if days != 1 else ''}, " if days else ""
    since += f"{minutes // 60:2d}:{minutes % 60:02d}" if minutes >= 60 else f"{minutes} min"
    users = " 0 users, " if is_busybox(sys) else "  0 user, "
    sys.out(
        f" {clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d} up {since}, {users} "
        "load average: 0.00, 0.00, 0.00\n"
    )
    return 0


DF = Program("df", "show the space of file systems", "df [-PkmhTai] [FILESYSTEM]...", run=_df)
DU = Program("du", "show the space of files", "du [-aHLdclsxhmk] [FILE]...", run=_du)
MOUNT = Program("mount", "show what is mounted", "mount", run=_mount)
FREE = Program("free", "show the node's memory", "free [-bkmgh]", run=_free)
UPTIME = Program("uptime", "show how long it runs", "uptime", run=_uptime)
