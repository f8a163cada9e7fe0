"""``type command -v hash history``: what names stand for, and what was typed."""

from __future__ import annotations

from cluster_engine.linux import processes
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.sh.base import Usage, flags
from cluster_engine.linux.sh.shell import Shell
from cluster_engine.linux.sh.tokens import RESERVED

NAMES = (
    ".", ":", "[", "alias", "bg", "break", "cd", "command", "continue", "echo", "eval", "exec", "exit", "export",
    "false", "fg", "getopts", "hash", "help", "history", "jobs", "kill", "let", "local", "printf", "pwd", "read",
    "readonly", "return", "set", "shift", "source", "test", "times", "trap", "true", "type", "ulimit", "umask",
    "unalias", "unset", "wait",
)  # fmt: skip
"""Every builtin of the shell."""


def describe(sh: Shell, names: list[str], who: str, fds: dict[str, str] | None = None) -> int:
    """Tell what names stand for, in the words of ``type``, ``command -v`` or ``command -V``."""
    status = 0
    terse = who == "command -v"
    fds = sh.p["fds"] if fds is None else fds
    for name in names:
        if name in RESERVED:
            text = name if terse else f"{name} is a shell keyword"
        elif name in sh.p["aliases"]:
            value = sh.p["aliases"][name]
            text = f"alias {name}='{value}'" if terse else f"{name} is an alias for {value}"
        elif name in sh.p["funcs"]:
            text = name if terse else f"{name} is a function"
        elif name in NAMES:
            text = name if terse else f"{name} is a shell builtin"
        else:
            try:
                path = processes.find(sh.kernel, sh.p, name, sh.vars.get("PATH"))
            except FileError:
                status = 127
                if not terse:
                    sh.write(fds, 2 if who != "type" else 1, f"{name}: not found\n")
                continue
            text = path if terse else f"{name} is {path}"
        sh.write(fds, 1, text + "\n")
    return status


def _type(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    return describe(sh, argv[1:], "type", fds)


def _hash(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    given, words = flags(argv, "r")
    if "r" in given:
        sh.p["hash"] = {}
        return 0
    if not words:
        sh.write(fds, 1, "".join(f"{path}\n" for path in sh.p["hash"].values()))
    for name in words:
        try:
            sh.p["hash"][name] = processes.find(sh.kernel, sh.p, name, sh.vars.get("PATH"))
        except FileError:
            raise Usage(f"{name}: not found", 1) from None
    return 0


def _history(sh: Shell, argv: list[str], fds: dict[str, str]) -> int:
    given, words = flags(argv, "c")
    lines: list[str] = sh.p.get("history", [])
    if "c" in given:
        sh.p["history"] = []
        return 0
    if words and not words[0].isdecimal():
        raise Usage(f"{words[0]}: numeric argument required", 1)
    start = max(0, len(lines) - int(words[0][:9])) if words else 0
    text = "".join(f"{number:5d}  {line}\n" for number, line in enumerate(lines[start:], start + 1))
    sh.write(fds, 1, text)
    return 0


BUILTINS = {"type": _type, "hash": _hash, "history": _history}
