"""`seq`."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs._common import fail, is_busybox, misused

_USAGE = "seq [-w] [-s SEP] [FIRST [INC]] LAST"
_BATCH = 512
"""Numbers that are written at once."""


def _number(sys: Sys, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    small = (
        value.is_finite()
        and len(text) <= 30
        and abs(value) <= 10**18
        and int(value.as_tuple().exponent) >= -30
    )
    if not small:
        if is_busybox(sys):
            fail(sys, f"invalid number '{text}'")
        misused(sys, f"invalid floating point argument: '{text}'", _USAGE)
    return value


def _start(sys: Sys, argv: list[str]) -> State:
    words = argv[1:]
    separator, width = "\n", False
    while words and words[0].startswith(("-w", "-s", "--")):
        option = words.pop(0)
        if option == "--":
            break
        if option == "-w":
            width = True
        elif option == "-s" and words:
            separator = words.pop(0)
        elif option.startswith("-s"):
            separator = option[2:]
        else:
            misused(sys, f"unrecognized option '{option}'", _USAGE)
    if not words:
        misused(sys, "" if is_busybox(sys) else "missing operand", _USAGE)
    if len(words) > 3:
        misused(sys, "" if is_busybox(sys) else f"extra operand '{words[3]}'", _USAGE)
    first = _number(sys, words[0]) if len(words) > 1 else Decimal(1)
    step = _number(sys, words[1]) if len(words) == 3 else Decimal(1)
    last = _number(sys, words[-1])
    if step == 0:
        if is_busybox(sys):
            fail(sys, "invalid number '0'")
        misused(sys, f"invalid Zero increment value: '{words[1]}'", _USAGE)
    places = max(0, -int(first.as_tuple().exponent), -int(step.as_tuple().exponent))
    whole = 10**places
    low, by, high = int(first * whole), int(step * whole), last * whole
    digits = max(len(_shown(low, places)), len(f"{last:.{places}f}")) if width else 0
    stop = int(high.to_integral_value("ROUND_FLOOR" if by > 0 else "ROUND_CEILING"))
    return {"at": low, "by": by, "stop": stop, "places": places, "width": digits, "separator": separator}


def _shown(value: int, places: int) -> str:
    if not places:
        return str(value)
    digits = str(abs(value)).zfill(places + 1)
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _on(sys: Sys, state: State, event: Event) -> State:
    if event[0] == "start":
        state = _start(sys, event[1])
        if not _within(state, state["at"]):
            sys.exit(0)
    at, by = state["at"], state["by"]
    beyond = state["stop"] + (1 if by > 0 else -1)
    numbers = range(at, beyond, by)[:_BATCH]
    at += by * len(numbers)
    if state["places"] or state["width"]:
        batch = [_shown(number, state["places"]).zfill(state["width"]) for number in numbers]
    else:
        batch = [str(number) for number in numbers]
    sys.tick(len(batch) // 4)
    more = _within(state, at)
    sys.write(1, state["separator"].join(batch) + (state["separator"] if more else "\n"))
    if not more:
        sys.exit(0)
    state["at"] = at
    sys.more()
    return state


def _within(state: State, at: int) -> bool:
    return bool(at <= state["stop"] if state["by"] > 0 else at >= state["stop"])


PROGRAM = Program("seq", "print a sequence of numbers", _USAGE, on=_on)
