"""A shell's children: making them, waiting for them, stopping and continuing them.

A job is ``{"n", "ids": [of its processes], "ends": {id: [status, how]}, "pid": of the last, "text",
"state": "Running" | "Stopped" | "Done", "told": bool}``; jobs are replaced, never changed.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.linux import processes, signals, terminals
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.kernel import Record
from cluster_engine.linux.sh.errors import ShellError
from cluster_engine.linux.sh.shell import CHARGED, WAIT, Shell

Job = dict[str, Any]

MAX_DONE = 64
"""Finished jobs that nobody has asked for and that a shell remembers."""


def fork(sh: Shell, pc: int, fds: dict[str, str] | None = None) -> Record:
    """A child that goes on at ``pc`` of the same code. Raises ShellError (too many processes)."""
    process = sh.p
    process["status"] = sh.status
    try:
        child = processes.fork(sh.kernel, process)
    except FileError as error:
        raise ShellError(f"can't fork: {error.reason}") from None
    child["pc"], child["stack"], child["call"], child["saved"] = pc, [], None, None
    child["traps"] = {name: "" for name, action in process["traps"].items() if action == ""}
    child["jobs"], child["ended"] = [], {}
    child["opts"] = {name: 1 for name in process["opts"] if name not in ("i", "m", "s")}
    child["input"], child["mark"], child["own"] = "", None, []
    return child


def group(sh: Shell, child: Record, leader: Record | None, foreground: bool) -> None:
    """With job control a job's processes form a group; the foreground one has the terminal."""
    process = sh.p
    if "m" not in process["opts"]:
        return
    child["group"] = (leader or child)["id"]
    if foreground and process["tty"] and leader is None:
        terminals.set_foreground(sh.kernel, process["tty"], child["group"])


def wait_for(sh: Shell, ids: list[str], text: str, here: int) -> int:
    """The shell waits for children in the foreground."""
    sh.p["call"] = ["fg", ids, text]
    sh.kernel.sleep(sh.p)
    sh.next = here
    return WAIT


def note(sh: Shell) -> None:
    """Look at what happened to the children."""
    process = sh.p
    known: dict[str, Any] = process["ended"]
    jobs: list[Job] = process["jobs"]
    call = process["call"]
    waited = call[1] if call is not None and call[0] in ("fg", "sub") else []
    if not jobs and len(process["dead"]) == 1 and waited == process["children"]:
        key, _, status, how = process["dead"][0]
        if how != "stopped":
            process["dead"], process["children"] = [], []
            known[key] = [status, how]
            sh.kernel.forget(key)
            return
    for key, _, status, how in processes.reap(sh.kernel, process):
        if how == "stopped" and "m" not in process["opts"]:
            continue  # without job control nobody asks for it
        if key in waited:
            known[key] = [status, how]
        for index, job in enumerate(jobs):
            if key in job["ids"]:
                jobs[index] = _with_end(job, key, status, how)
                break
    if len(jobs) <= MAX_DONE:
        return
    done = [job for job in jobs if job["state"] == "Done"]
    if len(done) > MAX_DONE:
        process["jobs"] = [job for job in jobs if job is not done[0]]


def _with_end(job: Job, key: str, status: int, how: str) -> Job:
    ends = {**job["ends"], key: [status, how]}
    state = "Running"
    if all(each in ends for each in job["ids"]):
        state = "Stopped" if any(end[1] == "stopped" for end in ends.values()) else "Done"
    return {**job, "ends": ends, "state": state, "told": job["told"] and state == job["state"]}


def add(sh: Shell, ids: list[str], pid: int, text: str, ends: dict[str, Any] | None = None) -> Job:
    """A new background or stopped job."""
    jobs: list[Job] = sh.p["jobs"]
    number = 1 + max((job["n"] for job in jobs), default=0)
    job = {
        "n": number, "ids": ids, "ends": ends or {}, "pid": pid, "text": text,
        "state": "Stopped" if ends else "Running", "told": bool(ends),
    }  # fmt: skip
    jobs.append(job)
    return job


def remove(sh: Shell, number: int) -> None:
    sh.p["jobs"] = [job for job in sh.p["jobs"] if job["n"] != number]


def find(sh: Shell, text: str) -> Job | None:
    """The job that ``%1``, ``%%``, ``%+``, ``%-``, ``%name`` means, or that has this pid."""
    jobs: list[Job] = sh.p["jobs"]
    if not text.startswith("%"):
        for job in jobs:
            if text.isdecimal() and job["pid"] == int(text[:9]):
                return job
        return None
    name = text[1:]
    if name in ("", "%", "+"):
        stopped = [job for job in jobs if job["state"] == "Stopped"]
        current = stopped or jobs
        return current[-1] if current else None
    if name == "-":
        return jobs[-2] if len(jobs) > 1 else None
    if name.isdecimal():
        return next((job for job in jobs if job["n"] == int(name[:9])), None)
    return next((job for job in jobs if job["text"].startswith(name)), None)


def status_of(job: Job) -> int:
    """The exit status of a finished job: that of its last process."""
    end: list[Any] = job["ends"].get(job["ids"][-1], [0, "exited"])
    status: int = end[0]
    return status


