"""`tar`: makes, lists and unpacks archives (ustar, with GNU's and pax's long names). `kubectl cp` needs it.

What is compressed goes through `gzip`, a child behind a pipe.
"""

from __future__ import annotations

import posixpath
from datetime import UTC, datetime
from typing import Any

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Stat
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs import archive
from cluster_engine.linux.programs._common import fail, group, is_busybox, joined, misused, number, user
from cluster_engine.linux.programs.copying import remove_tree
from cluster_engine.linux.programs.ls import mode as shown_mode
from cluster_engine.linux.sh.pattern import matches

_USAGE = "tar c|x|t [-hvokO] [-f TARFILE] [-C DIR] [-T FILE] [-X FILE] [LONGOPT]... [FILE]..."
_LONG = {
    "create": "c", "extract": "x", "get": "x", "list": "t", "verbose": "v", "file": "f", "directory": "C", "touch": "m",
    "to-stdout": "O", "gzip": "z", "gunzip": "z", "ungzip": "z", "no-same-owner": "o", "no-same-permissions": "p",
    "same-permissions": "p",
    "dereference": "h", "keep-old-files": "k", "overwrite": "w", "exclude": "X", "strip-components": "S",
    "warning": "W", "no-recursion": "n", "numeric-owner": "N", "same-owner": "N", "preserve-permissions": "p",
    "bzip2": "j", "xz": "J", "absolute-names": "P", "strip": "S", "files-from": "T",
}  # fmt: skip
_WITH_VALUE = "fCXSWT"
MAX_NAME = 4_096
"""Bytes of a long name."""


def _parse(sys: Sys, argv: list[str]) -> dict[str, Any]:
    words = list(argv[1:])
    given: dict[str, list[str]] = {}
    names: list[list[str]] = []
    folder = ""
    if words and not words[0].startswith("-"):
        words[0] = "-" + words[0]  # the old style: letters first, their values after them
        letters, rest = words[0][1:], words[1:]
        words = []
        for letter in letters:
            given.setdefault(letter, []).append(rest.pop(0) if letter in _WITH_VALUE and rest else "")
        words = rest
        folder = given["C"][-1] if "C" in given else folder
    while words:
        word = words.pop(0)
        if word == "--":
            names += [[folder, each] for each in words]
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            letter = _LONG.get(name, "")
            if not letter:
                misused(sys, f"unrecognized option '{word}'", _USAGE, 1 if is_busybox(sys) else 64)
            if letter in _WITH_VALUE and not equals:
                value = words.pop(0) if words else ""
            given.setdefault(letter, []).append(value)
            folder = value if letter == "C" else folder
        elif word.startswith("-") and len(word) > 1:
            for at, letter in enumerate(word[1:], 1):
                if letter in _WITH_VALUE:
                    value = word[at + 1 :] or (words.pop(0) if words else "")
                    given.setdefault(letter, []).append(value)
                    folder = value if letter == "C" else folder
                    break
                if letter not in "cxtvmOzopPhkjJwnN":
                    misused(sys, f"invalid option -- '{letter}'", _USAGE, 1 if is_busybox(sys) else 64)
                given.setdefault(letter, []).append("")
        else:
            names.append([folder, word])
    return {"given": given, "names": names, "folder": folder}


