"""`time`: the time that a command takes; `time pause`, `time step` and the like set the cluster's clock."""

from __future__ import annotations

from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs.running import TIME

WORDS = (
    "now", "pause", "resume", "speed", "step", "advance", "until", "back", "return", "branch", "branches", "switch",
    "undo",
)  # fmt: skip
USAGE = (
    "time PROG ARGS | time now|pause|resume|step | time speed FACTOR | time advance SECONDS | "
    "time until KIND/NAME CONDITION|CEL | time until event REASON | time back TIME|5m | time return | "
    "time undo | time branch [NAME] | time branches | time switch BRANCH"
)


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", [_, word, *more]] if word in WORDS:
            sys.call("time", [word, *more])
            return state
        case ["answer", _, ["said", said]]:
            sys.out(said)
            sys.exit(0)
        case ["answer", _, ["refused", why]]:
            sys.error(why)
            sys.exit(1)
        case ["answer", _, _]:
            sys.exit(1)
    assert TIME.on is not None
    return TIME.on(sys, state, event)


PROGRAM = Program("time", "time a command, or set the cluster's clock", USAGE, on=_on)
