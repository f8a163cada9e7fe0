"""What the shell does itself, in literal tables."""

from __future__ import annotations

from collections.abc import Callable

from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.sh.base import Back
from cluster_engine.linux.sh.builtins import flow, naming, output, reading, system, testing, variables
from cluster_engine.linux.sh.shell import Shell


def _true(sys: Sys, argv: list[str]) -> int:
    return 0


def _false(sys: Sys, argv: list[str]) -> int:
    return 1


OF_BASH = ("declare", "typeset")
"""Builtins that only bash has."""
SPECIAL = frozenset({
    ".", ":", "break", "continue", "eval", "exec", "exit", "export", "local", "readonly", "return", "set", "shift",
    "times", "trap", "unset",
})  # fmt: skip
"""POSIX's special builtins, and ``local`` as in busybox: assignments before them stay, their errors end a script."""
BUILTINS: dict[str, Callable[[Shell, list[str], dict[str, str]], int]] = {
    **flow.BUILTINS, **variables.BUILTINS, **output.BUILTINS, **testing.BUILTINS, **naming.BUILTINS,
    **system.BUILTINS,
}  # fmt: skip
CONTROLS: dict[str, Callable[[Shell, list[str], Back], int]] = {
    **flow.CONTROLS, **reading.CONTROLS, **system.CONTROLS,
}  # fmt: skip
RESUMES: dict[str, Callable[[Shell, Back], int]] = {**reading.RESUMES, **system.RESUMES}
PROGRAMS: tuple[Program, ...] = (
    *output.PROGRAMS,
    *testing.PROGRAMS,
    *system.PROGRAMS,
    Program("true", "succeed", "true", run=_true),
    Program("false", "fail", "false", run=_false),
)
