"""What processes may use: memory as the machine counts it, and the limits that ``ulimit`` sets (``setrlimit``).

A process uses what its program says of itself (``Program.memory``), and what it holds: variables, what its program's
state keeps, and ``state["memory"]``, bytes that a program only says it has. Pipes, sockets and files are not counted.

A process's ``limits`` maps ``ulimit``'s letter to a number in that letter's unit (``T``: the hard limit of ``t``); what
is not in it is unlimited. They are looked at where something is asked for (files, descriptors, processes) and when a
turn ends (memory, processor time).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.linux import descriptors, processes, signals
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.kernel import Kernel, Record

ENTRY = 16
"""Bytes that an entry of a table takes beside its text."""


def memory(process: Record) -> int:
    """Bytes that a process uses."""
    used: int = process["base"]
    for name, value in process.get("vars", {}).items():
        used += len(name) + len(value) + ENTRY
    held = process["mem"]
    for value in held.values():
        kind = type(value)
        if kind is str:
            used += len(value)
        elif kind is list or kind is dict:
            used += _size(value) if value else 0
        else:
            used += ENTRY
    declared: int = held.get("memory", 0)
    return used + declared


def _size(value: list[Any] | dict[str, Any]) -> int:
    """Of what lies directly in a list or a dict."""
    if isinstance(value, list):
        return sum(len(each) if isinstance(each, str) else ENTRY for each in value)
    return sum(ENTRY + (len(each) if isinstance(each, str | list) else 0) for each in value.values())


def check(kernel: Kernel, process: Record) -> None:
    """A turn is over: what has used too much is ended."""
    if process["state"] == "Z":
        return
    before, process["rss"] = process["rss"], memory(process)
    if process["limits"]:
        _own(kernel, process, process["limits"])
    if process["rss"] <= before:
        return
    root = process["who"]["root"]
    allowed = kernel.confined.get(root)
    if allowed is None:
        return
    members = [each for each in kernel.procs.values() if each["who"]["root"] == root and each["state"] != "Z"]
    if sum(each["rss"] or each["base"] for each in members) > allowed:
        # The kubelet sets memory.oom.group: all of the container's processes go together.
        kernel.host.out_of_memory(root)
        for each in members:
            signals.send(kernel, each["id"], "KILL", outside=True)


def _own(kernel: Kernel, process: Record, limits: dict[str, int]) -> None:
    seconds, kilobytes = limits.get("t"), limits.get("v")
    if seconds is not None and process["cpu"] > seconds * 1_000_000:
        hard = limits.get("T")
        final = hard is not None and process["cpu"] > hard * 1_000_000
        signals.send(kernel, process["id"], "KILL" if final else "XCPU", outside=True)
        process["limits"] = {**limits, "t": seconds + 1}  # it is told again a second later
    if kilobytes is None or process["rss"] <= kilobytes * 1024 or process["kind"] == "sh":
        return  # a shell says so itself
    name = process["argv"][0].rpartition("/")[2] if process["argv"] else ""
    busybox = process["who"]["flavour"] == "busybox"
    desc = process["fds"].get("2")
    if desc is not None:
        try:
            descriptors.put(
                kernel, process, desc, f"{name}: {'out of memory' if busybox else 'memory exhausted'}\n"
            )
        except FileError:
            process["out"] = []
    processes.leave(kernel, process, 1 if busybox else 2)
