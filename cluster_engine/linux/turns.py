"""Whose turn it is: runs what is ready, quantum by quantum, and charges it."""

from __future__ import annotations

from cluster_engine.linux import budgets, descriptors, filters, pipes, processes, servers, signals
from cluster_engine.linux.kernel import Kernel, Record
from cluster_engine.linux.limits import QUANTUM
from cluster_engine.linux.sh import interpreter


def run(kernel: Kernel, now: int, budget: int) -> int | None:
    """As ``Machine.run``."""
    if now < kernel.now:
        now = kernel.now
    if not kernel.ready and (not kernel.timers or kernel.timers[0][0] > now):
        kernel.now = now
        return kernel.due()
    kernel.touch()
    kernel.top["now"] = kernel.now = now
    if kernel.timers:
        processes.fire(kernel)
    ready, procs = kernel.ready, kernel.procs
    given = budget
    while ready and budget > 0:
        key = ready[0]
        if key not in procs or procs[key]["state"] != "R":
            del ready[0]
            continue
        process = kernel.process(key)
        if process["woken"]:
            kernel.save_up(process)
        if process["pending"] and not _signals(kernel, process):
            del ready[0]
            processes.settle(kernel, process)
            continue
        # A trap is let in at once, but one that signals itself again and again has no more than others.
        if process["tokens"] <= (-QUANTUM if process["caught"] else 0) and not process["q"]:
            del ready[0]
            kernel.hold(process)
            continue
        if kernel.bandwidth and not process["q"] and not kernel.admit(process):
            del ready[0]
            continue
        left = process["q"] or (QUANTUM if not 0 < process["tokens"] < QUANTUM else process["tokens"])
        used = _slice(kernel, process, left if left < budget else budget)
        budget -= used
        spent = process["spent"] + used
        if process["state"] == "R" and used < left and not process["pending"]:
            process["spent"], process["q"] = spent, left - used
            continue
        process["spent"] = process["q"] = 0
        process["tokens"] -= spent
        process["cpu"] += spent
        del ready[0]
        if kernel.bandwidth:
            kernel.charge(process, spent)
        if process["limits"] or (kernel.confined and process["who"]["root"] in kernel.confined):
            budgets.check(kernel, process)
        state = process["state"]
        if state == "Z":
            processes.settle(kernel, process)
            continue
        if state == "S" and process["pending"]:
            state = process["state"] = "R"
        if state == "R" and not (process["kind"] == "sh" and interpreter.park(kernel, process)):
            ready.append(key)
    kernel.top["totals"]["steps"] += given - budget
    return kernel.due()


def _slice(kernel: Kernel, process: Record, limit: int) -> int:
    kind = process["kind"]
    try:
        if kind == "sh":
            return interpreter.step(kernel, process, limit)
        if kind == "pause":
            return processes.pause(kernel, process)
        if kind == "done":
            if not descriptors.flush(kernel, process):
                kernel.sleep(process)
                return 1
            return servers.finish(kernel, process)
        program = kernel.programs(process["program"])
        if program is None:
            processes.leave(kernel, process, 127)
            return 1
        if kind == "on":
            return servers.step(kernel, process, program, limit)
        if kind == "filter":
            return filters.step(kernel, process, program, limit)
        return servers.run_once(kernel, process, program)
    except pipes.Broken as error:
        processes.leave(kernel, process, 128 + signals.NUMBERS[error.signal], error.signal)
        return 1
    except Exception as error:  # a fault boundary: a bug costs one process
        if process["state"] == "Z" or not kernel.host.faulted(process.get("program", ""), error):
            raise
        processes.leave(kernel, process, 128 + signals.NUMBERS["SEGV"], "SEGV")
        return 1


def _signals(kernel: Kernel, process: Record) -> bool:
    """Let the pending signals act; whether the process still runs."""
    pending, process["pending"] = process["pending"], []
    if "KILL" in pending:
        pending = ["KILL"]
    for number, name in enumerate(pending):
        if name in process["traps"]:
            if process["traps"][name] != "" and name not in process["caught"]:
                process["caught"].append(name)
        elif name in signals.STOPPING:
            process["pending"] = pending[number + 1 :]  # they wait for CONT
            processes.stop(kernel, process, name)
            return False
        elif process["kind"] == "sh" and interpreter.survives(process, name):
            continue
        elif name not in signals.HARMLESS:
            processes.leave(kernel, process, 128 + signals.NUMBERS[name], name)
            return False
    return True
