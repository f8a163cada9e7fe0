"""Runs one simple command: what its name means, redirections, assignments before it; and how a shell ends."""

from __future__ import annotations

import re
from typing import Any

from cluster_engine.linux import processes
from cluster_engine.linux.calls import Calls, NeedsProcess
from cluster_engine.linux.errors import DENIED, NO_ENTRY, FileError
from cluster_engine.linux.limits import EXEC_COST
from cluster_engine.linux.program import Exit, Program
from cluster_engine.linux.sh import builtins, jobs
from cluster_engine.linux.sh.base import Back, Usage, flags, quote
from cluster_engine.linux.sh.builtins import BUILTINS, OF_BASH, RESUMES, SPECIAL, naming
from cluster_engine.linux.sh.ends import done, finish, leave
from cluster_engine.linux.sh.errors import ParseError, ShellError
from cluster_engine.linux.sh.shell import CHARGED, GONE, WAIT, Redirect, Shell, Text


def command(
    sh: Shell,
    argv: list[str],
    assigns: list[tuple[str, Text]],
    redirects: list[Redirect],
    back: Back,
    tail: bool,
) -> int:
    """Run a command whose words are expanded."""
    _, nxt, checked = back
    try:
        slots = sh.redirect(redirects) if redirects else {}
    except (ShellError, FileError) as error:
        sh.say(str(error))
        if argv and argv[0] in SPECIAL and "i" not in sh.p["opts"]:
            return leave(sh, 1)
        return done(sh, 1, nxt, checked)
    values = _values(sh, assigns) if assigns else []
    if "x" in sh.p["opts"]:
        trace(sh, values, argv)
    if not argv:
        for name, value in values:
            sh.assign(name, value)
        sh.drop(slots)
        return done(sh, sh.p["sub"], nxt, checked)
    return dispatch(sh, argv, values, slots, back, tail)


def _values(sh: Shell, assigns: list[tuple[str, Text]]) -> list[tuple[str, str]]:
    """Expand assignments in order, each seeing those before it (``a=1 b=$a``)."""
    if len(assigns) == 1:
        name, text = assigns[0]
        return [(name, text(sh))]
    before = {name: sh.vars.get(name) for name, _ in assigns}
    values = []
    for name, text in assigns:
        value = text(sh)
        values.append((name, value))
        sh.vars[name] = value
    for name, old in before.items():
        if old is None:
            sh.vars.pop(name, None)
        else:
            sh.vars[name] = old
    return values


def trace(sh: Shell, values: list[tuple[str, str]], argv: list[str]) -> None:
    """What ``set -x`` shows of a command."""
    shown = [f"{name}={_quoted(value)}" for name, value in values] + [_quoted(word) for word in argv]
    if "2" in sh.p["fds"]:
        sh.write(sh.p["fds"], 2, sh.vars.get("PS4", "+ ") + " ".join(shown) + "\n")


_ODD = re.compile(r"[^+,./0-9:@A-Z\]^_a-z-]")
"""What ``set -x`` quotes (``maybe_single_quote`` of busybox)."""


def _quoted(text: str) -> str:
    return quote(text) if _ODD.search(text) else text


def dispatch(
    sh: Shell,
    argv: list[str],
    values: list[tuple[str, str]],
    slots: dict[str, str | None],
    back: Back,
    tail: bool,
    functions: bool = True,
) -> int:
    """A special builtin, a function, a builtin or a program."""
    name = argv[0]
    process = sh.p
    if name in SPECIAL:
        for variable, value in values:
            sh.assign(variable, value)
    elif functions and name in process["funcs"]:
        saved = _prefixed(sh, values)
        if slots:
            sh.push_redirects(slots, True)
        return sh.call(name, argv[1:], saved, back[2], back[1])
    control = CONTROLS.get(name)
    if control is not None:
        return _control(sh, control, argv, values, slots, back)
    builtin = BUILTINS.get(name)
    if builtin is not None and (sh.bash or name not in OF_BASH):
        saved = _prefixed(sh, values) if values and name not in SPECIAL else {}
        fds = sh.merged(slots) if slots else process["fds"]
        status = _builtin(sh, builtin, argv, fds)
        if slots:
            sh.drop(slots)
        if saved:
            sh.restore_locals(saved)
        if status < 0:
            return leave(sh, -status)
        return done(sh, status, back[1], back[2])
    return program(sh, argv, values, slots, back, tail)


def _prefixed(sh: Shell, values: list[tuple[str, str]]) -> dict[str, Any]:
    """Set variables for one command; what they were before."""
    saved: dict[str, Any] = {}
    for name, value in values:
        if name not in saved:
            saved[name] = [sh.vars.get(name), name in sh.p["exported"]]
        sh.assign(name, value)
        sh.p["exported"][name] = 1
    return saved


def _builtin(sh: Shell, builtin: Any, argv: list[str], fds: dict[str, str]) -> int:
    """Its status; negative: the shell ends with it."""
    try:
        status: int = builtin(sh, argv, fds)
        return status
    except Usage as error:
        sh.write_error(fds, argv[0], str(error), error.line)
        fatal = argv[0] in SPECIAL and error.status >= 2
        return -error.status if fatal and "i" not in sh.p["opts"] else error.status
    except FileError as error:
        sh.write_error(fds, argv[0], f"write error: {error.reason}" if not error.path else str(error), False)
        return 1
    except ShellError as error:
        sh.say(str(error), fds)
        return -error.status if argv[0] in SPECIAL and "i" not in sh.p["opts"] else error.status


