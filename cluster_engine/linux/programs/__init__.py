"""The programs of images: one file for one (or a few that belong together), and the literal tables of who has which.

`echo printf test [ true false pwd kill sh` are the shell's own builtins, and programs as well (`linux/sh`).
"""

from __future__ import annotations

from dataclasses import replace

from cluster_engine.linux.program import Program
from cluster_engine.linux.programs import (
    attributes,
    awk,
    base64,
    cat,
    checksums,
    cp,
    curl,
    cut,
    date,
    dd,
    diff,
    dig,
    dumps,
    env,
    expr,
    find,
    grep,
    gzip,
    head,
    host,
    identity,
    interfaces,
    ip,
    jq,
    lookup,
    ls,
    mv,
    names,
    nc,
    nslookup,
    openssl,
    pager,
    ps,
    rm,
    running,
    screen,
    sed,
    seq,
    sleep,
    sort,
    ss,
    stat,
    tail,
    tar,
    tee,
    textual,
    tr,
    traceroute,
    uniq,
    usage,
    wc,
    wget,
    xargs,
    yes,
)
from cluster_engine.linux.sh import PROGRAMS as BUILTIN
from cluster_engine.linux.sh import SHELL

COMMON: tuple[Program, ...] = (
    *BUILTIN,
    attributes.CHGRP,
    attributes.CHMOD,
    attributes.CHOWN,
    attributes.LN,
    attributes.MKDIR,
    attributes.SYNC,
    attributes.TOUCH,
    attributes.TRUNCATE,
    base64.PROGRAM,
    cat.PROGRAM,
    checksums.CKSUM,
    *checksums.SUMS,
    cp.PROGRAM,
    cut.PROGRAM,
    date.PROGRAM,
    dd.PROGRAM,
    diff.CMP,
    diff.PROGRAM,
    dumps.OD,
    env.PRINTENV,
    env.PROGRAM,
    expr.PROGRAM,
    find.PROGRAM,
    grep.EGREP,
    grep.FGREP,
    grep.PROGRAM,
    gzip.GUNZIP,
    gzip.GZIP,
    gzip.ZCAT,
    head.PROGRAM,
    identity.ARCH,
    identity.GROUPS,
    identity.HOSTNAME,
    identity.ID,
    identity.NPROC,
    identity.TTY,
    identity.UNAME,
    identity.WHOAMI,
    ls.PROGRAM,
    mv.PROGRAM,
    names.BASENAME,
    names.DIRNAME,
    names.MKTEMP,
    names.READLINK,
    names.REALPATH,
    names.WHICH,
    rm.PROGRAM,
    rm.RMDIR,
    running.NICE,
    running.NOHUP,
    running.SETSID,
    running.TIMEOUT,
    screen.CLEAR,
    screen.RESET,
    sed.PROGRAM,
    seq.PROGRAM,
    sleep.PROGRAM,
    sort.PROGRAM,
    stat.PROGRAM,
    tail.PROGRAM,
    tar.PROGRAM,
    tee.PROGRAM,
    textual.COMM,
    textual.FOLD,
    textual.NL,
    pager.MORE,
    ps.PIDOF,
    textual.PASTE,
    textual.REV,
    textual.TAC,
    tr.PROGRAM,
    uniq.PROGRAM,
    usage.DF,
    usage.DU,
    usage.MOUNT,
    wc.PROGRAM,
    xargs.PROGRAM,
    yes.PROGRAM,
    awk.PROGRAM,
)
"""In busybox's images and in debian's."""

BUSYBOX: tuple[Program, ...] = (
    replace(SHELL, name="ash"),
    dumps.HEXDUMP,
    interfaces.IFCONFIG,
    ip.PROGRAM,
    interfaces.NETSTAT,
    interfaces.ROUTE,
    traceroute.PROGRAM,
    lookup.PING,
    nc.PROGRAM,
    nslookup.PROGRAM,
    pager.LESS,
    ps.KILLALL,
    ps.PGREP,
    ps.PKILL,
    ps.PS,
    ps.TOP,
    running.TIME,
    running.WATCH,
    usage.FREE,
    screen.VI,
    usage.UPTIME,
    wget.PROGRAM,
)
"""In busybox's images alone: a debian image without extra packages has none of these."""

DEBIAN: tuple[Program, ...] = (
    lookup.GETENT,
    replace(SHELL, name="bash"),
    replace(SHELL, name="dash"),
)
"""In debian's images alone."""

EXTRA: tuple[Program, ...] = (
    curl.PROGRAM,
    dig.PROGRAM,
    host.PROGRAM,
    jq.PROGRAM,
    openssl.PROGRAM,
    ss.PROGRAM,
)
"""In images that name them."""

PROGRAMS: dict[str, Program] = {each.name: each for each in (*COMMON, *BUSYBOX, *DEBIAN, *EXTRA)}

_FLAVOURS: dict[str, tuple[str, ...]] = {
    "busybox": tuple(sorted(each.name for each in (*COMMON, *BUSYBOX))),
    "debian": tuple(sorted(each.name for each in (*COMMON, *DEBIAN))),
    "none": (),
}


def of(flavour: str) -> tuple[str, ...]:
    """The names of the programs that an image of this flavour ("busybox", "debian", "none") has."""
    return _FLAVOURS[flavour]


def program(name: str) -> Program | None:
    return PROGRAMS.get(name)
