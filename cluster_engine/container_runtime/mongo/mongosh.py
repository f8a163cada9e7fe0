"""`mongosh` (and `mongo`, as it was called): what is read from `--eval`, a file or a terminal, and what is printed."""

from __future__ import annotations

import re
from typing import Any

from cluster_engine.container_runtime.clients import Client, program
from cluster_engine.container_runtime.mongo.language import Unread, read
from cluster_engine.container_runtime.mongo.printing import shown
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Exit, Program, State, Sys
from cluster_engine.linux.programs._common import options
from cluster_engine.linux.text import characters, octets

_LONG = {
    "eval": "e", "host": "h", "port": "P", "username": "u", "password": "p", "quiet": "q", "file": "f",
    "authenticationDatabase": "a", "norc": "n", "nodb": "N", "version": "V", "json": "j",
}  # fmt: skip
_DATABASE = re.compile(r"[A-Za-z0-9_-]{1,63}")


def _start(sys: Sys, argv: list[str]) -> State:
    opts = options(sys, argv, "qnNV", "ehPupfaj", _LONG, status=1)
    if opts.flag("V"):
        sys.out("2.5.8\n")
        raise Exit(0)
    host, port, database = opts.value("h") or "", opts.value("P") or "", ""
    user, password = opts.value("u") or "", opts.value("p") or ""
    for word in opts.operands[:1]:
        rest = word.partition("://")[2] or word
        given, _, rest = rest.rpartition("@")
        user, _, password = given.partition(":") if given else (user, "", password)
        place, slash, tail = rest.partition("/")
        if "://" not in word and not slash and ":" not in place:
            place, tail = "", place
        host, _, number = place.partition(":") if place else (host, "", port)
        port, database = number or port, tail.partition("?")[0]
    host, _, number = host.partition(":")
    port = number or port or "27017"
    if not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536):
        sys.err(f"MongoParseError: Invalid port: {port}\n")
        raise Exit(1)
    queue = ["\n".join(opts.given.get("e", ()))] if opts.given.get("e") else []
    if opts.value("f"):
        try:
            queue.append(sys.fs.read(str(opts.value("f"))))
        except FileError as error:
            sys.err(f"Error: ENOENT: {error.reason}\n")
            raise Exit(1) from None
    tty = sys.isatty(0) and not queue
    return {
        "host": host, "port": int(port), "login": None, "queue": queue, "stdin": not queue, "interactive": tty,
        "status": 0, "lost": 1, "database": database or "test", "user": user, "password": password,
    }  # fmt: skip


def _unreachable(sys: Sys, state: State, reason: str) -> None:
    place = f"{state['ip'] or state['host']}:{state['port']}"
    why = {
        "refused": f"connect ECONNREFUSED {place}",
        "timeout": f"connect ETIMEDOUT {place}",
        "name": f"getaddrinfo ENOTFOUND {state['host']}",
    }.get(reason, f"connect EHOSTUNREACH {place}")
    sys.err(f"MongoNetworkError: {why}\n")


def _take(sys: Sys, state: State, line: str) -> Any:
    text = characters(line).strip().rstrip(";").strip()
    words = text.split()
    if words[:1] == ["use"] and len(words) == 2:
        if _DATABASE.fullmatch(words[1]) is None:
            return _wrong(sys, state, f"MongoInvalidArgumentError: Database name {words[1]!r} is not valid")
        same = state["database"] == words[1]
        state["database"] = words[1]
        sys.out(f"{'already on' if same else 'switched to'} db {words[1]}\n")
        return None
    if words in (["exit"], ["quit"], ["quit()"]):
        raise Exit(state["status"])
    if not words:
        return None
    asks: list[Any]
    if words[0] == "show" and len(words) == 2:
        if words[1] not in ("dbs", "databases", "collections", "tables"):
            return _wrong(
                sys,
                state,
                f"MongoshInvalidInputError: [COMMON-10001] '{words[1]}' is not a valid argument for \"show\".",
            )
        asks = ["show", words[1]]
    else:
        try:
            asks = ["run", read(text)]
        except (Unread, IndexError) as problem:
            return _wrong(sys, state, str(problem))
    return {"user": state["user"], "password": state["password"], "database": state["database"], "asks": asks}


def _wrong(sys: Sys, state: State, text: str) -> None:
    state["status"] = 1 if not state["interactive"] else 0
    sys.err(octets(f"{text}\n"))


def _answer(sys: Sys, state: State, answer: Any) -> None:
    if "error" in answer:
        _wrong(sys, state, answer["error"])
        if "Authentication" in answer["error"] and not state["interactive"]:
            raise Exit(1)
        return
    text = answer["text"] if "text" in answer else shown(answer["value"])
    if isinstance(answer.get("value"), str):
        text = answer["value"]
    if text:
        sys.out(octets(f"{text}\n"))


def _greeting(state: State) -> str:
    return f"Connecting to:\t\tmongodb://{state['ip']}:{state['port']}/\nUsing Mongosh:\t\t2.5.8\n\n"


_CLIENT = Client(_start, _unreachable, _take, _answer, lambda state: f"{state['database']}> ", _greeting)


def mongosh(name: str) -> Program:
    """The program, by one of its names."""
    return program(name, _CLIENT)
