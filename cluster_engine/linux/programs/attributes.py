"""Programs that make files and set what belongs to them: `mkdir touch chmod chown chgrp ln truncate sync`."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.linux.errors import NO_ENTRY, FileError
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import (
    account,
    base,
    each,
    fail,
    is_busybox,
    joined,
    misused,
    number,
    options,
)
from cluster_engine.linux.programs.copying import below
from cluster_engine.linux.programs.date import parse_date

_MKDIR = "mkdir [-m MODE] [-p] DIRECTORY..."
_TOUCH = "touch [-cham] [-d DATE] [-t DATE] [-r FILE] FILE..."
_CHMOD = "chmod [-Rcvf] MODE[,MODE]... FILE..."
_CHOWN = "chown [-Rhfv] USER[:[GRP]] FILE..."
_LN = "ln [-sfnbtv] [-S SUF] TARGET... LINK|DIR"
_BITS = {"r": 4, "w": 2, "x": 1}
_SHIFTS = {"u": 6, "g": 3, "o": 0}


def _mkdir(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "pv", "m", {"parents": "p", "mode": "m", "verbose": "v"}, usage=_MKDIR)
    if not opts.operands:
        misused(sys, "" if is_busybox(sys) else "missing operand", _MKDIR)
    text = opts.value("m")
    mode = changed_mode(text, 0o777, True, 0) if text is not None else None
    if text is not None and mode is None:
        fail(sys, f"invalid mode '{text}'")

    def make(name: str) -> None:
        made = _missing(sys, name) if opts.flag("p") else [name]
        if opts.flag("p"):
            sys.fs.makedirs(name)
        else:
            sys.fs.mkdir(name)
        if mode is not None:
            sys.fs.chmod(name, mode)
        for each_made in made if opts.flag("v") else ():
            said = "created directory: '{}'" if is_busybox(sys) else "mkdir: created directory '{}'"
            sys.out(said.format(each_made) + "\n")

    verb = "can't" if is_busybox(sys) else "cannot"
    return each(
        sys, opts.operands, make, lambda name, error: f"{verb} create directory '{name}': {error.reason}"
    )


def _missing(sys: Sys, path: str) -> list[str]:
    """The directories on the way to a path (and itself) that are not there yet."""
    walked, found = "/" if path.startswith("/") else "", []
    for part in [part for part in path.split("/") if part]:
        walked += part
        if not sys.fs.exists(walked):
            found.append(walked)
        walked += "/"
    return found


def _touch(sys: Sys, argv: list[str]) -> int:
    long = {"no-create": "c", "date": "d", "reference": "r"}
    opts = options(sys, argv, "camfh", "dtr", long, usage=_TOUCH)
    if not opts.operands:
        misused(sys, "" if is_busybox(sys) else "missing file operand", _TOUCH)
    moment: int | None = None
    reference = opts.value("r")
    text = opts.value("d") or opts.value("t")
    if reference:
        try:
            moment = sys.fs.stat(reference).mtime
        except FileError as error:
            fail(sys, f"failed to get attributes of '{reference}': {error.reason}")
    elif text:
        moment = parse_date(text, sys.now)
        if moment is None:
            fail(sys, f"invalid date '{text}'" if is_busybox(sys) else f"invalid date format '{text}'")

    def touch(name: str) -> None:
        if not sys.fs.exists(name):
            if opts.flag("c"):
                return
            sys.fs.write(name, "")
            if moment is None:
                return
        sys.fs.utime(name, moment)

    return each(
        sys,
        opts.operands,
        touch,
        lambda name, error: (
            f"{name}: {error.reason}" if is_busybox(sys) else f"cannot touch '{name}': {error.reason}"
        ),
    )


def changed_mode(text: str, before: int, is_dir: bool, umask: int) -> int | None:
    """The mode that `755`, `u+x,go-w` and the like make of another; None when it is none."""
    if text and len(text) <= 5 and all(char in "01234567" for char in text):
        return int(text, 8) & 0o7777
    mode = before
    for clause in text.split(","):
        at = 0
        while at < len(clause) and clause[at] in "ugoa":
            at += 1
        who = clause[:at]
        if at >= len(clause):
            return None
        while at < len(clause):
            operator = clause[at]
            end = at + 1
            while end < len(clause) and clause[end] not in "+-=":
                end += 1
            what = clause[at + 1 : end]
            at = end
            if operator not in "+-=" or any(char not in "rwxXstugo" for char in what):
                return None
            mode = _applied(mode, who, operator, what, is_dir, umask)
    return mode


def _applied(mode: int, who: str, operator: str, what: str, is_dir: bool, umask: int) -> int:
    chosen = "ugo" if not who or "a" in who else who
    bits = special = 0
    for char in what:
        if char in _BITS:
            bits |= _BITS[char]
        elif char == "X" and (is_dir or mode & 0o111):
            bits |= 1
        elif char in _SHIFTS:
            bits |= (mode >> _SHIFTS[char]) & 7
        elif char == "t":
            special |= 0o1000
        elif char == "s":
            special |= (0o4000 if "u" in chosen else 0) | (0o2000 if "g" in chosen else 0)
    mask = sum(bits << _SHIFTS[char] for char in dict.fromkeys(chosen))
    if not who:
        mask &= ~umask
    mask |= special
    full = sum(7 << _SHIFTS[char] for char in dict.fromkeys(chosen))
    if operator == "+":
        return mode | mask
    return mode & ~mask if operator == "-" else (mode & ~full) | mask


def _chmod(sys: Sys, argv: list[str]) -> int:
    words = argv[1:]
    flags: list[str] = []
    while (
        words
        and words[0].startswith("-")
        and all(char in "Rcvf" for char in words[0][1:])
        and len(words[0]) > 1
    ):
        flags.append(words.pop(0))
    if words[:1] == ["--recursive"]:
        flags.append(words.pop(0).replace("--recursive", "R"))
    if words[:1] == ["--"]:
        words = words[1:]
    if len(words) < 2:
        what = f"missing operand after '{words[0]}'" if words else "missing operand"
        misused(sys, "" if is_busybox(sys) else what, _CHMOD)
    text, *names = words
    if changed_mode(text, 0, False, 0) is None:
        if is_busybox(sys):
            fail(sys, f"invalid mode '{text}'")
        misused(sys, f"invalid mode: '{text}'", _CHMOD)
    recursive = any("R" in flag for flag in flags)

    def change(name: str) -> None:
        for path in _all(sys, name, recursive):
            stat = sys.fs.lstat(path)
            if stat.kind == "link" and path != name:
                continue
            stat = sys.fs.stat(path)
            mode = changed_mode(text, stat.mode, stat.kind == "directory", sys.umask)
            assert mode is not None
            sys.fs.chmod(path, mode)

    return each(sys, names, change, lambda name, error: _changing(sys, name, error, "permissions"))


def _all(sys: Sys, name: str, recursive: bool) -> list[str]:
    sys.fs.stat(name)
    if not recursive or sys.fs.lstat(name).kind != "directory":
        return [name]
    return [name, *below(sys.fs, name)]


def _changing(sys: Sys, name: str, error: FileError, what: str) -> str:
    path = error.path or name
    if is_busybox(sys):
        return f"{path}: {error.reason}"
    if error.reason == "No such file or directory":
        return f"cannot access '{path}': {error.reason}"
    verb = "changing permissions of" if what == "permissions" else f"changing {what} of"
    return f"{verb} '{path}': {error.reason}"


def _owner(sys: Sys, text: str) -> tuple[int | None, int | None]:
    name, mark, group = text.partition(":")
    if not mark:
        name, mark, group = text.partition(".") if "." in text else (text, "", "")
    uid = account(sys, "/etc/passwd", name) if name else None
    gid = account(sys, "/etc/group", group) if group else None
    if name and uid is None:
        fail(sys, f"unknown user {name}" if is_busybox(sys) else f"invalid user: '{text}'")
    if group and gid is None:
        fail(sys, f"unknown group {group}" if is_busybox(sys) else f"invalid group: '{text}'")
    if mark and not group:
        gid = uid
    return uid, gid


def _chown(sys: Sys, argv: list[str]) -> int:
    opts = options(
        sys, argv, "Rhfvc", "", {"recursive": "R", "no-dereference": "h"}, permute=False, usage=_CHOWN
    )
    if len(opts.operands) < 2:
        what = f"missing operand after '{opts.operands[0]}'" if opts.operands else "missing operand"
        misused(sys, "" if is_busybox(sys) else what, _CHOWN)
    text, *names = opts.operands
    uid, gid = _owner(sys, text if sys.name == "chown" else f":{text}")

    def change(name: str) -> None:
        for path in _all(sys, name, opts.flag("R")):
            sys.fs.chown(path, uid, gid, follow=not opts.flag("h") and path == name)

    what = "ownership" if sys.name == "chown" else "group"
    return each(sys, names, change, lambda name, error: _changing(sys, name, error, what))


def _ln(sys: Sys, argv: list[str]) -> int:
    long = {"symbolic": "s", "force": "f", "no-dereference": "n", "verbose": "v", "relative": "r"}
    opts = options(sys, argv, "sfnvT", "t", long, usage=_LN)
    operands = list(opts.operands)
    if opts.value("t"):
        operands.append(str(opts.value("t")))
    if not operands:
        misused(sys, "" if is_busybox(sys) else "missing file operand", _LN)
    *targets, place = operands if len(operands) > 1 else [operands[0], "."]
    fs = sys.fs
    into = fs.is_dir(place) and not opts.flag("T") and not (opts.flag("n") and fs.is_link(place))
    if len(targets) > 1 and not into:
        fail(sys, f"{place}: Not a directory" if is_busybox(sys) else f"target '{place}': Not a directory")
    status = 0
    for target in targets:
        path = joined(place, base(target)) if into else place
        try:
            if not opts.flag("s"):
                fs.lstat(target)
            if opts.flag("f") and (fs.is_link(path) or (fs.exists(path) and not fs.is_dir(path))):
                fs.unlink(path)
            if opts.flag("s"):
                fs.symlink(target, path)
            else:
                fs.link(target, path)
        except FileError as error:
            status = 1
            if is_busybox(sys):
                sys.error(
                    f"{target if error.reason == NO_ENTRY and error.path == target else path}: {error.reason}"
                )
            elif opts.flag("s"):
                sys.error(f"failed to create symbolic link '{path}': {error.reason}")
            elif error.path == target:
                said = (
                    "hard link not allowed for directory"
                    if fs.is_dir(target)
                    else f"failed to access '{target}'"
                )
                sys.error(f"{target}: {said}" if fs.is_dir(target) else f"{said}: {error.reason}")
            else:
                sys.error(f"failed to create hard link '{path}': {error.reason}")
    return status


def _truncate(sys: Sys, argv: list[str]) -> int:
    opts = options(
        sys, argv, "c", "s", {"size": "s", "no-create": "c"}, usage="truncate [-c] -s SIZE FILE..."
    )
    size = number(opts.value("s") or "")
    if size is None or size < 0:
        fail(sys, f"Invalid number: '{opts.value('s') or ''}'")

    def cut(name: str) -> None:
        if opts.flag("c") and not sys.fs.exists(name):
            return
        handle = sys.fs.open(name, "a")
        try:
            sys.fs.storage.truncate(handle, size, sys.now)
        finally:
            sys.fs.storage.release(handle)

    return each(
        sys, opts.operands, cut, lambda name, error: f"cannot open '{name}' for writing: {error.reason}"
    )


def _sync(sys: Sys, argv: list[str]) -> int:
    """Nothing waits to be written."""
    return 0


def _program(name: str, summary: str, usage: str, run: Callable[[Sys, list[str]], int]) -> Program:
    return Program(name, summary, usage, run=run)


MKDIR = _program("mkdir", "create directories", _MKDIR, _mkdir)
TOUCH = _program("touch", "create empty files", _TOUCH, _touch)
CHMOD = _program("chmod", "change permission bits", _CHMOD, _chmod)
CHOWN = _program("chown", "change the owner", _CHOWN, _chown)
CHGRP = _program("chgrp", "change the group", "chgrp [-Rhf] GROUP FILE...", _chown)
LN = _program("ln", "make links", _LN, _ln)
TRUNCATE = _program("truncate", "cut files", "truncate [-c] -s SIZE FILE...", _truncate)
SYNC = _program("sync", "write back", "sync", _sync)
