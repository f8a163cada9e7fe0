"""Runs programs of the shapes ``run`` and ``on``: one event a call, until there is no more news."""

from __future__ import annotations

from typing import Any

from cluster_engine.linux import descriptors, processes, sockets
from cluster_engine.linux.calls import Calls, Replaced
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.kernel import Kernel, Record
from cluster_engine.linux.limits import SOCKET_WINDOW
from cluster_engine.linux.program import Exit, Program

EVENT_COST = 3
"""Steps charged for each event that a program is called with."""


def run_once(kernel: Kernel, process: Record, program: Program) -> int:
    """An instant program as a process of its own; the steps it took."""
    assert program.run is not None
    calls = Calls(kernel, process)
    try:
        status = program.run(calls, list(process["argv"]))
    except Exit as end:
        status = end.status
    except Replaced:
        return calls.ticks + EVENT_COST
    except FileError as error:
        calls.error(str(error))
        status = 1
    if process["out"]:
        process["kind"], process["status"] = "done", status
        return calls.ticks + EVENT_COST
    processes.leave(kernel, process, status & 255)
    return calls.ticks + EVENT_COST


def finish(kernel: Kernel, process: Record) -> int:
    """A program that has ended but for output that a full pipe did not take yet."""
    processes.leave(kernel, process, process["status"] & 255)
    return 1


def step(kernel: Kernel, process: Record, program: Program, limit: int) -> int:
    """Call an ``on`` program with what is new, for about ``limit`` steps; the steps taken."""
    assert program.on is not None
    used = 0
    calls, on = Calls(kernel, process), program.on
    try:
        while used < limit:
            if process["out"] and not descriptors.flush(kernel, process):
                kernel.sleep(process)
                return used + 1
            event = _next(kernel, process)
            if event is None:
                kernel.sleep(process)
                return used + 1
            calls.ticks = EVENT_COST
            kernel.acts += 1
            process["mem"] = on(calls, process["mem"], event)
            used += calls.ticks
            if process["pending"]:
                return used
        return used
    except Exit as end:
        if process["out"]:
            process["kind"], process["status"] = "done", end.status
        else:
            processes.leave(kernel, process, end.status & 255)
    except Replaced:
        pass
    except FileError as error:
        calls.error(str(error))
        processes.leave(kernel, process, 1)
    return used + calls.ticks


def _next(kernel: Kernel, process: Record) -> list[Any] | None:
    """The next event, None when there is none yet."""
    if process["caught"]:
        return ["signal", process["caught"].pop(0)]
    if process["events"]:
        event: list[Any] = process["events"].pop(0)
        return event
    if process["fired"]:
        return ["timer", process["fired"].pop(0)]
    if process["dead"]:
        for _, pid, status, how in processes.reap(kernel, process, process["kids"]):
            if how != "stopped":
                process["events"].append(["exited", pid, status])
        if process["events"]:
            return _next(kernel, process)
    hot = process["hot"]
    while hot:
        found = _socket_event(kernel, process, hot)
        if found is not None:
            return found
    if process["asks"]:
        for fd in list(process["asks"]):
            found = _read(kernel, process, fd)
            if found is not None:
                process["asks"].remove(fd)
                return found
    if process["more"] and _all_taken(kernel, process):
        process["more"] = False
        return ["go"]
    return None


def _read(kernel: Kernel, process: Record, fd: int) -> list[Any] | None:
    desc = process["fds"].get(str(fd))
    if desc is None:
        return ["end", fd]
    try:
        text = descriptors.read(kernel, process, desc)
    except FileError as error:
        return ["failed", fd, error.reason]
    if text is None:
        return None
    return ["data", fd, text] if text else ["end", fd]


def _socket_event(kernel: Kernel, process: Record, hot: list[int]) -> list[Any] | None:
    """What the first of the hot sockets has to say; one that has said all is not hot any more."""
    fd = hot[0]
    desc = process["fds"].get(str(fd))
    if desc is None or desc[0] != "k":
        del hot[0]
        return None
    key = desc[1:]
    record = kernel.stream(key)
    kind = record["k"]
    if kind == "sock":
        del hot[0]
        if record["told"] or record["state"] not in ("open", "failed"):
            return _talk(kernel, record, key, fd)
        record["told"] = True
        if record["state"] == "failed":
            return ["failed", fd, record["error"]]
        if record["asked"]:
            hot.append(fd)
        return ["connected", fd]
    queue = record["queue"]
    if kind == "udp":
        if queue:
            return ["datagram", fd, *queue.pop(0)]
        del hot[0]
        return None
    while queue:
        sock = queue.pop(0)
        if sock not in kernel.io:
            continue
        accepted = kernel.stream(sock)
        accepted["refs"] = 1
        try:
            number = descriptors.place(kernel, process, "k" + sock)
        except FileError as error:
            return ["failed", fd, error.reason]
        accepted["watch"], accepted["told"] = [process["id"], number], True
        if not queue:
            del hot[0]
        return ["accepted", fd, number, accepted["ip"], accepted["port"]]
    del hot[0]
    return None


def _talk(kernel: Kernel, record: Record, key: str, fd: int) -> list[Any] | None:
    """News of an established connection."""
    if not record["asked"] or not (record["n"] or record["error"] or record["eof"]):
        return None
    record["asked"] = False
    try:
        text = sockets.read(kernel, key, SOCKET_WINDOW)
    except FileError as error:
        return ["failed", fd, record["error"] or error.reason]
    return ["data", fd, text] if text else ["end", fd]


def _all_taken(kernel: Kernel, process: Record) -> bool:
    taken = True
    for desc in process["fds"].values():
        if desc[0] == "k" and kernel.io[desc[1:]].get("m"):
            kernel.stream(desc[1:])["more"] = True
            taken = False
    return taken
