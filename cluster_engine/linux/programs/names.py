"""Small programs about names of files: `basename dirname which readlink realpath mktemp`."""

from __future__ import annotations

from cluster_engine.linux.errors import NO_ENTRY, FileError
from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import base, each, fail, is_busybox, misused, options

_BASENAME = "basename FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE..."


def _basename(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "az", "s", {"multiple": "a", "suffix": "s"}, permute=False, usage=_BASENAME)
    words = opts.operands
    suffix = opts.value("s") or ""
    if not words:
        misused(sys, "" if is_busybox(sys) else "missing operand", _BASENAME)
    if not opts.flag("a", "s"):
        if len(words) > 2:
            misused(sys, "" if is_busybox(sys) else f"extra operand '{words[2]}'", _BASENAME)
        suffix = words[1] if len(words) == 2 else ""
        words = words[:1]
    for word in words:
        name = base(word)
        sys.out((name.removesuffix(suffix) if name != suffix else name) + "\n")
    return 0


def _dirname(sys: Sys, argv: list[str]) -> int:
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    if not words or (is_busybox(sys) and len(words) > 1):
        misused(sys, "" if is_busybox(sys) else "missing operand", "dirname FILENAME")
    for word in words:
        head, slash, _ = word.rstrip("/").rpartition("/")
        sys.out((head.rstrip("/") or ("/" if slash or word.startswith("/") else ".")) + "\n")
    return 0


def _which(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "a", usage="which [-a] COMMAND...")
    status = 0
    for name in opts.operands:
        folders = sys.env.get("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").split(
            ":"
        )
        paths = [name] if "/" in name else [f"{folder or '.'}/{name}" for folder in folders]
        found = [path for path in paths if _runs(sys, path)]
        status = status if found else 1
        sys.out("".join(path + "\n" for path in (found if opts.flag("a") else found[:1])))
    return status


def _runs(sys: Sys, path: str) -> bool:
    try:
        sys.fs.executable(path)
    except FileError:
        return False
    return True


def _readlink(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "fneqsvm", "", {"canonicalize": "f"}, usage="readlink [-fnv] FILE")
    if not opts.operands:
        misused(sys, "" if is_busybox(sys) else "missing operand", "readlink [-fnv] FILE")
    status = 0
    for name in opts.operands:
        try:
            text = sys.fs.realpath(name) if opts.flag("f", "e", "m") else sys.fs.readlink(name)
            if opts.flag("e") and not sys.fs.exists(name):
                raise FileError(NO_ENTRY, name)
        except FileError as error:
            if opts.flag("v"):
                sys.error(f"{name}: {error.reason}")
            status = 1
            continue
        sys.out(text + ("" if opts.flag("n") else "\n"))
    return status


def _realpath(sys: Sys, argv: list[str]) -> int:
    opts = options(sys, argv, "emqsz", usage="realpath FILE...")
    if not opts.operands:
        misused(sys, "" if is_busybox(sys) else "missing operand", "realpath FILE...")

    def show(name: str) -> None:
        if (is_busybox(sys) or opts.flag("e")) and not sys.fs.exists(name):
            raise FileError(NO_ENTRY, name)
        sys.out(sys.fs.realpath(name) + "\n")

    return each(sys, opts.operands, show, lambda name, error: f"{name}: {error.reason}")


def _mktemp(sys: Sys, argv: list[str]) -> int:
    """Random names come from /dev/urandom, which the machine seeds."""
    opts = options(sys, argv, "dqtu", "p", {"directory": "d"}, usage="mktemp [-dt] [-p DIR] [TEMPLATE]")
    template = (
        opts.operands[0] if opts.operands else "tmp.XXXXXXXXXX" if not is_busybox(sys) else "tmp.XXXXXX"
    )
    count = len(template) - len(template.rstrip("X"))
    if count < 3:
        fail(sys, f"too few X's in template '{template}'" if not is_busybox(sys) else "Invalid argument")
    folder = opts.value("p") or (sys.env.get("TMPDIR", "/tmp") if opts.flag("t") or not opts.operands else "")
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    drawn = sys.fs.storage.chance(count)
    path = template.rstrip("X") + "".join(letters[ord(char) % len(letters)] for char in drawn)
    path = f"{folder}/{path}" if folder else path
    try:
        if opts.flag("d"):
            sys.fs.mkdir(path, 0o700)
        else:
            sys.fs.write(path, "")
            sys.fs.chmod(path, 0o600)
    except FileError as error:
        kind = "directory" if opts.flag("d") else "file"
        fail(
            sys,
            f"failed to create {kind} via template '{template}': {error.reason}"
            if not is_busybox(sys)
            else f"{path}: {error.reason}",
        )
    sys.out(path + "\n")
    return 0


BASENAME = Program("basename", "the last part of a path", _BASENAME, run=_basename)
DIRNAME = Program("dirname", "a path without its last part", "dirname FILENAME", run=_dirname)
WHICH = Program("which", "print where a program is", "which [-a] COMMAND...", run=_which)
READLINK = Program("readlink", "print what a link points to", "readlink [-fnv] FILE", run=_readlink)
REALPATH = Program("realpath", "print the path without links", "realpath FILE...", run=_realpath)
MKTEMP = Program("mktemp", "make a temporary file", "mktemp [-dt] [-p DIR] [TEMPLATE]", run=_mktemp)
