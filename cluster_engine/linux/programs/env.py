"""`env`: prints the environment, or becomes another program in a changed one. `printenv` prints alone."""

from __future__ import annotations

from cluster_engine.linux.errors import NO_ENTRY, FileError
from cluster_engine.linux.program import Exit, Program, Sys
from cluster_engine.linux.programs._common import is_busybox, misused

_USAGE = (
    "env [-i0] [-u NAME]... [-] [NAME=VALUE]... [PROG ARGS]\n"
    "\n"
    "Print current environment or run PROG after setting up environment"
)


def _env(sys: Sys, argv: list[str]) -> int:
    words = argv[1:]
    env = sys.env
    end = "\n"
    while words:
        word = words[0]
        if word in ("-i", "-", "--ignore-environment"):
            env = {}
        elif word in ("-0", "--null"):
            end = "\0"
        elif word in ("-u", "--unset") and len(words) > 1:
            env.pop(words[1], None)
            words = words[1:]
        elif word.startswith("--unset="):
            env.pop(word[8:], None)
        elif word.startswith("-u") and len(word) > 2:
            env.pop(word[2:], None)
        elif word == "--":
            words = words[1:]
            break
        elif word.startswith("-"):
            bad = (
                f"unrecognized option '{word}'" if word.startswith("--") else f"invalid option -- '{word[1]}'"
            )
            misused(sys, bad, _USAGE, 1 if is_busybox(sys) else 125)
        else:
            break
        words = words[1:]
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        env[name] = value
    if not words:
        sys.out("".join(f"{name}={value}{end}" for name, value in env.items()))
        return 0
    try:
        sys.exec(words, env)
    except FileError as error:
        word = words[0]
        sys.error(
            f"can't execute '{word}': {error.reason}" if is_busybox(sys) else f"'{word}': {error.reason}"
        )
        raise Exit(127 if error.reason == NO_ENTRY else 126) from None


def _printenv(sys: Sys, argv: list[str]) -> int:
    words = argv[1:]
    env = sys.env
    if not words:
        sys.out("".join(f"{name}={value}\n" for name, value in env.items()))
        return 0
    sys.out("".join(f"{env[name]}\n" for name in words if name in env))
    return 0 if all(name in env for name in words) else 1


PROGRAM = Program("env", "print or change the environment", _USAGE, run=_env)
PRINTENV = Program("printenv", "print the environment", "printenv [VARIABLE]...", run=_printenv)
