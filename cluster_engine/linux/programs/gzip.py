"""`gzip`, `gunzip` and `zcat`: files that become smaller, and themselves again."""

from __future__ import annotations

import zlib

from cluster_engine.linux import deflate
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import MAX_HELD, fail, hold, is_busybox, options

_PACK = "gzip [-cfkdt] [FILE]...\n\nCompress FILEs (or stdin)"
_UNPACK = "gunzip [-cfkt] [FILE]...\n\nDecompress FILEs (or stdin)"
_SHOW = "zcat [FILE]...\n\nDecompress to stdout"
_LONG = {
    "decompress": "d", "uncompress": "d", "stdout": "c", "to-stdout": "c", "force": "f", "keep": "k", "test": "t",
    "quiet": "q", "no-name": "n", "name": "N", "fast": "1", "best": "9", "list": "l", "verbose": "v", "recursive": "r",
}  # fmt: skip
_NOT_HERE = "is not simulated here; a real gzip has it"
_SUFFIXES = {".gz": "", ".tgz": ".tar"}


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "cdfktqnN123456789lvr", "", _LONG, usage=_usage(sys.name))
    for letter in "lvr":
        if opts.flag(letter):
            fail(sys, f"-{letter} {_NOT_HERE}")
    state: State = {
        "unpack": sys.name != "gzip" or opts.flag("d", "t"), "shown": sys.name == "zcat" or opts.flag("c"),
        "test": opts.flag("t"), "keep": opts.flag("k"), "force": opts.flag("f"),
        "name": "", "held": [], "size": 0, "crc": 0, "count": 0, "worst": 0,
    }  # fmt: skip
    if not opts.operands:
        return state, ["-"]
    found = [_source(sys, state, name) for name in opts.operands]
    return state, [name for name in found if name]


def _usage(name: str) -> str:
    return {"gzip": _PACK, "gunzip": _UNPACK}.get(name, _SHOW)


def _tell(sys: Sys, message: str, before: str = "") -> None:
    """GNU's three are one program, whose name is gzip."""
    if is_busybox(sys):
        sys.error(message)
    else:
        sys.err(f"{before}gzip: {message}\n")


def _refused(sys: Sys, state: State, message: str, status: int) -> str:
    _tell(sys, message)
    state["worst"] = max(state["worst"], 1 if is_busybox(sys) else status)
    return ""


def _source(sys: Sys, state: State, name: str) -> str:
    """The file that is read for a name; "" when nothing can be made of it, which was said."""
    if name == "-" or (state["shown"] and sys.fs.exists(name)):
        return name
    gnu = not is_busybox(sys)
    if gnu and state["unpack"] and not sys.fs.exists(name) and not name.endswith(tuple(_SUFFIXES)):
        name += ".gz"
    if not sys.fs.exists(name):
        return _refused(sys, state, f"{name}: No such file or directory", 1)
    if sys.fs.is_dir(name):
        return _refused(
            sys, state, f"{name} is a directory -- ignored" if gnu else f"{name}: Is a directory", 2
        )
    if state["test"]:
        return name
    target = _target(state, name)
    if not target:
        return _refused(sys, state, f"{name}: unknown suffix -{'-' if gnu else ''} ignored", 2)
    if not state["unpack"] and gnu and name.endswith(".gz"):
        _tell(sys, f"{name} already has .gz suffix -- unchanged")
        return ""
    if sys.fs.exists(target) and not state["force"]:
        already = f"{target} already exists;\tnot overwritten"
        return _refused(sys, state, already if gnu else f"can't open '{target}': File exists", 2)
    return name


def _target(state: State, name: str) -> str:
    """What a file becomes; "" when its name does not tell."""
    if not state["unpack"]:
        return f"{name}.gz"
    for suffix, instead in _SUFFIXES.items():
        if name.endswith(suffix) and len(name) > len(suffix):
            return name.removesuffix(suffix) + instead
    return ""


def _opened(sys: Sys, state: State, name: str) -> None:
    _finish(sys, state)
    state["name"], state["held"], state["size"], state["crc"], state["count"] = name, [], 0, 0, 0
    if not state["unpack"]:
        _give(sys, state, deflate.HEAD)


def _give(sys: Sys, state: State, data: bytes) -> None:
    """A part of what a file becomes: shown, or held until it is whole."""
    text = data.decode("latin-1")
    if state["shown"] or state["name"] == "-":
        sys.write(1, text)
    else:
        hold(sys, state, text)


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    if state["unpack"]:
        hold(sys, state, chunk)
        return None
    data = chunk.encode("latin-1")
    sys.tick(len(data) // 2)
    state["crc"] = zlib.crc32(data, state["crc"])
    state["count"] += len(data)
    for at in range(0, len(data), deflate.MAX_CHUNK):
        _give(sys, state, deflate.packed(data[at : at + deflate.MAX_CHUNK]))
    return None


def _finish(sys: Sys, state: State) -> None:
    """All of a file has been read."""
    name = state["name"]
    if not name:
        return
    if state["unpack"]:
        packed = "".join(state["held"]).encode("latin-1")
        sys.tick(len(packed) // 64)
        try:
            data = deflate.unpacked(packed, MAX_HELD)
        except deflate.Corrupt as error:
            _corrupt(sys, state, str(error))
            return
        state["held"], state["size"] = [], 0
        if state["test"]:
            return
        _give(sys, state, data)
    else:
        _give(sys, state, deflate.finish(state["crc"], state["count"]))
    if state["shown"] or name == "-":
        return
    target = _target(state, name)
    try:
        stat = sys.fs.stat(name)
        sys.fs.write(target, "".join(state["held"]))
        sys.fs.chmod(target, stat.mode & 0o777)
        sys.fs.utime(target, stat.mtime)
        if not state["keep"]:
            sys.fs.unlink(name)
    except FileError as error:
        _refused(sys, state, f"{target}: {error.reason}", 1)


_GNU = {
    "magic": "not in gzip format",
    "short": "unexpected end of file",
    "data": "invalid compressed data--format violated",
    "sum": "invalid compressed data--crc error",
}


def _corrupt(sys: Sys, state: State, what: str) -> None:
    if what == "size":
        fail(sys, f"more than {MAX_HELD >> 20} MiB are not unpacked here", 2)
    if is_busybox(sys):
        magic = "no gzip/bzip2/xz magic" if sys.name == "zcat" else "invalid magic"
        empty = not state["held"]
        _tell(sys, magic if what == "magic" or empty else "crc error" if what == "sum" else "corrupted data")
    else:
        shown = "stdin" if state["name"] == "-" else state["name"]
        _tell(sys, f"{shown}: {_GNU[what]}", before="\n")
    state["worst"] = max(state["worst"], 1)


def _end(sys: Sys, state: State) -> int:
    _finish(sys, state)
    worst: int = state["worst"]
    return worst


_FILTER = Filter(_init, _feed, _end, opened=_opened)
GZIP = Program("gzip", "compress files", _PACK, filter=_FILTER)
GUNZIP = Program("gunzip", "unpack compressed files", _UNPACK, filter=_FILTER)
ZCAT = Program("zcat", "show compressed files", _SHOW, filter=_FILTER)
