"""Runs programs of the shape ``filter``: opens inputs, feeds chunks, waits where they wait."""

from __future__ import annotations

from cluster_engine.linux import descriptors, processes
from cluster_engine.linux.calls import Calls
from cluster_engine.linux.errors import TOO_MANY, FileError
from cluster_engine.linux.kernel import Kernel, Record
from cluster_engine.linux.limits import BYTES_PER_STEP
from cluster_engine.linux.program import Exit, Filter, Program

START, OPEN, FEED, END = "start", "open", "feed", "end"


def step(kernel: Kernel, process: Record, program: Program, limit: int) -> int:
    """Go on for about ``limit`` steps; the steps taken.

    The record has ``stage``, ``inputs`` (names still to come), ``input`` (the open one's desc), ``worst`` (status).
    """
    assert program.filter is not None
    spec = program.filter
    calls = Calls(kernel, process)
    used = 0
    try:
        while used < limit:
            if process["out"] and not descriptors.flush(kernel, process):
                kernel.sleep(process)
                return used + 1
            stage = process.get("stage", START)
            calls.ticks = 0
            used += 1
            if stage == START:
                process["mem"], inputs = spec.init(calls, list(process["argv"]))
                process["inputs"], process["worst"], process["input"] = list(inputs), 0, ""
                process["stage"] = OPEN
            elif stage == OPEN:
                if not process["inputs"]:
                    process["stage"] = END
                elif _open(kernel, process, spec, calls):
                    name = process["inputs"][0]
                    del process["inputs"][0]
                    process["stage"] = FEED
                    if spec.opened is not None:
                        spec.opened(calls, process["mem"], name)
            elif stage == FEED:
                chunk = _read(kernel, process, calls)
                if chunk is None:
                    kernel.sleep(process)
                    return used
                if chunk == "":
                    _close(kernel, process)
                    process["stage"] = OPEN
                else:
                    used += len(chunk) // BYTES_PER_STEP
                    status = spec.feed(calls, process["mem"], chunk)
                    if status is not None:
                        raise Exit(status)
            else:
                status = spec.end(calls, process["mem"])
                raise Exit(status or process["worst"])
            used += calls.ticks
            if process["pending"]:
                return used
    except Exit as end:
        used += calls.ticks
        if "input" in process:
            _close(kernel, process)
        if process["out"]:
            process["kind"], process["status"] = "done", end.status
        else:
            processes.leave(kernel, process, end.status & 255)
    except FileError as error:
        calls.error(str(error))
        processes.leave(kernel, process, 1)
    return used


def _open(kernel: Kernel, process: Record, spec: Filter, calls: Calls) -> bool:
    """Open the next input; False when it cannot be (which was said)."""
    name = process["inputs"][0]
    if name == "-":
        process["input"] = process["fds"].get("0", "")
        return True
    try:
        if descriptors.full(kernel, process):
            raise FileError(TOO_MANY, name)
        if calls.fs.is_dir(name):
            raise FileError("Is a directory", name)
        process["input"] = descriptors.open_path(kernel, process, name, "r")
    except FileError as error:
        if spec.unopened is not None:
            spec.unopened(calls, process["mem"], name, error.reason)
        else:
            calls.error(f"{name}: {error.reason}")
        process["worst"] = 1
        del process["inputs"][0]
        return False
    if process["input"][0] in descriptors.COUNTED:
        process["fds"]["in"] = process["input"]
    return True


def _read(kernel: Kernel, process: Record, calls: Calls) -> str | None:
    try:
        if not process["input"]:
            raise FileError("Bad file descriptor")
        return descriptors.read(kernel, process, process["input"])
    except FileError as error:
        calls.error(f"read error: {error.reason}")
        process["worst"] = 1
        return ""


def _close(kernel: Kernel, process: Record) -> None:
    desc = process["fds"].pop("in", None)
    if desc is not None:
        descriptors.release(kernel, desc)
    process["input"] = ""
