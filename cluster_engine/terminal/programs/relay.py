"""A program that runs beside the machine, in another process or another machine: this one moves its bytes and signals.

It asks its host to `run` it, or to `log-in`. The host answers `["out", fd, text]` (each is taken back with
`["took", n]`), `["more"]` (it has written what it was given), `["stop"]` (Ctrl-Z was typed), and at last
`["ended", status, interrupted, unread]` or `["lost"]`; it is told `["input", text]`, `["end"]`, `["signal", name]`,
`["resize", cols, rows]`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.linux.program import Event, State, Sys

STOPPED = 137
REFUSAL = 1_000
"""Bytes of what it said last that are looked at when it fails."""
_RAW = {"canonical": False, "echo": False, "signals": False, "output": False}

End = Callable[[Sys, State, int], None]
"""What is done when it has ended with a status."""


def begin(sys: Sys, call: str, args: dict[str, Any], *, tty: bool, reads: bool) -> State:
    """Ask the host for it; its state. ``reads``: whether it is given what is typed."""
    cols, rows = sys.window(0) or (80, 24)
    state: State = {"tty": tty, "reads": reads, "modes": None, "call": 0, "ending": False, "said": ""}
    sys.trap("INT", "catch")
    if tty:
        sys.trap("WINCH", "catch")
        sys.trap("CONT", "catch")
    state["call"] = sys.call(call, {**args, "tty": tty, "cols": cols, "rows": rows})
    if reads:
        _take_terminal(sys, state)
        sys.read(0)
    elif not tty:
        sys.tell(state["call"], ["end"])
    return state


def _take_terminal(sys: Sys, state: State) -> None:
    """Its keys go to the program as they are."""
    if state["tty"] and state["reads"]:
        state["modes"] = sys.terminal_mode(0)
        sys.terminal_mode(0, _RAW)


def let_go(sys: Sys, state: State) -> None:
    """The terminal is as it was before."""
    if state["modes"] is not None:
        sys.terminal_mode(0, state["modes"])
        state["modes"] = None


def _answered(sys: Sys, state: State, data: list[object], end: End) -> None:
    match data:
        case ["out", int(fd), str(text)]:
            # What a terminal shows has its line ends already.
            sys.write(fd, text.replace("\r\n", "\n") if state["tty"] and state["modes"] is None else text)
            sys.tell(state["call"], ["took", len(text)])
            if state["tty"] or fd == 2:
                state["said"] = (state["said"] + text)[-REFUSAL:]
        case ["more"] if not state["ending"]:
            sys.read(0)
        case ["stop"]:
            let_go(sys, state)
            sys.kill(0, "TSTP")
        case ["ended", int(status), bool(interrupted), str(unread)]:
            let_go(sys, state)
            if unread:
                sys.unread(0, unread)
            if not interrupted:
                end(sys, state, status)
                return
            sys.trap("INT", "default")
            sys.kill(sys.pid, "INT")
        case ["lost"]:
            let_go(sys, state)
            sys.error("stopped: it ran beside another copy of this terminal")
            sys.exit(STOPPED)


def go_on(sys: Sys, state: State, event: Event, end: End) -> State:
    """What happens after `begin`."""
    match event:
        case ["data", 0, chunk] if state["ending"]:
            sys.unread(0, chunk)
        case ["data", 0, chunk]:
            sys.tell(state["call"], ["input", chunk])
        case ["end", 0]:
            sys.tell(state["call"], ["end"])
        case ["answer", _, data]:
            _answered(sys, state, data, end)
        case ["signal", "WINCH"]:
            cols, rows = sys.window(0) or (80, 24)
            sys.tell(state["call"], ["resize", cols, rows])
        case ["signal", "CONT"]:
            _take_terminal(sys, state)
            if state["reads"]:
                sys.read(0)
        case ["signal", name]:
            state["ending"] = True
            sys.tell(state["call"], ["signal", name])
    return state
