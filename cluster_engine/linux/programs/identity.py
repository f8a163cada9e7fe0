"""Programs that tell who and where one is: `id whoami hostname uname nproc tty groups arch`."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import account, fail, group, is_busybox, misused, options, user

KERNEL = "6.12.48"
CPUS = 4
"""Processors of a node."""


def _name(sys: Sys, file: str, number: int) -> str:
    name = user(sys, number) if file == "u" else group(sys, number)
    return "" if name == str(number) else name


def _shown(label: str, number: int, name: str) -> str:
    return f"{label}{number}({name})" if name else f"{label}{number}"


def _id(sys: Sys, argv: list[str]) -> int:
    long = {"user": "u", "group": "g", "groups": "G", "name": "n", "real": "r"}
    opts = options(sys, argv, "ugGnrz", "", long, usage="id [-ugGnr] [USER]")
    uid, gid, groups = sys.uid, sys.gid, [sys.gid, *[each for each in sys.groups if each != sys.gid]]
    if opts.operands:
        name = opts.operands[0]
        number = account(sys, "/etc/passwd", name)
        if number is None:
            fail(sys, f"unknown user {name}" if is_busybox(sys) else f"'{name}': no such user")
        uid = gid = number
        groups = [gid]
    named = opts.flag("n")
    if opts.flag("u"):
        sys.out((user(sys, uid) if named else str(uid)) + "\n")
    elif opts.flag("g"):
        sys.out((group(sys, gid) if named else str(gid)) + "\n")
    elif opts.flag("G"):
        sys.out(" ".join(group(sys, each) if named else str(each) for each in groups) + "\n")
    else:
        rows = ",".join(_shown("", each, _name(sys, "g", each)) for each in groups)
        owner, owners = _name(sys, "u", uid), _name(sys, "g", gid)
        sys.out(f"{_shown('uid=', uid, owner)} {_shown('gid=', gid, owners)} groups={rows}\n")
    return 0


def _whoami(sys: Sys, argv: list[str]) -> int:
    name = _name(sys, "u", sys.uid)
    if not name:
        if is_busybox(sys):
            fail(sys, f"unknown uid {sys.uid}")
        fail(sys, f"cannot find name for user ID {sys.uid}: No such file or directory")
    sys.out(name + "\n")
    return 0


def _groups(sys: Sys, argv: list[str]) -> int:
    groups = [sys.gid, *[each for each in sys.groups if each != sys.gid]]
    sys.out(" ".join(group(sys, each) for each in groups) + "\n")
    return 0


def _hostname(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "isfdIaA", "", {"ip-address": "i", "fqdn": "f", "short": "s", "long": "f"})
    if opts.operands:
        fail(
            sys,
            "sethostname: Operation not permitted"
            if is_busybox(sys)
            else "you must be root to change the host name",
        )
    own = [row for row in _hosts(sys) if sys.hostname in row[1:]]
    if opts.flag("i", "I"):
        if not own:
            fail(sys, f"{sys.hostname}: Unknown host" if is_busybox(sys) else "Name or service not known")
        sys.out(own[0][0] + (" " if opts.flag("I") else "") + "\n")
    elif opts.flag("f", "A"):
        sys.out((own[0][1] if own else sys.hostname) + "\n")
    elif opts.flag("d"):
        sys.out((own[0][1].partition(".")[2] if own else "") + "\n")
    else:
        sys.out((sys.hostname.partition(".")[0] if opts.flag("s") else sys.hostname) + "\n")
    return 0


def _hosts(sys: Sys) -> list[list[str]]:
    try:
        text = sys.fs.read("/etc/hosts")
    except FileError:
        return []
    rows = [row.partition("#")[0].split() for row in text.split("\n")]
    return [row for row in rows if len(row) > 1]


def _uname(sys: Sys, argv: list[str]) -> int:
    long = {
        "all": "a",
        "kernel-name": "s",
        "nodename": "n",
        "kernel-release": "r",
        "machine": "m",
        "kernel-version": "v",
    }
    opts = options(sys, argv, "asnrvmpio", "", long, usage="uname [-amnrspvio]")
    fields = {
        "s": "Linux", "n": sys.hostname, "r": KERNEL, "v": "#1 SMP PREEMPT_DYNAMIC", "m": "x86_64", "o": "GNU/Linux",
    }  # fmt: skip
    if opts.flag("p", "i") and not opts.flag("a"):
        fields |= {"p": "unknown", "i": "unknown"}
    wanted = [
        letter
        for letter in ("s", "n", "r", "v", "m", "p", "i", "o")
        if opts.flag(letter, "a") and letter in fields
    ]
    sys.out(" ".join(fields[letter] for letter in wanted or ["s"]) + "\n")
    return 0


def _nproc(sys: Sys, argv: list[str]) -> int:
    sys.out(f"{CPUS}\n")
    return 0


def _arch(sys: Sys, argv: list[str]) -> int:
    sys.out("x86_64\n")
    return 0


def _tty(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "s", "", {"silent": "s", "quiet": "s"})
    if opts.operands:
        misused(sys, f"extra operand '{opts.operands[0]}'", "tty")
    there = sys.isatty(0)
    if not opts.flag("s"):
        sys.out("/dev/pts/0\n" if there else "not a tty\n")
    return 0 if there else 1


ID = Program("id", "print user and groups", "id [-ugGnr] [USER]", run=_id)
WHOAMI = Program("whoami", "print the user", "whoami", run=_whoami)
GROUPS = Program("groups", "print the groups", "groups", run=_groups)
HOSTNAME = Program("hostname", "print the host name", "hostname [-sidf]", run=_hostname)
UNAME = Program("uname", "print the system", "uname [-amnrspvio]", run=_uname)
NPROC = Program("nproc", "count processors", "nproc", run=_nproc)
ARCH = Program("arch", "print the machine's architecture", "arch", run=_arch)
TTY = Program("tty", "print the terminal's name", "tty [-s]", run=_tty)
