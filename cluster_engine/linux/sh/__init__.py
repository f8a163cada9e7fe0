"""The shell: parsed, compiled to instructions that a keyframe can hold, stepped by the machine."""

from cluster_engine.linux.program import Program
from cluster_engine.linux.sh.builtins import PROGRAMS as _BUILTIN
from cluster_engine.linux.sh.interpreter import SHELL

PROGRAMS: tuple[Program, ...] = (*_BUILTIN, SHELL)
"""The programs that belong to the shell: itself, and those of its builtins that are programs as well."""

__all__ = ["PROGRAMS", "SHELL"]
