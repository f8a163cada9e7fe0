"""``etcdctl`` in etcd's container: what the API server keeps, to be looked at.

It asks its host for ranges of keys (``Sys.call("etcd", …)``). Models etcdctl/ctlv3/command/get_command.go.
"""

from __future__ import annotations

from typing import NoReturn

from cluster_engine.linux.program import Event, Exit, Program, State, Sys

_WITH_VALUE = ("--endpoints", "--cacert", "--cert", "--key", "--command-timeout", "--dial-timeout", "--limit")
_FLAGS = ("--prefix", "--keys-only", "--print-value-only")
_BAD_ARGUMENTS = 128
_NEEDS_KEY = "get command needs one argument as key and an optional argument as range_end"


def _fail(sys: Sys, message: str, status: int = 1) -> NoReturn:
    sys.err(f"Error: {message}\n")
    raise Exit(status)


def _not_here(sys: Sys, what: str) -> NoReturn:
    told = f"Drydock does not simulate {what} (a real etcd has it); here are get and version"
    _fail(sys, told)


def _parsed(sys: Sys, argv: list[str]) -> tuple[list[str], dict[str, str]]:
    words: list[str] = []
    options: dict[str, str] = {}
    rest = argv[1:]
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            words.append(word)
        elif name in _FLAGS:
            options[name] = "" if value == "false" else "true"
        elif name in _WITH_VALUE:
            if not equals and not rest:
                _fail(sys, f"flag needs an argument: {name}", _BAD_ARGUMENTS)
            options[name] = value if equals else rest.pop(0)
        else:
            _not_here(sys, f"etcdctl's {name}")
    return words, options


def _started(sys: Sys, argv: list[str]) -> State:
    words, options = _parsed(sys, argv)
    match words:
        case ["version"]:
            sys.out("etcdctl version: 3.7.0\nAPI version: 3.7\n")
            sys.exit(0)
        case ["get", key]:
            limit = options.get("--limit") or "0"
            if not limit.isdecimal():
                _fail(sys, f'invalid argument "{limit}" for "--limit" flag', _BAD_ARGUMENTS)
            asked = {
                "key": key,
                "prefix": bool(options.get("--prefix")),
                "limit": int(limit),
                "values": not options.get("--keys-only"),
            }
            sys.call("etcd", asked)
            return {"value only": bool(options.get("--print-value-only"))}
        case ["get", *_]:
            _fail(sys, _NEEDS_KEY, _BAD_ARGUMENTS)
        case []:
            _not_here(sys, "etcdctl without a command")
        case [command, *_]:
            _not_here(sys, f"etcdctl {command}")
    return {}


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _started(sys, argv)
        case ["answer", _, found]:
            for key, value in (found or {}).get("kvs") or ():
                sys.out(f"{value}\n" if state["value only"] else f"{key}\n{value}\n")
            if (found or {}).get("cut"):
                sys.err("etcdctl: that is not all; a longer prefix, --keys-only or --limit asks for less\n")
            sys.exit(0)
    return state


PROGRAM = Program("etcdctl", on=_on)
