"""`sleep`."""

from __future__ import annotations

from cluster_engine.linux.program import Program, Sys
from cluster_engine.linux.programs._common import FOREVER, duration, fail, is_busybox, misused

_USAGE = (
    "sleep [N]...\n"
    "\n"
    "Pause for a time equal to the total of the args given, where each arg can\n"
    "have an optional suffix of (s)econds, (m)inutes, (h)ours, or (d)ays"
)


def _pause(argv: list[str]) -> int | None:
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    total = 0
    for word in words:
        time = duration(word)
        if time is None:
            return None
        total += time
    return min(total, FOREVER) if words else None


def _run(sys: Sys, argv: list[str]) -> int:
    """Why it cannot wait."""
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    if not words:
        misused(sys, "" if is_busybox(sys) else "missing operand", _USAGE)
    wrong = next(word for word in words if duration(word) is None)
    if is_busybox(sys):
        fail(sys, f"invalid number '{wrong}'")
    misused(sys, f"invalid time interval '{wrong}'", _USAGE)


PROGRAM = Program("sleep", "wait", _USAGE, run=_run, pause=_pause)
