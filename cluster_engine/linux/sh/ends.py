"""How commands, texts and shells end."""

from __future__ import annotations

from typing import Any

from cluster_engine.linux import processes
from cluster_engine.linux.sh.base import Back
from cluster_engine.linux.sh.errors import ParseError
from cluster_engine.linux.sh.shell import CHARGED, GONE, SWITCH, Shell


def leave(sh: Shell, status: int) -> int:
    """The shell ends, after its EXIT trap."""
    process = sh.p
    action = process["traps"].get("EXIT")
    if action:
        process["traps"] = {name: each for name, each in process["traps"].items() if name != "EXIT"}
        sh.unwind_all()
        sh.stack.append(["X", status])
        process["call"], process["noexit"], process["saved"] = None, False, None
        sh.status = status
        try:
            sh.trap(action, 0)
        except ParseError as error:
            sh.say(str(error))
            return _end(sh, status)
        return SWITCH
    return _end(sh, status)


def warned(sh: Shell) -> bool:
    """An interactive shell with stopped jobs says so first, and ends the next time."""
    process = sh.p
    stopped = "m" in process["opts"] and any(job["state"] == "Stopped" for job in process["jobs"])
    if not stopped or process["told"]:
        return False
    process["told"] = True
    sh.write(process["fds"], 2, "You have stopped jobs.\n")
    return True


def _end(sh: Shell, status: int) -> int:
    process = sh.p
    if process["out"]:
        process["kind"], process["status"] = "done", status
    else:
        processes.leave(sh.kernel, process, status & 255)
    return GONE


def done(sh: Shell, status: int, nxt: int, checked: bool) -> int:
    """A command has ended: go on, unless ``set -e`` ends the shell here."""
    sh.status = status
    sh.next = nxt
    if status and checked and "e" in sh.p["opts"] and not sh.p["noexit"]:
        return leave(sh, status)
    return CHARGED


def finish(sh: Shell, status: int, back: Back) -> int:
    """A control command has ended: its redirections and assignments with it."""
    process = sh.p
    process["call"] = None
    saved = process["saved"]
    if saved:
        sh.restore_locals(saved)
        process["saved"] = None
    sh.pop_auto()
    return done(sh, status, back[1], back[2])


def back_from(sh: Shell, frame: list[Any]) -> int:
    """Leave a function, text or trap whose frame has just been popped."""
    goal = sh.pop_code(frame)
    below = sh.stack[-1] if sh.stack else None
    if isinstance(below, list) and below[0] == "X":
        return _end(sh, below[1])
    if sh.status and frame[0] != "T" and frame[-1] and "e" in sh.p["opts"] and not sh.p["noexit"]:
        return leave(sh, sh.status)
    return goal


def returned(sh: Shell) -> int:
    """The end of a function or of a text: go back to where it was called."""
    stack = sh.stack
    while stack:
        frame = stack.pop()
        if isinstance(frame, list):
            if frame[0] in "CET":
                return back_from(sh, frame)
            if frame[0] == "X":
                return _end(sh, frame[1])
            if frame[0] == "R":
                sh.restore(frame)
    return leave(sh, sh.status)
