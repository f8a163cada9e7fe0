"""The program: it asks its host (``Sys.call("etcd", …)``) and prints; a watch asks again each second."""

from __future__ import annotations

from typing import Any, NoReturn

from cluster_engine.container_runtime.etcdctl import printers
from cluster_engine.container_runtime.etcdctl.flags import (
    FAILED,
    HERE,
    Refused,
    endpoints,
    not_simulated,
    of_get,
    of_watch,
    parsed,
)
from cluster_engine.linux.program import Event, Exit, Program, State, Sys

_SECOND = 1_000_000
_INTERRUPTED = 5


def _fail(sys: Sys, message: str, status: int = FAILED) -> NoReturn:
    sys.err(f"Error: {message}\n")
    raise Exit(status)


def _started(sys: Sys, argv: list[str]) -> State:
    try:
        words, options = parsed(argv[1:])
        asked = _asked(sys, words, options)
    except Refused as refused:
        _fail(sys, str(refused), refused.status)
    sys.call("etcd", {**asked, "node": sys.hostname})
    return {"asked": asked, "words": words, "options": options}


def _asked(sys: Sys, words: list[str], options: dict[str, Any]) -> dict[str, Any]:
    match words:
        case ["version"]:
            sys.out(f"etcdctl version: {printers.VERSION}\nAPI version: 3.7\n")
            sys.exit(0)
        case ["get", *more]:
            return of_get(more, options)
        case ["watch", *more]:
            return of_watch(more, options)
        case ["endpoint", "status" | "health"]:
            return {"op": "status"}
        case ["endpoint", other, *_]:
            raise not_simulated(f"etcdctl endpoint {other}")
    raise Refused(f"Drydock's etcdctl is told what to do; {HERE}", FAILED)


def _answered(sys: Sys, state: State, answer: dict[str, Any]) -> NoReturn:
    options, form = state["options"], state["options"]["--write-out"]
    match state["words"]:
        case ["get", *_]:
            if "error" in answer:
                _fail(sys, answer["error"])
            sys.out(printers.ranged(answer, form, bool(options.get("--print-value-only"))))
            if answer["cut"]:
                sys.err("etcdctl: that is not all; a longer prefix, --keys-only or --limit asks for less\n")
        case ["endpoint", "status"]:
            sys.out(printers.status(answer, endpoints(options), form))
        case _:
            sys.out(printers.health(endpoints(options), form))
    sys.exit(0)


def _watched(sys: Sys, state: State, answer: dict[str, Any]) -> State:
    options, asked = state["options"], state["asked"]
    if "error" in answer:
        sys.err(f"watch was canceled ({answer['error']})\n")
        _fail(sys, "watch is canceled by the server", _INTERRUPTED)
    if answer["events"]:
        sys.out(printers.watched(answer, options["--write-out"], bool(options.get("--prev-kv"))))
    sys.sleep(_SECOND)
    return {**state, "asked": {**asked, "since": answer["upto"]}}


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _started(sys, argv)
        case ["answer", _, answer]:
            if answer is None:
                _fail(sys, "context deadline exceeded")
            if state["words"][0] == "watch":
                return _watched(sys, state, answer)
            _answered(sys, state, answer)
        case ["timer", _]:
            sys.call("etcd", {**state["asked"], "node": sys.hostname})
    return state


PROGRAM = Program("etcdctl", on=_on, version=2)
