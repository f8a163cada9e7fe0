"""Where a shell gets its next line from: a terminal (with prompts), a pipe, a file on standard input."""

from __future__ import annotations

from cluster_engine.linux import descriptors
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.kernel import Code
from cluster_engine.linux.limits import MAX_LINE
from cluster_engine.linux.sh import editing, ends, jobs
from cluster_engine.linux.sh.compile import compiled
from cluster_engine.linux.sh.errors import Incomplete, ParseError
from cluster_engine.linux.sh.shell import CHARGED, WAIT, Shell

MAX_CONTINUED = 500
"""Lines of one command outside here-documents: each new one is parsed with all before it."""
READ = "read"
READ_CODE: Code = [["READ"]]
"""The program of a shell that reads its commands; each line comes back to its only instruction."""


def read(sh: Shell) -> int:
    """The instruction ``READ``: run the next command, or wait for more text."""
    process = sh.p
    interactive = "i" in process["opts"]
    edits = interactive and editing.wanted(sh)
    if process["call"] is None:
        process["call"] = ["input", 0, False, False]
    _, known, ended, asked = process["call"]
    while True:
        found = _next(sh, known, ended)
        if found is not None:
            text, rest = found
            if process.get("edit") is not None:
                editing.remember(sh, text)
                if text.strip():
                    editing.leave(sh)
            process["input"], process["call"] = rest, None
            process["line"] = 0
            sh.extra += 1 + len(text) // 32
            if not text.strip():
                process["call"] = ["input", 0, ended, False]
                known, asked = 0, False
                continue
            try:
                return sh.run_text(text, "read", True, 0)
            except ParseError as error:
                sh.say(str(error))
                sh.status = 2
                if not interactive:
                    return ends.leave(sh, 2)
                sh.next = 0
                return CHARGED
        known = process["input"].rfind("\n") + 1
        if ended:
            if interactive and process["tty"]:
                if edits:
                    editing.leave(sh)
                else:
                    sh.write(process["fds"], 2, "\n")
                if ends.warned(sh):
                    process["call"] = ["input", 0, False, False]
                    ended = False
                    continue
            return ends.leave(sh, sh.status)
        if interactive and not asked:
            _prompt(sh, edits)
            asked = True
        process["call"] = ["input", known, ended, asked]
        chunk = editing.line(sh) if edits and process.get("edit") is not None else _chunk(sh)
        if chunk == editing.INTERRUPTED:
            return _given_up(sh)
        if chunk == editing.BUSY:
            sh.next = 0
            return CHARGED
        if chunk is None:
            sh.kernel.sleep(process)
            sh.next = 0
            return WAIT
        asked = False
        if chunk == "":
            ended = True
        process["input"] += chunk
        process["call"] = ["input", known, ended, asked]
        if len(process["input"]) > 2 * MAX_LINE:
            sh.say(f"a command may have at most {MAX_LINE:,} characters")
            return ends.leave(sh, 2)


def _chunk(sh: Shell) -> str | None:
    desc = sh.p["fds"].get("0")
    try:
        return descriptors.read(sh.kernel, sh.p, desc) if desc is not None else ""
    except FileError:
        return ""


def _given_up(sh: Shell) -> int:
    """Ctrl-C at an edited line: what was typed is forgotten; a trap hears of it."""
    process = sh.p
    process["input"], process["call"], sh.status, sh.next = "", None, 130, 0
    if process["traps"].get("INT"):
        process["caught"].append("INT")
        process["call"] = ["input", 0, False, False]
        editing.leave(sh)
    return CHARGED


def _next(sh: Shell, known: int, ended: bool) -> tuple[str, str] | None:
    """The first complete command of the input and what follows it; None: more is needed.

    ``known``: so many characters, whole lines, are known not to be complete.
    """
    text: str = sh.p["input"]
    at = known - 1
    until: str | None = sh.p.get("until") if known else None
    while True:
        before, at = at + 1, text.find("\n", at + 1)
        if at < 0:
            sh.p["until"] = until
            return (text, "") if ended and text else None
        if until is not None and text[before:at].lstrip("\t") != until:
            continue  # inside a here-document only its last line is worth parsing for
        candidate = text[: at + 1]
        sh.extra += len(candidate) if before else len(candidate) // 64
        try:
            compiled(candidate, tuple(sh.p["aliases"].items()), False, sh.bash)
        except Incomplete as error:
            until = error.delimiter
            if until is None and candidate.count("\n") > MAX_CONTINUED:
                return candidate, text[at + 1 :]
            continue
        except ParseError:
            return candidate, text[at + 1 :]
        return candidate, text[at + 1 :]


def _prompt(sh: Shell, edits: bool) -> None:
    process = sh.p
    if process["input"]:
        text = sh.vars.get("PS2", "> ")
    else:
        jobs.tell(sh)
        text = expanded(sh, sh.vars.get("PS1", ""))
    if edits:
        editing.begin(sh, text)
    else:
        sh.write(process["fds"], 2, text)


def expanded(sh: Shell, text: str) -> str:
    """``\\w \\W \\h \\H \\u \\$ \\n`` of a prompt."""
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char != "\\" or at >= len(text):
            out.append(char)
            continue
        letter = text[at]
        at += 1
        out.append(_escape(sh, letter))
    return "".join(out)


def _escape(sh: Shell, letter: str) -> str:
    uid = sh.p["who"]["uid"]
    cwd: str = sh.cwd()
    home = sh.vars.get("HOME", "")
    if home not in ("", "/") and (cwd == home or cwd.startswith(home + "/")):
        cwd = "~" + cwd[len(home) :]
    match letter:
        case "w":
            return cwd
        case "W":
            return cwd.rpartition("/")[2] or cwd
        case "h":
            return str(sh.kernel.top["hostname"]).partition(".")[0]
        case "H":
            return str(sh.kernel.top["hostname"])
        case "u":
            return sh.vars.get("USER", "root" if uid == 0 else str(uid))
        case "$":
            return "#" if uid == 0 else "$"
        case "n":
            return "\n"
        case "[" | "]":
            return ""
        case "e":
            return "\x1b"
    return "\\" + letter
