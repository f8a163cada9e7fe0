"""`tail`, with `-f` too: a file is looked at once a second, as busybox does."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs._common import FOREVER, fail, hold, is_busybox, number, options

_USAGE = "tail [OPTIONS] [FILE]...\n\nPrint last 10 lines of FILEs (or stdin) to stdout"
_PERIOD = 1_000_000
_LONG = {
    "lines": "n", "bytes": "c", "quiet": "q", "silent": "q", "verbose": "v", "follow": "f", "retry": "r",
    "sleep-interval": "s", "pid": "p",
}  # fmt: skip


def _start(sys: Sys, argv: list[str]) -> State:
    if len(argv) > 1 and argv[1][:1] in ("-", "+") and argv[1][1:].isdigit():
        argv = [argv[0], "-n", argv[1].removeprefix("-"), *argv[2:]]
    opts = options(sys, argv, "qvfFr", "ncsp", _LONG, usage=_USAGE)
    by = opts.last("nc") or "n"
    text = opts.value(by) or "10"
    count = number(text)
    if count is None:
        what = "lines" if by == "n" else "bytes"
        fail(sys, f"invalid number '{text}'" if is_busybox(sys) else f"invalid number of {what}: '{text}'")
    names = opts.operands or ["-"]
    follow = opts.flag("f", "F")
    state: State = {
        "by": by, "count": abs(count), "plus": text.startswith("+"), "follow": follow,
        "by_name": opts.flag("F", "r"), "titles": opts.flag("v") or (len(names) > 1 and not opts.flag("q")),
        "names": names, "index": -1, "fds": {}, "ids": {}, "read": {}, "status": 0, "title": "", "held": [],
        "size": 0, "timer": 0, "skip": 0,
    }  # fmt: skip
    return state


def _title(sys: Sys, state: State, name: str) -> None:
    if state["titles"] and state["title"] != name:
        shown = "standard input" if name == "-" else name
        sys.out(("\n" if state["title"] else "") + f"==> {shown} <==\n")
        state["title"] = name


def _open(sys: Sys, state: State, name: str) -> int | None:
    if name == "-":
        return 0
    try:
        if sys.fs.is_dir(name):
            sys.error(
                f"error reading '{name}': Is a directory"
                if not is_busybox(sys)
                else "read error: Is a directory"
            )
            state["status"] = 1
            return None
        fd = sys.open(name)
        state["ids"][name] = sys.fs.stat(name).identity
    except FileError as error:
        reason = error.reason
        busybox = is_busybox(sys)
        sys.error(
            f"can't open '{name}': {reason}" if busybox else f"cannot open '{name}' for reading: {reason}"
        )
        state["status"] = 1
        return None
    return fd


def _next(sys: Sys, state: State) -> State:
    """The next input, or the end, or the watch."""
    while state["index"] + 1 < len(state["names"]):
        state["index"] += 1
        name = state["names"][state["index"]]
        fd = _open(sys, state, name)
        if fd is None:
            continue
        state["fds"][name] = fd
        state["read"][name] = 0
        state["skip"] = max(state["count"] - 1, 0) if state["plus"] else 0
        _title(sys, state, name)
        sys.read(fd)
        return state
    if not state["follow"] or not (state["fds"] or state["by_name"]):
        none = not state["ids"] and "-" not in state["names"]
        if none and (state["follow"] or is_busybox(sys)):
            sys.error("no files" if is_busybox(sys) else "no files remaining")
        sys.exit(state["status"])
    state["index"] = len(state["names"])
    return _wait(sys, state)


def _wait(sys: Sys, state: State) -> State:
    quiet = all(name == "/dev/null" for name in state["names"])
    state["timer"] = sys.sleep(FOREVER if quiet else _PERIOD)
    return state


def _data(sys: Sys, state: State, fd: int, chunk: str) -> State:
    if state["index"] >= len(state["names"]):
        name = next(each for each in state["names"] if state["fds"].get(each) == fd)
        state["read"][name] += len(chunk)
        _title(sys, state, name)
        sys.write(1, chunk)
        sys.read(fd)
        return state
    name = state["names"][state["index"]]
    state["read"][name] += len(chunk)
    if state["plus"]:
        _skip(sys, state, chunk)
    else:
        hold(sys, state, chunk)
        _trim(state)
    sys.read(fd)
    return state


def _skip(sys: Sys, state: State, chunk: str) -> None:
    left = state["skip"]
    if left and state["by"] == "c":
        state["skip"] = max(left - len(chunk), 0)
        chunk = chunk[left:]
    elif left:
        at = 0
        while left and (found := chunk.find("\n", at)) >= 0:
            at = found + 1
            left -= 1
        state["skip"] = left
        chunk = "" if left else chunk[at:]
    if chunk:
        sys.write(1, chunk)


def _trim(state: State) -> None:
    """Lets go what cannot be among the last lines."""
    held, count = state["held"], state["count"]
    while len(held) > 1:
        rest = state["size"] - len(held[0])
        enough = rest >= count if state["by"] == "c" else sum(each.count("\n") for each in held[1:]) > count
        if not enough:
            return
        state["size"] = rest
        del held[0]


def _last(state: State) -> str:
    text, count = "".join(state["held"]), state["count"]
    if count == 0:
        return ""
    if state["by"] == "c":
        return text[-count:]
    at = len(text) - text.endswith("\n")
    for _ in range(count):
        at = text.rfind("\n", 0, at)
        if at < 0:
            return text
    return text[at + 1 :]


def _ended(sys: Sys, state: State, fd: int) -> State:
    if state["index"] >= len(state["names"]):
        return _look(sys, state, fd)
    if not state["plus"]:
        sys.write(1, _last(state))
        state["held"], state["size"] = [], 0
    name = state["names"][state["index"]]
    if not state["follow"] or name == "-":
        if fd:
            sys.close(fd)
        del state["fds"][name]
    return _next(sys, state)


def _look(sys: Sys, state: State, after: int) -> State:
    """Follows: the file behind ``after`` is read to its end (-1: the round begins)."""
    names = state["names"]
    begin = 0
    if after >= 0:
        begin = next(at for at, name in enumerate(names) if state["fds"].get(name) == after) + 1
    for name in names[begin:]:
        if name == "/dev/null":
            continue
        fd = _fresh(sys, state, name)
        if fd is not None:
            sys.read(fd)
            return state
    return _wait(sys, state)


def _fresh(sys: Sys, state: State, name: str) -> int | None:
    """The descriptor to read on from; with -F of the file that has the name now."""
    fd: int | None = state["fds"].get(name)
    try:
        stat = sys.fs.stat(name)
    except FileError:
        return fd
    replaced = stat.identity != state["ids"].get(name) or fd is None
    if fd is not None and not replaced and stat.size >= state["read"][name]:
        return fd
    if replaced and not state["by_name"]:
        return fd
    if not is_busybox(sys):
        if fd is None:
            what = f"'{name}' has appeared;  following new file"
        elif replaced:
            what = f"'{name}' has been replaced;  following new file"
        else:
            what = f"{name}: file truncated"
        sys.error(what)
    try:
        fresh = sys.open(name)
    except FileError:
        return fd
    if fd is not None:
        sys.close(fd)
    state["fds"][name], state["ids"][name], state["read"][name] = fresh, stat.identity, 0
    return fresh


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _next(sys, _start(sys, argv))
        case ["data", fd, chunk]:
            return _data(sys, state, fd, chunk)
        case ["end", fd]:
            return _ended(sys, state, fd)
        case ["timer", _]:
            return _look(sys, state, -1)
    return state


PROGRAM = Program("tail", "print the last lines", _USAGE, on=_on)
