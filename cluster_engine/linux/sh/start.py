"""How a shell begins: its arguments, its environment, its first text."""

from __future__ import annotations

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.kernel import Kernel, Record
from cluster_engine.linux.sh import ends
from cluster_engine.linux.sh.base import Usage
from cluster_engine.linux.sh.builtins.variables import OPTIONS, option
from cluster_engine.linux.sh.compile import compiled
from cluster_engine.linux.sh.errors import ParseError
from cluster_engine.linux.sh.parse import is_name
from cluster_engine.linux.sh.prompt import READ, READ_CODE
from cluster_engine.linux.sh.shell import CHARGED, GONE, Shell

SURVIVED = ("INT", "QUIT", "TERM", "TSTP", "TTIN", "TTOU")
"""Signals that an interactive shell handles itself: it does not die (or stop) of them."""


BASH = ("bash", "rbash")
"""Names under which the shell speaks bash's language."""
BASH_VERSION = "5.2.37(1)-release"
PROMPTS = {"busybox": "\\w \\$ ", "bash": "\\u@\\h:\\w\\$ "}
"""PS1 by the shell's kind: busybox's, bash's in debian images; dash shows its ``#`` or ``$``."""


def begin(kernel: Kernel, process: Record) -> tuple[Shell, int]:
    """Give the record a shell's fields; the shell and where it begins (GONE: it has ended already)."""
    del process["boot"]
    variables: dict[str, str] = {}
    exported: dict[str, int] = {}
    for name, value in process["env"].items():
        if is_name(name):
            variables[name] = value
            exported[name] = 1
    parent = kernel.procs.get(process["parent"])
    variables["PPID"] = str(parent["pid"] if parent and parent["who"]["ns"] == process["who"]["ns"] else 0)
    variables.setdefault("PWD", process["cwd"])
    if variables["PWD"] != process["cwd"]:
        variables["PWD"] = process["cwd"]
    variables["OPTIND"] = "1"
    variables["PS4"] = variables.get("PS4", "+ ")
    process.update(
        vars=variables, exported=exported, readonly={}, funcs={}, aliases={}, args=[], arg0=process["argv"][0],
        opts={}, code="", pc=0, stack=[], status=0, sub=0, res={}, call=None, saved=None, jobs=[], ended={}, last=0,
        main=process["pid"], noexit=False, input="", line=0, hash={}, getopts=0, script=False, drop=False,
        told=False, ignored=list(process["traps"]), mark=None,
    )  # fmt: skip
    process.pop("bash", None)  # of the shell that has become this one
    if process["argv"][0].rpartition("/")[2].lstrip("-") in BASH:
        process["bash"] = 1
        variables["BASH_VERSION"], variables["BASH"] = BASH_VERSION, "/bin/bash"
    sh = Shell(kernel, process)
    try:
        pc = _first(sh, process["argv"])
    except Usage as error:
        sh.say(str(error))
        return sh, ends.leave(sh, 2)
    except ParseError as error:
        sh.say(str(error))
        pc = ends.leave(sh, 2)
    if pc == GONE:
        return sh, GONE
    return sh, sh.next


def _first(sh: Shell, argv: list[str]) -> int:
    words = argv[1:]
    command = interactive = stdin = False
    while words and words[0][:1] in ("-", "+") and len(words[0]) > 1:
        word = words.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            continue
        for letter in word[1:]:
            if letter == "c":
                command = True
            elif letter == "i":
                interactive = True
            elif letter == "s":
                stdin = True
            elif letter == "l":
                continue
            elif letter == "o":
                name = words.pop(0) if words else ""
                if name not in OPTIONS:
                    raise Usage(f"illegal option -o {name}")
                option(sh, OPTIONS[name], word[0] == "-")
            elif letter in "efmnxvCabuEV":
                option(sh, letter, word[0] == "-")
            else:
                raise Usage(f"illegal option {word[0]}{letter}")
    process = sh.p
    if command:
        if not words:
            raise Usage("-c requires an argument")
        text = words.pop(0)
        if words:
            process["arg0"] = words.pop(0)
        process["args"] = words
        return _text(sh, text)
    if words and not stdin:
        name = words.pop(0)
        process["arg0"], process["args"], process["script"] = name, words, True
        try:
            text = sh.files().read(name)
        except FileError as error:
            process["script"], process["arg0"] = False, "sh"
            sh.say(f"can't open '{name}': {error.reason}")
            return ends.leave(sh, 127 if error.reason == "No such file or directory" else 126)
        if "\0" in text[:256]:
            sh.say(f"{name}: not a shell script")
            return ends.leave(sh, 126)
        return _text(sh, text)
    process["args"] = words
    option(sh, "s", True)
    fds = process["fds"]
    if interactive or (fds.get("0", "n")[0] == "t" and fds.get("2", "n")[0] == "t"):
        _interactive(sh)
    process["code"] = READ
    sh.kernel.keep_code(READ, READ_CODE)
    sh.next = 0
    return CHARGED


def _interactive(sh: Shell) -> None:
    process = sh.p
    option(sh, "i", True)
    process["own"] = list(SURVIVED)
    if "E" in process["opts"]:  # who edits its lines is taken for bash, by whatever name it was called
        process["bash"] = 1
    if process["tty"] and process["fds"].get("0", "n")[0] == "t":
        option(sh, "m", True)
    name = process["argv"][0].rpartition("/")[2].lstrip("-")
    kind = "bash" if name == "bash" else process["who"]["flavour"]
    sh.vars.setdefault("PS1", PROMPTS.get(kind, "\\$ "))
    sh.vars.setdefault("PS2", "> ")
    if "ENV" in sh.vars:
        try:
            process["input"] = sh.files().read(sh.vars["ENV"]).rstrip("\n") + "\n"
        except FileError:
            process["input"] = ""


def _text(sh: Shell, text: str) -> int:
    digest, code = compiled(text, bash=sh.bash)
    if "n" in sh.p["opts"]:
        return ends.leave(sh, 0)
    sh.extra += len(text) // 16
    sh.kernel.keep_code(digest, code)
    sh.p["code"] = digest
    sh.next = 0
    return CHARGED