def _control(
    sh: Shell,
    control: Any,
    argv: list[str],
    values: list[tuple[str, str]],
    slots: dict[str, str | None],
    back: Back,
) -> int:
    if values and argv[0] not in SPECIAL:
        sh.p["saved"] = _prefixed(sh, values)
    if argv[0] == "exec":
        sh.keep(slots)
    elif slots:
        sh.push_redirects(slots, True)
    try:
        result: int = control(sh, argv, back)
    except ParseError as error:
        sh.write_error(sh.p["fds"], argv[0], str(error), True)
        if argv[0] in SPECIAL and "i" not in sh.p["opts"]:
            return leave(sh, 2)
        return finish(sh, 2, back)
    except Usage as error:
        sh.write_error(sh.p["fds"], argv[0], str(error), error.line)
        sh.pop_auto()
        if argv[0] in SPECIAL and error.status >= 2 and "i" not in sh.p["opts"]:
            return leave(sh, error.status)
        return finish(sh, error.status, back)
    return result


# --- programs --------------------------------------------------------------------------------------


def _loaded(sh: Shell, argv: list[str]) -> tuple[Program, list[str]]:
    """The program of a name (where it lies is remembered, as real shells do) and its arguments. Raises FileError."""
    kernel, process, name = sh.kernel, sh.p, argv[0]
    kernel.acts += 1
    if "/" in name:
        return processes.load(kernel, process, name, argv)
    known = process["hash"].get(name)
    if known is not None:
        program = kernel.remembered(process, known)
        if program is not None:
            return program, argv
        try:
            return processes.load(kernel, process, known, argv)
        except FileError:
            del process["hash"][name]
    full = processes.find(kernel, process, name, sh.vars.get("PATH"))
    process["hash"][name] = full
    return processes.load(kernel, process, full, argv)


def program(
    sh: Shell,
    argv: list[str],
    values: list[tuple[str, str]],
    slots: dict[str, str | None],
    back: Back,
    tail: bool,
) -> int:
    """A program of the file system, as a child (or in the shell's place, when that has nothing left to do)."""
    here, nxt, checked = back
    process = sh.p
    fds = sh.merged(slots) if slots else process["fds"]
    try:
        found, words = _loaded(sh, argv)
    except FileError as error:
        status = complain(sh, argv[0], error, fds)
        sh.drop(slots)
        return done(sh, status, nxt, checked)
    if found.run is not None and found.pause is None:
        ended = instant(sh, found, words, values, fds)
        if ended is not None:
            if slots:
                sh.drop(slots)
            return done(sh, ended, nxt, checked)
    environment = sh.environment()
    environment.update(values)
    if tail and not any(process["traps"].values()) and "m" not in process["opts"]:
        sh.keep(slots)
        process["stack"] = []
        processes.become(sh.kernel, process, found, words, environment)
        return GONE
    try:
        child = processes.child_of(sh.kernel, process, fds)
    except FileError as error:
        sh.say(f"can't fork: {error.reason}")
        sh.drop(slots)
        return done(sh, 2, nxt, checked)
    if "m" in process["opts"]:
        jobs.group(sh, child, None, True)
    processes.start(sh.kernel, child, found, words, environment)
    if slots:
        sh.drop(slots)
    return jobs.wait_for(sh, [child["id"]], " ".join(argv), here)


def complain(sh: Shell, name: str, error: FileError, fds: dict[str, str]) -> int:
    """Why a program cannot run; the status."""
    if error.reason == NO_ENTRY or (error.reason == "Not a directory"):
        sh.say(f"{name}: not found", fds)
        return 127
    sh.say(f"{name}: {error.reason if error.reason != DENIED else 'Permission denied'}", fds)
    return 126


def instant(
    sh: Shell, program: Program, argv: list[str], values: list[tuple[str, str]], fds: dict[str, str]
) -> int | None:
    """Run an instant program inside the shell's step; None when it needs a process after all."""
    assert program.run is not None
    calls = Calls(sh.kernel, sh.p, argv, {**sh.environment(), **dict(values)} if values else None, fds)
    try:
        status = program.run(calls, argv)
    except NeedsProcess:
        return None
    except Exit as end:
        status = end.status
    except FileError as error:
        calls.error(str(error))
        status = 1
    sh.extra += calls.ticks + EXEC_COST
    return status & 255


def resumed(sh: Shell, back: Back) -> int:
    """A command that waits is looked at again."""
    kind = sh.p["call"][0]
    if kind == "fg":
        status = jobs.finished(sh, back[0])
        if status is None:
            return WAIT
        if status == 0 and not sh.stack and sh.p["saved"] is None:
            sh.status, sh.next = 0, back[1]
            return CHARGED
        return finish(sh, status, back)
    return RESUMES[kind](sh, back)


def _command(sh: Shell, argv: list[str], back: Back) -> int:
    """``command``: past functions."""
    given, words = flags(argv, "pvV")
    if "v" in given or "V" in given:
        status = naming.describe(sh, words[:1], "command -v" if "v" in given else "command -V")
        return finish(sh, status, back)
    if not words:
        return finish(sh, 0, back)
    return dispatch(sh, words, [], {}, back, False, functions=False)


def _exec(sh: Shell, argv: list[str], back: Back) -> int:
    """``exec``: the shell becomes the program; without one its redirections stay."""
    _, words = flags(argv, "")
    process = sh.p
    if not words:
        return finish(sh, 0, back)
    try:
        program, words = _loaded(sh, words)
    except FileError as error:
        status = complain(sh, words[0], error, process["fds"])
        return finish(sh, status, back) if "i" in process["opts"] else leave(sh, status)
    environment = sh.environment()
    process["traps"] = {name: "" for name, action in process["traps"].items() if action == ""}
    processes.become(sh.kernel, process, program, words, environment)
    return GONE


CONTROLS = {**builtins.CONTROLS, "command": _command, "exec": _exec}
