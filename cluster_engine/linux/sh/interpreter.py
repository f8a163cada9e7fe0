"""Steps a shell: begins it, lets signals and children in where they may come, runs its bound instructions."""

from __future__ import annotations

from typing import Any

from cluster_engine.linux import descriptors
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.kernel import Kernel, Record
from cluster_engine.linux.program import Program
from cluster_engine.linux.sh import ends, jobs
from cluster_engine.linux.sh.bind import bound
from cluster_engine.linux.sh.errors import ParseError, ShellError
from cluster_engine.linux.sh.prompt import READ, READ_CODE
from cluster_engine.linux.sh.shell import CHARGED, GONE, SWITCH, WAIT, Shell
from cluster_engine.linux.sh.start import begin
from cluster_engine.linux.signals import NUMBERS

SHELL = Program(
    "sh", "the command shell", "sh [-c command] [file [argument …]]", shell=True, memory=768 * 1024
)


def survives(process: Record, name: str) -> bool:
    """Does the shell live on although nothing traps this signal? It notes an interrupt."""
    mine = name in process.get("own", ())
    if mine and name == "INT":
        process["drop"] = True
    return mine


def step(kernel: Kernel, process: Record, limit: int) -> int:
    """Run for about ``limit`` steps; the steps taken."""
    if process["out"] and not descriptors.flush(kernel, process):
        kernel.sleep(process)
        return 1
    acts = kernel.acts
    if process.get("boot"):
        sh, pc = begin(kernel, process)
        if pc == GONE:
            return 1
    else:
        sh = Shell(kernel, process)
        pc = process["pc"]
    if process["dead"]:
        jobs.note(sh)
    left = limit
    while True:
        try:
            pc, left = _run(sh, pc, left)
            break
        except ShellError as error:
            pc = _fail(sh, error)
        except FileError as error:
            pc = _fail(sh, ShellError(str(error), 1))
        left -= 1 + sh.extra
        sh.extra = 0
        if pc == GONE:
            break
        pc = sh.next
    if kernel.acts != acts and "mark" in process:
        process["mark"] = None
    return limit - left


def _run(sh: Shell, pc: int, left: int) -> tuple[int, int]:
    process = sh.p
    if process["drop"] or process["caught"]:
        pc = _let_in(sh, pc)
    ops = bound(process["code"], sh.kernel.codes)
    left -= sh.extra
    sh.extra = 0
    while left > 0:
        pc = ops[pc](sh)
        left -= 1
        if sh.extra:  # paid at once: a turn ends at the same instruction wherever the host cuts it
            left -= sh.extra
            sh.extra = 0
        if pc >= 0:
            continue
        if pc == GONE:
            return pc, left
        if pc == SWITCH:
            ops = bound(process["code"], sh.kernel.codes)
        pc, waits = sh.next, pc == WAIT
        if process["drop"] or (process["caught"] and process["call"] is None):
            before = pc
            pc = _let_in(sh, pc)
            left -= sh.extra
            sh.extra = 0
            if pc != before or sh.stack:
                ops = bound(process["code"], sh.kernel.codes)
            waits = waits and pc == before
        if waits:
            break
        if process["out"]:
            sh.kernel.sleep(process)
            break
        if process["pending"]:
            break
    process["pc"], process["status"] = pc, sh.status
    return pc, left


def _let_in(sh: Shell, pc: int) -> int:
    """An interrupt at the prompt, or a trap: where to go on."""
    process = sh.p
    if process["drop"]:
        process["drop"] = False
        if "i" in process["opts"]:
            if process["call"] is not None and process["call"][0] == "fg":
                return pc
            sh.status = 130
            sh.write(process["fds"], 2, "\n")
            return drop_line(sh)
    call = process["call"]
    if not process["caught"] or (call is not None and call[0] not in ("wait", "read", "input")):
        return pc
    name = process["caught"].pop(0)
    action = process["traps"].get(name)
    if not action:
        return pc
    if call is not None and call[0] != "input":
        process["call"] = ["broken", 128 + NUMBERS[name]]
    if process["state"] == "S":
        process["state"] = "R"
        sh.kernel.ready.append(process["id"])
    sh.deeper()  # a trap that is trapped
    try:
        sh.trap(action, pc)
    except ParseError as error:
        sh.say(str(error))
        return pc
    return sh.next


def drop_line(sh: Shell) -> int:
    """An interactive shell forgets what it was doing and reads the next line."""
    process = sh.p
    sh.unwind_all()
    process["call"], process["saved"], process["noexit"], process["res"] = None, None, False, {}
    process["input"], process["code"] = "", READ
    sh.kernel.keep_code(READ, READ_CODE)
    sh.next = 0
    return 0


def _fail(sh: Shell, error: ShellError) -> int:
    """A command line cannot go on: an interactive shell reads the next, any other ends."""
    sh.say(str(error))
    sh.status = error.status
    if "i" in sh.p["opts"]:
        drop_line(sh)
        return CHARGED
    return ends.leave(sh, error.status)


def park(kernel: Kernel, process: Record) -> bool:
    """At the end of a quantum: a shell that comes back to a state it was in, without having done anything to its
    surroundings since, will do so for ever. It is held until a signal comes, and only metered. Whether it was parked.

    Brent's search: the state compared with is renewed after 1, 2, 4 … quanta.
    """
    if "t" in process["limits"] or "code" not in process:
        return False  # it is metered to its end, or has not begun yet
    now: list[Any] = [
        process["code"], process["pc"], process["status"], dict(process["vars"]), list(process["stack"]),
        process["args"], dict(process["res"]), process["noexit"],
    ]  # fmt: skip
    mark = process["mark"]
    if mark is None:
        process["mark"] = [0, 1, now]
        return False
    count, power, then = mark
    if then == now:
        process["mark"] = None
        process["state"], process["since"] = "S", kernel.now
        kernel.set_held(process, True)
        return True
    count += 1
    process["mark"] = [0, power * 2, now] if count >= power else [count, power, then]
    return False
