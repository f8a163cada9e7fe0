"""What the clients of databases share: finding the server, and lines from arguments, a file or a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cluster_engine.linux.dns import is_address
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.text import octets

MAX_ANSWER = 4 << 20
"""Bytes of one answer that a client reads."""
MAX_HELD = 64 * 1024
"""Bytes of a statement that has not ended yet."""


def _line_of_json(text: str) -> tuple[Any, str] | None:
    line, end, rest = text.partition("\n")
    return (json.loads(line), rest) if end else None


@dataclass(frozen=True, slots=True)
class Client:
    """What is particular to one client. Its state has ``host``, ``port``, ``login`` (the first request, or None),
    ``queue`` (lines to take),
    ``interactive``, ``stdin`` and ``status``."""

    start: Callable[[Sys, list[str]], State]
    """Reads the arguments."""
    unreachable: Callable[[Sys, State, str], None]
    """Tells why there is no server."""
    take: Callable[[Sys, State, str], Any]
    """A line: the request that it comes to, None: none (yet), or it was the client's own."""
    answer: Callable[[Sys, State, Any], None]
    """Prints an answer."""
    prompt: Callable[[State], str]
    greeting: Callable[[State], str]
    encode: Callable[[Any], str] = lambda asked: octets(json.dumps(asked)) + "\n"
    """A request on its way."""
    decode: Callable[[str], tuple[Any, str] | None] = _line_of_json
    """The first answer of what has come, and the rest; None while it is not whole."""


def program(name: str, given: Client) -> Program:
    """The program."""

    def on(sys: Sys, state: State, event: Event) -> State:
        match event:
            case ["start", argv]:
                state = given.start(sys, argv)
                state.update(ip="", got="", ready=False, rest="", fd=-1)
                if not state["host"]:
                    return _connect(sys, state, "127.0.0.1")
                if is_address(state["host"]):
                    return _connect(sys, state, state["host"])
                sys.resolve(state["host"])
            case ["resolved", _, addresses]:
                return _connect(sys, state, addresses[0])
            case ["connected", _]:
                if state["login"] is not None:
                    _send(given, sys, state, state["login"])
                    return state
                return _next(given, sys, _welcomed(given, sys, state))
            case ["unresolved", *_]:
                given.unreachable(sys, state, "name")
                sys.exit(state["lost"])
            case ["failed", fd, reason] if fd == state["fd"]:
                given.unreachable(sys, state, reason)
                sys.exit(state["lost"])
            case ["end", fd] if fd == state["fd"]:
                sys.exit(state["lost"])
            case ["data", fd, chunk] if fd == state["fd"]:
                state["got"] += chunk
                try:
                    found = given.decode(state["got"])
                except ValueError:
                    sys.exit(state["lost"])
                if found is not None:
                    answer, state["got"] = found
                    given.answer(sys, state, answer)
                    return _next(given, sys, _welcomed(given, sys, state))
                if len(state["got"]) > MAX_ANSWER:
                    sys.exit(state["lost"])
                sys.read(fd)
            case ["data", 0, chunk]:
                *lines, state["rest"] = (state["rest"] + chunk).split("\n")
                if len(state["rest"]) > MAX_HELD:
                    sys.exit(1)
                state["queue"] = [*state["queue"], *lines]
                return _next(given, sys, state)
            case ["end" | "failed", 0, *_]:
                state["queue"] = [*state["queue"], *([state["rest"]] if state["rest"] else [])]
                state["rest"], state["stdin"] = "", False
                return _next(given, sys, state)
        return state

    return Program(name, on=on)


def _connect(sys: Sys, state: State, ip: str) -> State:
    state["ip"] = ip
    state["fd"] = sys.connect(ip, state["port"])
    return state


def _send(given: Client, sys: Sys, state: State, asked: Any) -> None:
    sys.write(state["fd"], given.encode(asked))
    sys.read(state["fd"])


def _welcomed(given: Client, sys: Sys, state: State) -> State:
    """The server has let the client in."""
    if not state["ready"]:
        state["ready"] = True
        if state["interactive"]:
            sys.out(given.greeting(state))
    return state


def _next(given: Client, sys: Sys, state: State) -> State:
    """The next line that comes to a request; the end, when there is none and none will come."""
    while state["queue"]:
        line, *rest = state["queue"]
        state["queue"] = rest
        asked = given.take(sys, state, line)
        if asked is not None:
            _send(given, sys, state, asked)
            return state
    if not state["stdin"]:
        sys.exit(state["status"])
    if state["interactive"]:
        sys.out(given.prompt(state))
    sys.read(0)
    return state
