"""Programs that ask the host one thing and print what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.linux.program import Event, State, Sys


def ask(
    sys: Sys,
    state: State,
    event: Event,
    call: str,
    asked: Callable[[list[str]], dict[str, Any] | None],
    usage: str,
) -> State:
    """What such a program does: ``asked`` makes its words what the host is asked, or None, which is no use of it.

    It ends with 0 when the host did it, with 1 when the host refused or is not there any more, with 2 for wrong words.
    """
    match event:
        case ["start", argv]:
            what = asked(argv[1:])
            if what is None:
                sys.err(f"Usage: {usage}\n")
                sys.exit(2)
            sys.call(call, what)
        case ["answer", _, ["said", said]]:
            sys.out(said)
            sys.exit(0)
        case ["answer", _, ["done"]]:
            sys.exit(0)
        case ["answer", _, ["refused", reason]]:
            sys.error(reason)
            sys.exit(1)
        case ["answer", _, _]:
            sys.exit(1)
    return state
