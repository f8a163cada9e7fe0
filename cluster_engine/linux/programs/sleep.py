"""`sleep`."""

from __future__ import annotations

from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs._common import FOREVER, duration, fail, is_busybox, misused

_USAGE = (
    "sleep [N]...\n"
    "\n"
    "Pause for a time equal to the total of the args given, where each arg can\n"
    "have an optional suffix of (s)econds, (m)inutes, (h)ours, or (d)ays"
)


def _on(sys: Sys, state: State, event: Event) -> State:
    if event[0] == "timer":
        sys.exit(0)
    if event[0] != "start":
        return state
    words = event[1][1:]
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        misused(sys, "" if is_busybox(sys) else "missing operand", _USAGE)
    total = 0
    for word in words:
        time = duration(word)
        if time is None:
            if is_busybox(sys):
                fail(sys, f"invalid number '{word}'")
            misused(sys, f"invalid time interval '{word}'", _USAGE)
        total += time
    sys.sleep(min(total, FOREVER))
    return {}


PROGRAM = Program("sleep", "wait", _USAGE, on=_on)
