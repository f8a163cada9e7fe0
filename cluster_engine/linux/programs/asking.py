"""Questions to a name server over UDP, as `nslookup`, `dig` and `host` ask them: one at a time, and again when nobody
answers.

A program's state holds ``server``, ``fd`` (-1 before the first question), ``number``, ``asked`` ([type, name]),
``sent`` (how often) and ``timer`` (0: answered).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.linux import dns, resolver
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import State, Sys


def configured(sys: Sys) -> resolver.Config:
    """What /etc/resolv.conf says."""
    try:
        return resolver.config(sys.fs.read("/etc/resolv.conf"))
    except FileError:
        return resolver.config("")


def blank(given: resolver.Config) -> dict[str, Any]:
    """The part of a state that is this module's."""
    server = given.servers[0] if given.servers else "127.0.0.1"
    return {"server": server, "fd": -1, "number": 0, "asked": ["", ""], "sent": 0, "timer": 0}


def ask(sys: Sys, state: State, type: str, name: str, pause: int) -> None:
    """A question goes out; ``timer`` is due after ``pause`` µs."""
    if state["fd"] < 0:
        state["fd"] = sys.bind_udp(0)
    state["number"] += 1
    state["asked"], state["sent"] = [type, name], 0
    again(sys, state, pause)


def again(sys: Sys, state: State, pause: int) -> None:
    """The same question once more."""
    state["sent"] += 1
    state["timer"] = sys.sleep(pause)
    type, name = state["asked"]
    sys.sendto(state["fd"], state["server"], dns.PORT, dns.question(state["number"], name, type))


def answered(sys: Sys, state: State, data: str) -> dns.Answer | None:
    """The answer to the question that is out, None for what is none."""
    answer = dns.read_answer(data)
    if answer is None or answer.number != state["number"] or not state["timer"]:
        return None
    sys.cancel(state["timer"])
    state["timer"] = 0
    return answer
