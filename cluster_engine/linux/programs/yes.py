"""`yes`."""

from __future__ import annotations

from cluster_engine.linux.program import Event, Program, State, Sys

_BLOCK = 4_096


def _on(sys: Sys, state: State, event: Event) -> State:
    if event[0] == "start":
        line = (" ".join(event[1][1:]) or "y") + "\n"
        state = {"block": line * max(1, _BLOCK // len(line))}
    sys.tick(_BLOCK // 32)
    sys.write(1, state["block"])
    sys.more()
    return state


PROGRAM = Program("yes", "print a line for ever", "yes [STRING]", on=_on)
