"""Processes: how they begin, become another program, and end.

A record of the table ``procs`` holds, whatever runs in it:

``id`` machine-wide, ``pid`` in its namespace, ``parent`` (id or ""),
``who`` {root, ns, uid, gid, groups, tag, flavour},
``argv env cwd umask fds``, ``group sid tty``, ``children dead`` (ends not yet looked at: [id, pid, status, how]),
``state`` R S T Z, ``pending traps caught``, ``out`` (not yet written), ``fired hot`` (timers and sockets with news),
``tokens period spent woken held since q`` (processor time), ``cpu started``,
``base rss limits`` (``budgets.py``), ``host session`` (who is told of its end),
``kind`` sh filter on run pause, ``program``, ``mem`` (its memory). A shell adds its own fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_engine.linux import descriptors, signals
from cluster_engine.linux.errors import DENIED, NO_ENTRY, NO_PROCESS, FileError
from cluster_engine.linux.files.tree import content, program_of
from cluster_engine.linux.kernel import Kernel, Record, copied_process
from cluster_engine.linux.limits import EXEC_COST, FORK_COST, WAKE_COST
from cluster_engine.linux.program import Program

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BLANK: Record = {
    "id": "", "pid": 0, "parent": "", "who": {}, "argv": [], "env": {}, "cwd": "/", "umask": 0o022, "fds": {},
    "group": "", "sid": "", "tty": "", "children": [], "dead": [], "state": "R", "pending": [], "traps": {},
    "caught": [], "out": [], "fired": [], "hot": [], "tokens": 0, "period": 0, "spent": 0, "woken": "", "held": False,
    "since": 0, "q": 0, "cpu": 0, "started": 0, "host": False, "session": "", "base": 0, "rss": 0, "limits": {},
}  # fmt: skip
"""What all processes have. It is copied, and what is changed in place is made anew (a literal costs twice as much)."""
MAX_SCRIPT_LINKS = 4
"""Scripts whose interpreter is a script."""


def blank(kernel: Kernel, who: Record, parent: Record | None) -> Record:
    """A record of nothing yet, in its parent's place and group. Raises FileError when there are too many processes."""
    if _full(kernel, parent):
        raise FileError("Resource temporarily unavailable")
    key = kernel.fresh()
    kernel.top["totals"]["started"] += 1
    record = _BLANK.copy()
    record["id"], record["pid"], record["who"] = key, next_pid(kernel, who["ns"], key), who
    if parent is None:
        record["group"] = record["sid"] = key
    else:
        record["parent"], record["cwd"], record["umask"] = parent["id"], parent["cwd"], parent["umask"]
        record["group"], record["sid"], record["tty"] = parent["group"], parent["sid"], parent["tty"]
        record["limits"] = parent["limits"]
    record["fds"] = {}
    record["children"], record["dead"], record["pending"], record["caught"] = [], [], [], []
    record["out"], record["fired"], record["hot"] = [], [], []
    record["tokens"], record["since"], record["started"] = kernel.burst(record), kernel.now, kernel.now
    kernel.add_process(key, record)
    return record


def _full(kernel: Kernel, parent: Record | None) -> bool:
    """May there be no further process?"""
    if len(kernel.procs) >= kernel.limits.processes:
        return True
    if parent is None or "u" not in parent["limits"] or (uid := parent["who"]["uid"]) == 0:
        return False
    return len([1 for each in kernel.procs.values() if each["who"]["uid"] == uid]) >= int(
        parent["limits"]["u"]
    )


def next_pid(kernel: Kernel, name: str, key: str) -> int:
    """The next number of a pid namespace; the first process is its init."""
    spaces = kernel.top["namespaces"]
    space = spaces.get(name)
    if space is None or space["init"] not in kernel.procs:
        space = {**(space or {}), "next": (space or {}).get("first", 1), "init": key}
    number: int = space["next"]
    spaces[name] = {**space, "next": number + 1}
    return number


def _share(parent: Record, child: Record) -> None:
    """Half of what a parent has saved up goes to the child; at its end what is left comes back."""
    half = parent["tokens"] // 2 if parent["tokens"] > 0 else 0
    child["tokens"] = half
    parent["tokens"] -= half + FORK_COST
    child["period"] = parent["period"]


