"""`time`: the time that a command takes; `time pause`, `time step` and the like set the cluster's clock."""

from __future__ import annotations

import re

from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs.running import TIME

WORDS = (
    "now", "pause", "resume", "speed", "step", "advance", "until", "back", "return", "branch", "branches", "switch",
    "undo", "predict",
)  # fmt: skip
USAGE = (
    "time PROG ARGS | time now|pause|resume|predict | time step [NUMBER] | time speed FACTOR | time advance SECONDS | "
    "time until KIND/NAME CONDITION|CEL | time until event REASON | time back TIME|5m | time return | "
    "time diff TIME|5m [TIME|2m] | time undo | time branch [NAME] | time branches | time switch BRANCH"
)

_MOMENT = re.compile(r"[0-9]+[smh]|[0-9]{2}:[0-9]{2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z")
"""What tells the difference between two moments from the program `diff`, whose time is taken."""


def _compares(words: list[str]) -> bool:
    return 1 <= len(words) <= 2 and all(_MOMENT.fullmatch(word) for word in words)


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", [_, word, *more]] if word in WORDS:
            sys.call("time", [word, *more])
            return state
        case ["start", [_, "diff", *moments]] if _compares(moments):
            sys.call("time", ["diff", *moments])
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
