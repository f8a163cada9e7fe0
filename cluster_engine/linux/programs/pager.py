"""`less` and `more`: there is no paging here, the text is printed."""

from __future__ import annotations

from cluster_engine.linux.program import Filter, Program, State, Sys
from cluster_engine.linux.programs._common import cannot_open


def _init(sys: Sys, argv: list[str]) -> tuple[State, list[str]]:
    names = [word for word in argv[1:] if not word.startswith(("-", "+")) or word == "-"]
    return {}, names or ["-"]


def _feed(sys: Sys, state: State, chunk: str) -> int | None:
    sys.write(1, chunk)
    return None


def _end(sys: Sys, state: State) -> int:
    return 0


_FILTER = Filter(_init, _feed, _end, unopened=cannot_open)
LESS = Program("less", "print files (no paging here)", "less [FILE]...", filter=_FILTER)
MORE = Program("more", "print files (no paging here)", "more [FILE]...", filter=_FILTER)