def fork(kernel: Kernel, parent: Record) -> Record:
    """A copy of a process, which its maker still has to set going. Raises FileError."""
    if _full(kernel, parent):
        raise FileError("Resource temporarily unavailable")
    kernel.acts += 1
    kernel.top["totals"]["started"] += 1
    child = copied_process(parent)
    key = kernel.fresh()
    child["id"], child["pid"] = key, next_pid(kernel, parent["who"]["ns"], key)
    child["parent"] = parent["id"]
    child["children"], child["dead"], child["pending"], child["caught"] = [], [], [], []
    child["out"], child["fired"], child["hot"] = [], [], []
    child["state"], child["held"], child["q"], child["cpu"] = "R", False, 0, 0
    child["spent"], child["woken"] = 0, ""
    child["since"] = child["started"] = kernel.now
    child["host"], child["session"] = False, ""
    for desc in child["fds"].values():
        if desc[0] in descriptors.COUNTED:
            descriptors.retain(kernel, desc)
    _share(parent, child)
    parent["children"].append(key)
    kernel.add_process(key, child)
    kernel.ready.append(key)
    return child


def child_of(kernel: Kernel, parent: Record, fds: Mapping[str, str]) -> Record:
    """A child that is to become another program at once: nothing of the parent's memory is copied."""
    child = blank(kernel, parent["who"], parent)
    kernel.acts += 1
    if parent["traps"]:
        child["traps"] = {name: "" for name, action in parent["traps"].items() if action == ""}
    child["fds"] = dict(fds)
    for desc in fds.values():
        if desc[0] in descriptors.COUNTED:
            descriptors.retain(kernel, desc)
    _share(parent, child)
    parent["children"].append(child["id"])
    return child


# --- programs --------------------------------------------------------------------------------------


def find(kernel: Kernel, process: Record, name: str, path: str | None) -> str:
    """Where a program lies. Raises FileError (not found, permission denied)."""
    files = kernel.files(process)
    if "/" in name:
        files.executable(name)
        return name
    if not name:
        raise FileError(NO_ENTRY)
    denied = False
    for directory in (DEFAULT_PATH if path is None else path).split(":"):
        full = f"{directory.rstrip('/')}/{name}" if directory else f"./{name}"
        try:
            files.executable(full)
        except FileError as error:
            denied = denied or error.reason == DENIED
            continue
        return full
    raise FileError(DENIED if denied else NO_ENTRY)


def load(kernel: Kernel, process: Record, full: str, argv: list[str]) -> tuple[Program, list[str]]:
    """The program at a path, and its arguments (a script's interpreter comes first). Raises FileError."""
    known = kernel.remembered(process, full)
    if known is not None:
        return known, argv
    files = kernel.files(process)
    for _ in range(MAX_SCRIPT_LINKS):
        node = files.executable(full)
        name = program_of(node)
        if name is not None:
            program = kernel.programs(name)
            if program is None:
                raise FileError("Exec format error")
            kernel.remember(process, full, program)
            return program, argv
        first = content(node)[:256].partition("\n")[0]
        if not first.startswith("#!"):
            if "\0" in first:
                raise FileError("Exec format error")
            program = kernel.programs("sh")
            if program is None:
                raise FileError("Exec format error")
            return program, ["sh", full, *argv[1:]]
        words = first[2:].strip().split(None, 1)
        if not words:
            raise FileError("Exec format error")
        interpreter = words[0]
        argv = [*words, full, *argv[1:]]
        full = interpreter
    raise FileError("Too many levels of symbolic links")


def become(kernel: Kernel, process: Record, program: Program, argv: list[str], env: dict[str, str]) -> None:
    """The process runs a program from its start. It keeps what a process keeps over ``execve``."""
    if len(process) > len(_BLANK):
        for key in [key for key in process if key not in _BLANK]:
            del process[key]
        process["caught"], process["fired"], process["hot"] = [], [], []
    process["argv"], process["env"] = argv.copy(), env
    if process["traps"]:
        process["traps"] = {name: "" for name, action in process["traps"].items() if action == ""}
    process["tokens"] -= EXEC_COST
    process["program"] = program.name
    process["mem"] = {}
    process["base"], process["rss"] = program.memory, 0
    if program.shell:
        process["kind"] = "sh"
        process["boot"] = True
    elif program.filter is not None:
        process["kind"] = "filter"
    elif program.on is not None:
        process["kind"] = "on"
        process.update(events=[["start", list(argv)]], asks=[], more=False, kids=[])
    else:
        process["kind"] = "run"
        wait = program.pause(argv) if program.pause is not None else None
        if wait is not None:
            process["kind"], process["mem"] = "pause", {"wait": wait}


