"""`hint`: the next hint about a check of the lab that fails."""

from __future__ import annotations

from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.terminal.programs.asking import ask

USAGE = "hint [CHECK]"


def asked(words: list[str]) -> dict[str, str] | None:
    """Which check is asked about: "" is the first that fails. None: words that mean nothing."""
    match words:
        case []:
            return {"check": ""}
        case [check] if not f"{check}".startswith("-"):
            return {"check": check}
    return None


def _on(sys: Sys, state: State, event: Event) -> State:
    return ask(sys, state, event, "hint", asked, USAGE)


PROGRAM = Program("hint", "give the next hint about a check that fails", USAGE, on=_on)
