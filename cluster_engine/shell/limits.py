"""Every ceiling of the shell, in one place.

They are there for the neighbours on the same event loop, not for the learner: nobody writing
real command lines should ever meet one. Past a limit the line ends with `sh: stopped: …`.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Budgets of one command line (and of the shell that keeps its variables)."""

    steps: int = 200_000
    """Evaluated nodes, loop rounds, lines and KiB moved; about 1 second of one core."""
    output: int = MIB
    """Bytes that reach the terminal (or the collector of `run_line`)."""
    externals: int = 200
    """Runs of external programs."""
    depth: int = 120
    """Functions, substitutions, subshells and compound commands inside one another."""
    processes: int = 64
    """Pipeline members alive at the same time."""
    value: int = MIB
    """Bytes of one variable, one expanded word, one command substitution."""
    variables: int = 4 * MIB
    """Bytes of all variables of one shell."""
    fields: int = 16_384
    """Arguments of one command after expansion."""
    buffer: int = 2 * MIB
    """Input that a command such as `sort` may hold in memory."""
    held: int = 4 * MIB
    """What all commands of a line together may hold at the same time."""
    functions: int = 500
    """Functions (and, apart from them, aliases) of one shell."""


PIPE_CAPACITY = 64 * KIB
MAX_TEXT_LINE = MIB
"""Bytes of one line of text that a line-wise tool reads."""

DEFAULT = Limits()


def size(count: int) -> str:
    """A limit in words: `1 MiB`, `64 KiB`."""
    if count >= MIB and count % MIB == 0:
        return f"{count // MIB} MiB"
    if count >= KIB and count % KIB == 0:
        return f"{count // KIB} KiB"
    return f"{count} bytes"