def start(kernel: Kernel, process: Record, program: Program, argv: list[str], env: dict[str, str]) -> None:
    """A child begins to run a program; one that only waits does so at once."""
    become(kernel, process, program, argv, env)
    if process["kind"] == "pause":
        pause(kernel, process)
    else:
        kernel.ready.append(process["id"])


def execute(kernel: Kernel, process: Record, argv: list[str], env: dict[str, str]) -> None:
    """As ``execvpe``. Raises FileError."""
    full = find(kernel, process, argv[0] if argv else "", env.get("PATH"))
    program, argv = load(kernel, process, full, argv)
    become(kernel, process, program, argv, env)


# --- time ------------------------------------------------------------------------------------------


def fire(kernel: Kernel) -> None:
    """Everything that is due now."""
    timers, now = kernel.timers, kernel.now
    while timers and timers[0][0] <= now:
        _, number, key, what = timers.pop(0)
        if what == "period":
            kernel.next_period(key)
            continue
        if key not in kernel.procs:
            continue
        record = kernel.process(key)
        if what == "held":
            if record["held"]:
                kernel.relieve(record)
            continue
        record["tokens"] -= WAKE_COST
        if record["kind"] == "pause" and record["state"] == "S" and not record["held"]:
            kernel.save_up(record)
            _gone(kernel, record, 0, "exited")
            settle(kernel, record)
            continue
        record["fired"].append(number)
        kernel.wake(key, outside=True)


def pause(kernel: Kernel, process: Record) -> int:
    """A process that only waits begins to, or goes on after a signal that did nothing, or ends; the steps it took."""
    if process["fired"]:
        leave(kernel, process, 0)
        return 1
    if process["mem"]:
        kernel.timer(process["id"], process["mem"]["wait"], "pause")
        process["mem"] = {}
    kernel.sleep(process)
    return 1


# --- ends ------------------------------------------------------------------------------------------


def close_all(kernel: Kernel, process: Record) -> None:
    fds, process["fds"] = process["fds"], {}
    for desc in fds.values():
        if desc[0] in descriptors.COUNTED:
            descriptors.release(kernel, desc)
    if process["out"]:
        for desc, _ in process["out"]:
            descriptors.release(kernel, desc)
        process["out"] = []


def leave(kernel: Kernel, process: Record, status: int, how: str = "exited") -> None:
    """The process ends: ``how`` is ``exited`` or the name of the signal that killed it."""
    if kernel.timers:
        kernel.drop_timers(process["id"])
    kernel.set_held(process, False)
    _gone(kernel, process, status, how)


def _gone(kernel: Kernel, process: Record, status: int, how: str) -> None:
    key = process["id"]
    kernel.acts += 1
    close_all(kernel, process)
    if kernel.top["calls"]:
        _drop_calls(kernel, key)
    process["state"] = "Z"
    if process["pid"] == 1:
        for other, record in list(kernel.procs.items()):
            if other != key and record["who"]["ns"] == process["who"]["ns"]:
                signals.send(kernel, other, "KILL", outside=True)
    if process["tty"]:
        _leave_terminal(kernel, process)
    if process["children"]:
        init = kernel.top["namespaces"][process["who"]["ns"]]["init"]
        for child in process["children"]:
            _adopt(kernel, child, init if init != key and init in kernel.procs else "")
        process["children"] = []
    if process["session"]:
        kernel.host.ended(process["session"], status)
        kernel.top["sessions"].pop(process["session"], None)
    if process["host"]:
        kernel.host.exited(int(key), status)
    parent = process["parent"]
    if parent in kernel.procs:
        kernel.process(parent)["dead"].append([key, process["pid"], status, how])
        kernel.wake(parent)
    else:
        kernel.forget(key)


