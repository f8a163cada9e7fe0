"""Signals: their numbers, what they do by default, and how one reaches a process.

A signal only joins the list of what is pending; a process looks at it when its next turn begins.
"""

from __future__ import annotations

from cluster_engine.linux.kernel import Kernel

NUMBERS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10,
    "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17, "CONT": 18, "STOP": 19,
    "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28,
    "POLL": 29, "PWR": 30, "SYS": 31,
}  # fmt: skip
NAMES = {number: name for name, number in NUMBERS.items()}
STOPPING = ("STOP", "TSTP", "TTIN", "TTOU")
HARMLESS = ("CHLD", "CONT", "URG", "WINCH")
"""What is ignored unless somebody asks for it."""
TEXTS = {
    "HUP": "Hangup", "QUIT": "Quit", "ILL": "Illegal instruction", "TRAP": "Trace/breakpoint trap",
    "ABRT": "Aborted", "BUS": "Bus error", "FPE": "Floating point exception", "KILL": "Killed",
    "USR1": "User defined signal 1", "SEGV": "Segmentation fault", "USR2": "User defined signal 2",
    "ALRM": "Alarm clock", "TERM": "Terminated", "STKFLT": "Stack fault", "XCPU": "CPU time limit exceeded",
    "XFSZ": "File size limit exceeded", "VTALRM": "Virtual timer expired", "PROF": "Profiling timer expired",
    "POLL": "I/O possible", "PWR": "Power failure", "SYS": "Bad system call",
}  # fmt: skip
"""What a shell says of a child that died so; nothing of INT and PIPE."""


def name_of(text: str) -> str | None:
    """The signal that ``TERM``, ``SIGTERM``, ``term`` or ``15`` means; ``0`` and ``EXIT`` are themselves."""
    if text.isdecimal():
        number = int(text[:4])
        return "0" if number == 0 else NAMES.get(number)
    upper = text.upper()
    name = upper.removeprefix("SIG")
    if name in NUMBERS or name == "EXIT":
        return name
    return None


def send(kernel: Kernel, key: str, name: str, *, outside: bool = False) -> None:
    """Signal one process. ``outside``: from another pid namespace, where even pid 1 can be killed."""
    record = kernel.procs[key]
    if record["state"] == "Z":
        return
    caught = record["traps"].get(name, "-")
    ignored = caught == "" or (caught == "-" and name in HARMLESS)
    if record["pid"] == 1 and caught == "-" and name != "CONT" and name not in record.get("own", ()):
        ignored = not (outside and name in ("KILL", "STOP"))
    if ignored and name != "CONT":
        return
    record = kernel.process(key)
    if name == "CONT":
        record["pending"] = [each for each in record["pending"] if each not in STOPPING]
        if record["state"] == "T":
            record["state"] = "S"
            record["since"] = kernel.now
            kernel.wake(key, force=True)
        if ignored:
            return
    if name not in record["pending"]:
        record["pending"].append(name)
    if record["state"] == "T" and name == "KILL":
        record["state"] = "S"
    kernel.wake(key, force=True)


def send_group(kernel: Kernel, group: str, name: str) -> bool:
    """Signal every process of a group; whether there was one."""
    members = [key for key, each in kernel.procs.items() if each["group"] == group and each["state"] != "Z"]
    for key in members:
        send(kernel, key, name)
    return bool(members)