def _start(sys: Sys, argv: list[str]) -> State:
    parsed = _parse(sys, argv)
    given = parsed["given"]
    chosen = [letter for letter in "cxt" if letter in given]
    if len(chosen) != 1:
        if is_busybox(sys):
            misused(sys, "", _USAGE)
        sys.error("You must specify one of the '-Acdtrux', '--delete' or '--test-label' options")
        sys.err("Try 'tar --help' or 'tar --usage' for more information.\n")
        sys.exit(2)
    if "j" in given or "J" in given:
        fail(sys, "bzip2 and xz are not simulated here (gzip is); a real tar has them", 2)
    if "T" in given:
        fail(sys, "-T is not simulated here; a real tar has it", 2)
    strip = number(given.get("S", ["0"])[-1])
    if strip is None or strip < 0:
        fail(sys, f"invalid number '{given['S'][-1]}'", 1 if is_busybox(sys) else 2)
    state: State = {
        "mode": chosen[0], "verbose": "v" in given, "touch": "m" in given, "stdout": "O" in given, "keep": "k" in given,
        "follow": "h" in given, "exclude": given.get("X", []), "strip": strip,
        "names": parsed["names"], "folder": parsed["folder"], "out": -1, "queue": [], "rest": "", "left": 0, "pad": 0,
        "entry": {}, "long": {}, "status": 0, "seen": [], "written": 0, "owner": sys.uid == 0 and "o" not in given,
        "child": 0, "over": False, "aside": False,
        "all_modes": sys.uid == 0 or "p" in given, "folders": [], "fd": 0,
    }  # fmt: skip
    file = given.get("f", ["-"])[-1] or "-"
    if chosen[0] == "c":
        return _create(sys, state, file, "z" in given)
    state["fd"] = 0 if file == "-" else _open(sys, file, "r")
    if "z" in given or (file != "-" and sys.fs.read(file).startswith("\x1f\x8b")):
        packed, (state["fd"], out) = state["fd"], sys.pipe()
        state["child"] = sys.spawn(["gzip", "-dc"], fds={0: packed, 1: out, 2: 2})
        sys.close(out)
    sys.read(state["fd"])
    return state


def _open(sys: Sys, file: str, flags: str) -> int:
    try:
        return sys.open(file, flags)
    except FileError as error:
        if is_busybox(sys):
            fail(sys, f"can't open '{file}': {error.reason}")
        sys.error(f"{file}: Cannot open: {error.reason}")
        sys.error("Error is not recoverable: exiting now")
        sys.exit(2)


# ---- making ------------------------------------------------------------------------------------


def _create(sys: Sys, state: State, file: str, compressed: bool) -> State:
    if not state["names"]:
        fail(
            sys,
            "empty archive" if is_busybox(sys) else "Cowardly refusing to create an empty archive",
            1 if is_busybox(sys) else 2,
        )
    out = state["out"] = 1 if file == "-" else _open(sys, file, "w")
    state["aside"] = out == 1
    if compressed:
        source, state["out"] = sys.pipe()
        state["child"] = sys.spawn(["gzip"], fds={0: source, 1: out, 2: 2})
        sys.close(source)
    state["queue"] = state["names"]
    return _pack(sys, state)