def _drop_calls(kernel: Kernel, key: str) -> None:
    calls = kernel.top["calls"]
    for call in [call for call, each in calls.items() if each["process"] == key and each["what"] == "call"]:
        del calls[call]
        kernel.host.drop(call)


def settle(kernel: Kernel, process: Record) -> None:
    """After its last turn: what a process has left of its processor time goes to its parent, or what it owes."""
    if process["cpu"] and process["state"] == "Z":
        used, root = kernel.top["used"], process["who"]["root"]
        used[root] = used.get(root, 0) + process["cpu"]
    if process["state"] != "Z" or process["parent"] not in kernel.procs:
        return
    parent = kernel.process(process["parent"])
    burst = kernel.limits.burst if not kernel.bandwidth else kernel.burst(parent)
    tokens = parent["tokens"] + process["tokens"]
    parent["tokens"] = tokens if tokens < burst else burst
    parent["period"] = 0 if tokens > burst // 2 else max(parent["period"], process["period"])


def _leave_terminal(kernel: Kernel, process: Record) -> None:
    name = process["tty"]
    tty = kernel.top["ttys"].get(name)
    if tty is None or tty["leader"] != process["id"]:
        return
    tty = kernel.entry("ttys", name)
    tty["leader"] = ""
    if tty["fg"] and tty["fg"] != process["group"]:
        signals.send_group(kernel, tty["fg"], "HUP")


def _adopt(kernel: Kernel, key: str, init: str) -> None:
    """An orphan goes to the namespace's first process."""
    if key not in kernel.procs:
        return
    orphan = kernel.process(key)
    orphan["parent"] = init
    if init:
        guardian = kernel.process(init)
        guardian["children"].append(key)
        if orphan["state"] == "Z":
            guardian["dead"].append([key, orphan["pid"], 0, "exited"])
            kernel.wake(init)
    elif orphan["state"] == "Z":
        kernel.forget(key)


def stop(kernel: Kernel, process: Record, name: str) -> None:
    """A stopping signal acts: the process waits for CONT, its parent learns of it."""
    process["state"] = "T"
    kernel.set_held(process, False)
    if process["parent"] in kernel.procs:
        parent = kernel.process(process["parent"])
        parent["dead"].append([process["id"], process["pid"], 128 + signals.NUMBERS[name], "stopped"])
        kernel.wake(parent["id"])


def reap(kernel: Kernel, parent: Record, only: list[str] | None = None) -> list[list[Any]]:
    """What happened to the children since: [id, pid, status, how]; the dead are forgotten.

    ``only``: the children that the parent knows of; others stay zombies until it ends.
    """
    news: list[list[Any]] = parent["dead"]
    parent["dead"] = []
    if only is not None:
        news = [each for each in news if each[0] in only]
    gone = [each[0] for each in news if each[3] != "stopped"]
    for key in gone:
        kernel.forget(key)
    for key in gone:
        if key in parent["children"]:
            parent["children"].remove(key)
    return news


def pid_to_key(kernel: Kernel, process: Record, pid: int) -> str | None:
    """Which process a number means, seen from this one."""
    space = process["who"]["ns"]
    for key, record in kernel.procs.items():
        if record["pid"] == pid and record["who"]["ns"] == space:
            return key
    return None


def kill(kernel: Kernel, process: Record, pid: int, name: str) -> None:
    """As ``kill(2)``: 0 is one's own group, -1 everybody, below that a group. Raises FileError."""
    kernel.acts += 1
    if pid == -1:
        keys = [
            key
            for key, each in kernel.procs.items()
            if each["who"]["ns"] == process["who"]["ns"] and each["pid"] != 1 and key != process["id"]
        ]
    elif pid <= 0:
        group = process["group"] if pid == 0 else pid_to_key(kernel, process, -pid) or ""
        keys = [key for key, each in kernel.procs.items() if each["group"] == group]
    else:
        found = pid_to_key(kernel, process, pid)
        keys = [found] if found is not None else []
    if not keys:
        raise FileError(NO_PROCESS)
    uid = process["who"]["uid"]
    allowed = [key for key in keys if uid in (0, kernel.procs[key]["who"]["uid"])]
    if not allowed:
        raise FileError("Operation not permitted")
    for key in allowed:
        if name != "0":
            signals.send(kernel, key, name)
