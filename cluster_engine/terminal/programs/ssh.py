"""`ssh`: a shell on the machine of a node, or a command there (`relay`)."""

from __future__ import annotations

from typing import NamedTuple

from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.text import characters, octets
from cluster_engine.terminal.programs import relay

USAGE = "usage: ssh [-tT] [-l login_name] [-p port] destination [command [argument ...]]\n"
FAILED = 255
PATIENCE = 3_000_000
"""µs until the neighbour of a machine without power gives up asking for it."""
_VALUED = "lpiFoEJbcmLRDWw"
_FLAGS = "tTvqAaCxXNn46"


class Wanted(NamedTuple):
    """What a command line asks for."""

    host: str
    port: str
    command: str
    terminal: bool | None
    """Whether it is to have a terminal, where that is said."""


def asked(words: list[str]) -> Wanted | None:
    """What is asked for by the words after the command; None: that cannot be read."""
    port, terminal, rest = "22", None, list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word[1] in _VALUED:
            value = word[2:] or (rest.pop(0) if rest else "")
            if not value:
                return None
            port = value if word[1] == "p" else port
        elif set(word[1:]) <= set(_FLAGS):
            terminal = "T" not in word if set("tT") & set(word) else terminal
        else:
            return None
    if not rest:
        return None
    return Wanted(rest[0].removeprefix("ssh://").rpartition("@")[2], port, " ".join(rest[1:]), terminal)


def _start(sys: Sys, argv: list[str]) -> State:
    wanted = asked([characters(word) for word in argv[1:]])
    if wanted is None:
        sys.err(USAGE)
        sys.exit(FAILED)
    if wanted.port != "22":
        return {"host": wanted.host, "port": wanted.port, "timer": sys.sleep(0)}
    terminal = not wanted.command if wanted.terminal is None else wanted.terminal
    tty = terminal and all(sys.isatty(fd) for fd in (0, 1, 2))
    command = ["bash", "-c", octets(wanted.command)] if wanted.command else ["bash", "-l"]
    args = {"argv": command, "host": octets(wanted.host)}
    return {**relay.begin(sys, "log-in", args, tty=tty, reads=True), "host": wanted.host, "port": "22"}


def _fail(sys: Sys, state: State, why: str) -> None:
    sys.err(octets(f"ssh: connect to host {state['host']} port {state['port']}: {why}\n"))
    sys.exit(FAILED)


def _end(sys: Sys, state: State, status: int) -> None:
    if state["tty"]:
        sys.err(octets(f"Connection to {state['host']} closed.\n"))
    sys.exit(status)


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["timer", _] if state["port"] != "22":
            _fail(sys, state, "Connection refused")
        case ["timer", _]:
            _fail(sys, state, "No route to host")
        case ["answer", _, ["unknown"]]:
            relay.let_go(sys, state)
            sys.err(octets(f"ssh: Could not resolve hostname {state['host']}: Name or service not known\n"))
            sys.exit(FAILED)
        case ["answer", _, ["unreachable"]]:
            relay.let_go(sys, state)
            sys.trap("INT", "default")
            sys.sleep(PATIENCE)
            return state
    return relay.go_on(sys, state, event, _end)


PROGRAM = Program("ssh", "a shell on the machine of a node", "ssh NODE [COMMAND]", on=_on)
