"""`tee`."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import options

_USAGE = "tee [-ai] [FILE]...\n\nCopy stdin to each FILE, and also to stdout"


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    opts = options(sys, argv, "ai", "", {"append": "a", "ignore-interrupts": "i"}, usage=_USAGE)
    state: State = {"fds": [], "status": 0}
    for name in opts.operands:
        try:
            state["fds"].append(sys.open(name, "a" if opts.flag("a") else "w"))
        except FileError as error:
            sys.error(f"{name}: {error.reason}")
            state["status"] = 1
    return state, ["-"]


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    for fd in list(state["fds"]):
        try:
            sys.write(fd, chunk)
        except FileError as error:
            sys.error(error.reason)
            state["fds"].remove(fd)
            state["status"] = 1
    sys.write(1, chunk)
    return None


def _end(sys: Sys, state: State) -> int:
    status: int = state["status"]
    return status


PROGRAM = Program("tee", "copy input to files and output", _USAGE, filter=Filter(_init, _feed, _end))
