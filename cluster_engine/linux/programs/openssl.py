"""`openssl rand`: a few random bytes as text. Keys, requests and certificates are not made here, and it says so."""

from __future__ import annotations

import base64
from typing import NoReturn

from cluster_engine.linux.program import Event, Exit, Program, State, Sys

MAX_BYTES = 1 << 16
"""Random bytes of one call."""
_WRAP = 64
_HINT = "rand: Use -help for summary."


def _refuse(sys: Sys, *lines: str) -> NoReturn:
    sys.err("".join(f"{line}\n" for line in lines))
    raise Exit(1)


def _start(sys: Sys, argv: list[str]) -> State:
    match argv[1:]:
        case ["version"]:
            sys.out("OpenSSL 3.5.4 30 Sep 2025 (Library: OpenSSL 3.5.4 30 Sep 2025)\n")
            sys.exit(0)
        case ["rand", *words]:
            return _rand(sys, words)
        case [command, *_]:
            _refuse(sys, f"openssl: {command} is not simulated here (rand is); a real openssl has it")
    _refuse(sys, "openssl: a command is wanted here: rand or version")


def _rand(sys: Sys, words: list[str]) -> State:
    form = ""
    while words and words[0].startswith("-"):
        form = words.pop(0)
        if form not in ("-base64", "-hex"):
            _refuse(sys, f"rand: Unknown option: {form}", _HINT)
    if len(words) != 1:
        _refuse(sys, _HINT)
    if not (words[0].isascii() and words[0].isdecimal() and len(words[0]) < 10):
        _refuse(sys, f'rand: Can\'t parse "{words[0]}" as a number', _HINT)
    count = int(words[0])
    if not count:
        _refuse(sys, _HINT)
    if count > MAX_BYTES:
        _refuse(sys, f"openssl: more than {MAX_BYTES} random bytes are not made here")
    source = sys.open("/dev/urandom")
    sys.read(source)
    return {"form": form, "count": count, "held": "", "source": source}


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["data", source, chunk]:
            state["held"] = (state["held"] + chunk)[: state["count"]]
            if len(state["held"]) < state["count"]:
                sys.read(source)
            else:
                _show(sys, state["form"], state["held"])
                sys.exit(0)
    return state


def _show(sys: Sys, form: str, text: str) -> None:
    data = text.encode("latin-1")
    if form == "-hex":
        sys.out(f"{data.hex()}\n")
    elif form == "-base64":
        shown = base64.b64encode(data).decode()
        sys.out("".join(f"{shown[at : at + _WRAP]}\n" for at in range(0, len(shown), _WRAP)))
    else:
        sys.write(1, text)


PROGRAM = Program("openssl", "random bytes as text", "openssl rand [-hex|-base64] NUM", on=_on)