_STOPS = {19: " (signal)", 21: " (tty input)", 22: " (tty output)"}


def described(job: Job, current: str) -> str:
    """One line of ``jobs``, as busybox prints it."""
    state = job["state"]
    if state == "Done":
        status, how = job["ends"].get(job["ids"][-1], [0, "exited"])
        if how != "exited":
            state = signals.TEXTS.get(how, how)
        elif status:
            state = f"Done({status})"
    elif state == "Stopped":
        status = next(end[0] for end in job["ends"].values() if end[1] == "stopped")
        state += _STOPS.get(status - 128, "")
    return f"[{job['n']}]{current}  {state:<27}{job['text']}\n"


def mark(sh: Shell, job: Job) -> str:
    """``+`` for the current job, ``-`` for the one before."""
    jobs = sh.p["jobs"]
    if job is find(sh, "%%"):
        return "+"
    others = [each for each in jobs if each is not find(sh, "%%")]
    return "-" if others and others[-1] is job else " "


def tell(sh: Shell) -> None:
    """Before a prompt: what happened to jobs since the last one."""
    for job in list(sh.p["jobs"]):
        if job["told"] or job["state"] == "Running":
            continue
        sh.write(sh.p["fds"], 2, described(job, mark(sh, job)))
        if job["state"] == "Done":
            remove(sh, job["n"])
        else:
            tell_off(sh, job["n"])


def tell_off(sh: Shell, number: int) -> None:
    """The user knows of it."""
    for index, job in enumerate(sh.p["jobs"]):
        if job["n"] == number:
            sh.p["jobs"][index] = {**job, "told": True}


def finished(sh: Shell, here: int) -> int | None:
    """Are the foreground's children done? Their status then, else None (and the shell sleeps on)."""
    process = sh.p
    _, ids, text = process["call"]
    ended = process["ended"]
    if len(ids) == 1 and not process["opts"] and ended.get(ids[0], "-")[1:] == ["exited"]:
        process["call"] = None
        return int(ended.pop(ids[0])[0])
    for key in ids:
        if key not in ended:
            sh.kernel.sleep(process)
            sh.next = here
            return None
    ends = {key: ended.pop(key) for key in ids}
    process["call"] = None
    if process["tty"] and "m" in process["opts"]:
        terminals.set_foreground(sh.kernel, process["tty"], process["group"])
    status, how = ends[ids[-1]]
    if any(end[1] == "stopped" for end in ends.values()):
        pid = _pid(sh, ids[-1])
        job = add(sh, ids, pid, text, ends)
        sh.write(process["fds"], 2, described(job, "+"))
        return int(next(end[0] for end in ends.values() if end[1] == "stopped"))
    if "pipefail" in process["opts"]:
        status = next((ends[key][0] for key in reversed(ids) if ends[key][0]), 0)
    if how == "INT" and "i" in process["opts"]:
        if process["traps"].get("INT"):
            process["caught"].append("INT")
        else:
            process["drop"] = True
    mourn(sh, how)
    return int(status)


def _pid(sh: Shell, key: str) -> int:
    record = sh.kernel.procs.get(key)
    return record["pid"] if record is not None else 0


def mourn(sh: Shell, how: str) -> None:
    """Say of what signal a child died."""
    if how in signals.TEXTS:
        try:
            sh.write(sh.p["fds"], 2, signals.TEXTS[how] + "\n")
        except FileError:
            sh.status = 1


def signal(sh: Shell, job: Job, name: str) -> None:
    """Signal a job: its group, if it has one of its own. A stopped one goes on, to die of it."""
    sh.kernel.acts += 1
    for sent in (name, "CONT") if job["state"] == "Stopped" and name not in signals.STOPPING else (name,):
        leader = sh.kernel.procs.get(job["ids"][0])
        if "m" in sh.p["opts"] and leader is not None:
            signals.send_group(sh.kernel, leader["group"], sent)
            continue
        for key in job["ids"]:
            if key in sh.kernel.procs:
                signals.send(sh.kernel, key, sent)


def resume(sh: Shell, job: Job, foreground: bool, here: int) -> int:
    """``fg`` and ``bg``: let a job go on."""
    process = sh.p
    remaining = [key for key in job["ids"] if job["ends"].get(key, ["", "stopped"])[1] == "stopped"]
    ends = {key: end for key, end in job["ends"].items() if end[1] != "stopped"}
    if foreground:
        remove(sh, job["n"])
        leader = sh.kernel.procs.get(remaining[0]) if remaining else None
        if process["tty"] and leader is not None:
            terminals.set_foreground(sh.kernel, process["tty"], leader["group"])
        process["ended"] = {**process["ended"], **ends}
        process["call"] = ["fg", job["ids"], job["text"]]
    else:
        index = next(index for index, each in enumerate(process["jobs"]) if each["n"] == job["n"])
        process["jobs"][index] = {**job, "ends": ends, "state": "Running", "told": False}
    for key in remaining:
        if key in sh.kernel.procs:
            signals.send(sh.kernel, key, "CONT")
    if foreground:
        sh.kernel.sleep(process)
        sh.next = here
        return WAIT
    return CHARGED