def _pack(sys: Sys, state: State) -> State:
    """One name (with all below it, listed first) a turn, so that a pipe's reader keeps up."""
    if not state["queue"]:
        size = state["written"] + 2 * archive.BLOCK
        padding = 2 * archive.BLOCK + (-size) % (20 * archive.BLOCK)
        sys.write(state["out"], "\0" * padding)
        if state["status"]:
            delayed = "error exit delayed from previous errors"
            sys.error(delayed if is_busybox(sys) else "Exiting with failure status due to previous errors")
        if state["child"]:
            sys.close(state["out"])
            return {**state, "over": True}
        sys.exit(state["status"])
    folder, name = state["queue"][0]
    state["queue"] = state["queue"][1:]
    path = joined(folder, name) if folder and not name.startswith("/") else name
    try:
        stat = sys.fs.stat(path) if state["follow"] else sys.fs.lstat(path)
        inside = (
            [joined(name, below_name) for below_name in sys.fs.listdir(path)]
            if stat.kind == "directory"
            else []
        )
    except FileError as error:
        sys.error(f"{name}: {error.reason}" if is_busybox(sys) else f"{name}: Cannot stat: {error.reason}")
        state["status"] = 1 if is_busybox(sys) else 2
        return _again(sys, state)
    if any(
        matches([(pattern, False)], name) or matches([(pattern, False)], posixpath.basename(name))
        for pattern in state["exclude"]
    ):
        return _again(sys, state)
    state["queue"] = [*([folder, each] for each in inside), *state["queue"]]
    try:
        data = sys.fs.read(path) if stat.kind == "file" else ""
    except FileError as error:
        sys.error(
            f"can't open '{name}': {error.reason}"
            if is_busybox(sys)
            else f"{name}: Cannot open: {error.reason}"
        )
        state["status"] = 1 if is_busybox(sys) else 2
        return _again(sys, state)
    shown = _stored(sys, state, name)
    if not shown:
        return _again(sys, state)
    if state["verbose"]:
        text = shown + ("/" if stat.kind == "directory" and not shown.endswith("/") else "") + "\n"
        if state["aside"]:
            sys.err(text)
        else:
            sys.out(text)
    kind = {"file": "0", "directory": "5", "link": "2", "device": "3"}[stat.kind]
    if kind == "5":
        shown = shown.rstrip("/") + "/"
    text = archive.header(
        shown,
        stat.mode,
        stat.uid,
        stat.gid,
        len(data),
        stat.mtime,
        kind,
        stat.target,
        user(sys, stat.uid),
        group(sys, stat.gid),
    )
    text += data + "\0" * (-len(data) % archive.BLOCK)
    sys.tick(len(text) // 256)
    state["written"] += len(text)
    sys.write(state["out"], text)
    return _again(sys, state)


def _again(sys: Sys, state: State) -> State:
    sys.more()
    return state


def _stored(sys: Sys, state: State, name: str) -> str:
    """The name in the archive: without a slash at its beginning, which is said once."""
    stored = name.lstrip("/")
    if stored != name and "/" not in state["seen"]:
        state["seen"] = [*state["seen"], "/"]
        said = (
            "removing leading '/' from member names"
            if is_busybox(sys)
            else "Removing leading `/' from member names"
        )
        sys.error(said)
    return stored


# ---- reading -----------------------------------------------------------------------------------


def _data(sys: Sys, state: State, chunk: str) -> State:
    state["rest"] += chunk
    while _one(sys, state):
        sys.tick()
    if state["mode"] != "end":
        sys.read(state["fd"])
    return state


def _one(sys: Sys, state: State) -> bool:
    """Takes one piece from what has been read; whether there may be more."""
    rest = state["rest"]
    if state["left"]:
        piece = rest[: state["left"]]
        if not piece:
            return False
        state["left"] -= len(piece)
        state["rest"] = rest[len(piece) :]
        _body(sys, state, piece)
        if not state["left"]:
            _entry_ends(sys, state)
        return True
    if state["pad"]:
        piece = rest[: state["pad"]]
        state["pad"] -= len(piece)
        state["rest"] = rest[len(piece) :]
        return bool(piece)
    if len(rest) < archive.BLOCK:
        return False
    block, state["rest"] = rest[: archive.BLOCK], rest[archive.BLOCK :]
    if block == "\0" * archive.BLOCK:
        return True
    if not archive.checks(block):
        if is_busybox(sys):
            fail(sys, "invalid tar magic" if block[257:262] != "ustar" else "invalid tar header checksum")
        sys.error("This does not look like a tar archive")
        sys.error("Exiting with failure status due to previous errors")
        sys.exit(2)
    _entry(sys, state, block)
    return True


def _entry(sys: Sys, state: State, block: str) -> None:
    entry = archive.entry(block)
    if entry["kind"] not in "LKxg":
        entry |= state["long"]
        state["long"] = {}
        if entry["kind"] == "0" and entry["name"].endswith("/"):
            entry["kind"] = "5"
    size = entry["size"] if entry["kind"] in "07LKxg" else 0
    state["entry"], state["left"], state["pad"] = entry, size, -size % archive.BLOCK
    _entry_begins(sys, state)
    if not size:
        _entry_ends(sys, state)


def _wanted(state: State, name: str) -> bool:
    if any(matches([(pattern, False)], name) for pattern in state["exclude"]):
        return False
    wanted = [each.rstrip("/") for _, each in state["names"]]
    shown = name.rstrip("/")
    return not wanted or any(
        shown == each or shown.startswith(each + "/") or matches([(each, False)], shown) for each in wanted
    )


def _entry_begins(sys: Sys, state: State) -> None:
    entry = state["entry"]
    if entry["kind"] in "LKxg" or not _wanted(state, entry["name"]):
        return
    name = entry["name"]
    state["seen"] = [*state["seen"], name] if state["names"] else state["seen"]
    if state["mode"] == "t":
        sys.out((_long(sys, entry) if state["verbose"] else name) + "\n")
        return
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if state["strip"]:
        parts = parts[state["strip"] :]
    if name.startswith("/"):
        _stored(sys, state, name)
    if ".." in parts:
        sys.error(
            f"name with '..' skipped: {name}" if is_busybox(sys) else f"{name}: Member name contains '..'"
        )
        state["status"] = 1 if is_busybox(sys) else 2
        return
    if state["verbose"]:
        (sys.err if state["stdout"] else sys.out)(name + "\n")
    path = "/".join(parts)
    if not path:
        return
    entry = state["entry"] = {**entry, "path": joined(state["folder"], path) if state["folder"] else path}
    if state["stdout"]:
        return
    try:
        _make(sys, state, entry)
    except FileError as error:
        _failed(sys, state, error.reason)


def _failed(sys: Sys, state: State, reason: str) -> None:
    entry = state["entry"]
    if is_busybox(sys):
        fail(
            sys,
            f"can't open '{entry['path']}': {reason}"
            if entry["kind"] != "5"
            else f"can't make dir {entry['path']}: {reason}",
        )
    sys.error(f"{entry['name']}: Cannot {'mkdir' if entry['kind'] == '5' else 'open'}: {reason}")
    state["status"] = 2
    state["entry"] = {**entry, "path": ""}


def _make(sys: Sys, state: State, entry: dict[str, Any]) -> None:
    fs, path = sys.fs, entry["path"]
    folder = path.rpartition("/")[0]
    if folder and not fs.is_dir(folder):
        fs.makedirs(folder)
    if entry["kind"] == "5":
        if not fs.is_dir(path):
            fs.mkdir(path)
        state["folders"] = [*state["folders"], [path, entry["mtime"]]]
        _attributes(sys, state, entry, times=False)
        return
    if fs.is_dir(path) and not fs.is_link(path):
        raise FileError("Is a directory", path)
    if fs.exists(path) or fs.is_link(path):
        if state["keep"]:
            raise FileError("File exists", path)
        remove_tree(sys, path)
    if entry["kind"] == "2":
        fs.symlink(entry["target"], path)
    elif entry["kind"] == "1":
        target = entry["target"]
        fs.link(joined(state["folder"], target) if state["folder"] else target, path)
    elif entry["kind"] in "07":
        fs.write(path, "")
    else:
        raise FileError("Operation not permitted", path)


def _body(sys: Sys, state: State, piece: str) -> None:
    entry = state["entry"]
    if entry["kind"] in "LKxg":
        if len(entry["text"]) + len(piece) > 16 * MAX_NAME:
            fail(sys, "a header of more than 64 KiB is not read here", 2)
        state["entry"] = {**entry, "text": entry["text"] + piece}
        return
    if not entry["path"]:
        return
    if state["stdout"]:
        sys.write(1, piece)
        return
    try:
        sys.fs.write(entry["path"], piece, append=True)
    except FileError as error:
        if is_busybox(sys):
            fail(sys, f"write error: {error.reason}")
        sys.error(f"{entry['name']}: Wrote only 0 of {len(piece)} bytes: {error.reason}")
        state["status"] = 2
        state["entry"] = {**entry, "path": ""}


def _entry_ends(sys: Sys, state: State) -> None:
    entry = state["entry"]
    match entry["kind"]:
        case "L":
            state["long"] = {**state["long"], "name": archive.text_of(entry["text"])}
        case "K":
            state["long"] = {**state["long"], "target": archive.text_of(entry["text"])}
        case "x":
            state["long"] = {**state["long"], **archive.pax(entry["text"])}
        case "0" | "7" if entry["path"] and not state["stdout"]:
            _attributes(sys, state, entry, times=True)


def _attributes(sys: Sys, state: State, entry: dict[str, Any], *, times: bool) -> None:
    fs, path = sys.fs, entry["path"]
    try:
        mode = entry["mode"] if state["all_modes"] else entry["mode"] & 0o777 & ~sys.umask
        fs.chmod(path, mode)
        if state["owner"]:
            fs.chown(path, entry["uid"], entry["gid"])
        if times and not state["touch"]:
            fs.utime(path, entry["mtime"])
    except FileError as error:
        sys.error(f"{entry['name']}: {error.reason}")
        state["status"] = 1 if is_busybox(sys) else 2


def _long(sys: Sys, entry: dict[str, Any]) -> str:
    from_kind = {"5": "directory", "2": "link", "3": "device"}.get(entry["kind"], "file")
    letters = _mode_text(from_kind, entry["mode"])
    owner = entry["owner"] or str(entry["uid"])
    owners = entry["owners"] or str(entry["gid"])
    when = datetime.fromtimestamp(entry["mtime"] // 1_000_000, UTC)
    size = entry["size"] if from_kind == "file" else 0
    name = entry["name"] + (f" -> {entry['target']}" if from_kind == "link" else "")
    if is_busybox(sys):
        return f"{letters} {owner}/{owners} {size:>9} {when:%Y-%m-%d %H:%M:%S} {name}"
    width = 19 - len(owner) - len(owners) - 1
    return f"{letters} {owner}/{owners} {size:>{max(width, 1)}} {when:%Y-%m-%d %H:%M} {name}"


def _mode_text(kind: str, mode: int) -> str:
    from_stat = Stat(kind, mode, 0, 0, 0, 0, 1)
    return shown_mode(from_stat)


def _ended(sys: Sys, state: State) -> State:
    for path, mtime in reversed(state["folders"]):
        try:
            if not state["touch"]:
                sys.fs.utime(path, mtime)
        except FileError as error:
            sys.error(f"{path}: {error.reason}")
            state["status"] = 2
    if state["left"] or state["rest"].strip("\0"):
        fail(
            sys, "short read" if is_busybox(sys) else "Unexpected EOF in archive", 1 if is_busybox(sys) else 2
        )
    for _, name in state["names"]:
        if not any(
            each.rstrip("/") == name.rstrip("/")
            or each.startswith(name.rstrip("/") + "/")
            or matches([(name, False)], each.rstrip("/"))
            for each in state["seen"]
        ):
            if is_busybox(sys):
                fail(sys, f"{name}: not found in archive")
            sys.error(f"{name}: Not found in archive")
            state["status"] = 2
    if state["status"] and not is_busybox(sys):
        sys.error("Exiting with failure status due to previous errors")
    sys.exit(state["status"])


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["go"]:
            return _pack(sys, state)
        case ["data", _, chunk]:
            return _data(sys, state, chunk)
        case ["end", _]:
            return {**state, "over": True} if state["child"] else _ended(sys, state)
        case ["exited", _, status]:
            state["child"] = 0
            if status:
                _child_failed(sys, status)
            if state["over"]:
                return _ended(sys, state) if state["mode"] != "c" else sys.exit(state["status"])
    return state


def _child_failed(sys: Sys, status: int) -> None:
    """`gzip` has said why; nothing can be made of what it gave."""
    if is_busybox(sys):
        fail(sys, "corrupted data")
    sys.error(f"Child returned status {status}")
    sys.error("Error is not recoverable: exiting now")
    sys.exit(2)


PROGRAM = Program("tar", "pack and unpack archives", _USAGE, on=_on)
