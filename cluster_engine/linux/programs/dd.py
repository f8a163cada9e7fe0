"""`dd`."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs._common import fail, is_busybox, number

_USAGE = "dd [if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N] [conv=notrunc]"


def _start(sys: Sys, argv: list[str]) -> State:
    given: dict[str, str] = {}
    for word in argv[1:]:
        key, mark, value = word.partition("=")
        if not mark or key not in (
            "if",
            "of",
            "bs",
            "ibs",
            "obs",
            "count",
            "skip",
            "seek",
            "conv",
            "status",
            "iflag",
            "oflag",
        ):
            fail(sys, f"unknown operand '{word}'" if is_busybox(sys) else f"unrecognized operand '{word}'")
        given[key] = value
    sizes = {}
    for key, default in (("bs", given.get("ibs", "512")), ("count", "-1"), ("skip", "0"), ("seek", "0")):
        size = number(given.get(key, default))
        if size is None or (size <= 0 and key == "bs") or (size < 0 and key in given):
            fail(sys, f"invalid number '{given.get(key)}'")
        sizes[key] = size
    keeps = "notrunc" in given.get("conv", "")
    if keeps and sizes["seek"]:
        fail(sys, "seek with conv=notrunc is not simulated here; a real dd has it")
    appends = "append" in given.get("oflag", "") or sizes["seek"] > 0
    state: State = {
        "bs": sizes["bs"], "left": sizes["count"] * sizes["bs"] if sizes["count"] >= 0 else -1, "in": 0, "out": 1,
        "skip": sizes["skip"] * sizes["bs"], "bytes": 0, "took": 0, "quiet": given.get("status", ""), "since": sys.now,
        "name": given.get("if", ""),
    }  # fmt: skip
    try:
        if "if" in given:
            state["in"] = sys.open(given["if"])
    except FileError as error:
        _no(sys, given["if"], error)
    try:
        if "of" in given:
            if (appends or keeps) and not sys.fs.exists(given["of"]):
                sys.fs.write(given["of"], "")
            if sizes["seek"] and sys.fs.is_file(given["of"]):
                handle = sys.fs.open(given["of"], "a")
                sys.fs.storage.truncate(handle, sizes["seek"] * sizes["bs"], sys.now)
                sys.fs.storage.release(handle)
            state["out"] = sys.open(given["of"], "a" if appends else "r+" if keeps else "w")
    except FileError as error:
        _no(sys, given["of"], error)
    return _ask(sys, state)


def _no(sys: Sys, name: str, error: FileError) -> None:
    fail(
        sys,
        f"can't open '{name}': {error.reason}"
        if is_busybox(sys)
        else f"failed to open '{name}': {error.reason}",
    )


def _ask(sys: Sys, state: State) -> State:
    if state["left"] == 0:
        return _ends(sys, state)
    sys.read(state["in"])
    return state


def _data(sys: Sys, state: State, chunk: str) -> State:
    if state["skip"]:
        drop = min(state["skip"], len(chunk))
        state["skip"] -= drop
        chunk = chunk[drop:]
    if state["left"] >= 0:
        chunk = chunk[: state["left"]]
        state["left"] -= len(chunk)
    sys.tick(len(chunk) // 256)
    try:
        sys.write(state["out"], chunk)
    except FileError as error:
        _report(sys, state)
        fail(sys, f"error writing '{state['name'] or 'standard output'}': {error.reason}")
    state["bytes"] += len(chunk)
    if state["left"] == 0:
        return _ends(sys, state)
    sys.more()
    return state


def _report(sys: Sys, state: State) -> None:
    if state["quiet"] == "none":
        return
    whole, part = divmod(state["bytes"], state["bs"])
    records = f"{whole}+{1 if part else 0}"
    sys.err(f"{records} records in\n{records} records out\n")
    if state["quiet"] == "noxfer":
        return
    micros = max(sys.now - state["since"], 1)
    count = state["bytes"]
    rate = count * 1_000_000 // micros
    if is_busybox(sys):
        sys.err(
            f"{count} bytes ({_human(count)}B) copied, {micros // 1_000_000}.{micros % 1_000_000:06d} seconds, "
            f"{_human(rate)}B/s\n"
        )
    else:
        size = f" ({_decimal(count)}B)" if count >= 1000 else ""
        sys.err(
            f"{count} byte{'s' if count != 1 else ''}{size} copied, {micros / 1_000_000:.6g} s, {_decimal(rate)}B/s\n"
        )


def _human(count: int) -> str:
    for unit, letter in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
        if count >= unit:
            return f"{count // unit}.{count * 10 // unit % 10}{letter}"
    return str(count)


def _decimal(count: int) -> str:
    for unit, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            return f"{count // unit}.{count * 10 // unit % 10} {letter}"
    return f"{count} "


def _ends(sys: Sys, state: State) -> State:
    _report(sys, state)
    sys.exit(0)


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["data", _, chunk]:
            return _data(sys, state, chunk)
        case ["go"]:
            return _ask(sys, state)
        case ["end", _]:
            return _ends(sys, state)
    return state


PROGRAM = Program("dd", "copy bytes", _USAGE, on=_on)
