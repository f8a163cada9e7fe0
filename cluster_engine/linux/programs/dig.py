"""`dig`, BIND's: asks a name server and shows the answer whole."""

from __future__ import annotations

from datetime import UTC, datetime
from zlib import crc32

from cluster_engine.linux import dns, resolver
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs import asking
from cluster_engine.linux.programs._common import duration

_USAGE = "dig [@global-server] [domain] [q-type] {q-opt}"
_VERSION = "9.20.10"
_RETRY = 5_000_000
"""µs until a question is sent again."""
_TRIES = 3
"""Times that it is sent."""
_TTL = 30
"""Seconds (the ``ttl`` of kubeadm's Corefile)."""
_SHOWN = ("cmd", "comments", "question", "answer", "stats")
_TAB = 8


def _start(sys: Sys, argv: list[str]) -> State:
    given = asking.configured(sys)
    state: State = {
        **asking.blank(given), "names": [], "type": "A", "short": False, "search": False, "shown": list(_SHOWN),
        "line": " ".join(argv[1:]), "began": sys.now, "pause": _RETRY, "tries": _TRIES, "to": "",
    }  # fmt: skip
    name, words = "", argv[1:]
    while words:
        word = words.pop(0)
        if word.startswith("@"):
            state["to"] = word[1:]
        elif word.startswith("+"):
            _option(sys, state, word)
        elif word in ("-t", "-q", "-x", "-p") and words:
            value = words.pop(0)
            if word == "-t":
                state["type"] = value.upper()
            elif word == "-q":
                name = value
            elif word == "-x" and dns.is_address(value):
                name, state["type"] = dns.reversed_address(value), "PTR"
        elif word.upper() in dns.TYPES:
            state["type"] = word.upper()
        elif not word.startswith("-"):
            name = word
    if not name or state["type"] not in dns.TYPES:
        sys.err(f'Usage:  {_USAGE}\n\nUse "dig -h" (or "dig -h | more") for complete list of options\n')
        sys.exit(1)
    state["names"] = resolver.questions(name, given) if state["search"] else [name.rstrip(".").lower()]
    if not state["to"] or dns.is_address(state["to"]):
        state["server"] = state["to"] or state["server"]
        return _ask(sys, state)
    sys.resolve(state["to"])
    return state


def _option(sys: Sys, state: State, word: str) -> None:
    name, _, value = word[1:].partition("=")
    wanted = not name.startswith("no")
    name = name.removeprefix("no")
    if name == "all":
        state["shown"] = list(_SHOWN) if wanted else []
    elif name in _SHOWN:
        state["shown"] = [each for each in _SHOWN if (wanted if each == name else each in state["shown"])]
    elif name in ("short", "search"):
        state[name] = wanted
    elif name in ("time", "timeout") and (pause := duration(value)) is not None:
        state["pause"] = max(pause, 1_000_000)
    elif name in ("tries", "retry") and value.isdecimal() and len(value) < 3:
        state["tries"] = max(1, int(value) + (name == "retry"))


def _ask(sys: Sys, state: State) -> State:
    asking.ask(sys, state, state["type"], state["names"][0], state["pause"])
    return state


def _answered(sys: Sys, state: State, data: str) -> State:
    answer = asking.answered(sys, state, data)
    if answer is None:
        return state
    if answer.code == dns.NO_SUCH_NAME and len(state["names"]) > 1:
        state["names"] = state["names"][1:]
        return _ask(sys, state)
    return _show(sys, state, answer)


def _show(sys: Sys, state: State, answer: dns.Answer) -> State:
    if state["short"]:
        sys.out("".join(f"{_data(record)}\n" for record in answer.records))
    else:
        sys.out(_whole(sys, state, answer))
    sys.exit(0)


def _whole(sys: Sys, state: State, answer: dns.Answer) -> str:
    shown, name, server = state["shown"], state["names"][0], state["server"]
    text = ""
    if "cmd" in shown:
        text += f"\n; <<>> DiG {_VERSION} <<>> {state['line']}\n;; global options: +cmd\n"
    if "comments" in shown:
        number = crc32(f"{name}{sys.now}".encode()) & 0xFFFF
        text += (
            f";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {answer.code}, id: {number}\n"
            f";; flags: qr aa rd; QUERY: 1, ANSWER: {len(answer.records)}, AUTHORITY: 0, ADDITIONAL: 1\n"
            ";; WARNING: recursion requested but not available\n\n"
            ";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n"
        )
    if "question" in shown:
        text += (";; QUESTION SECTION:\n" if "comments" in shown else "") + ";"
        text += _columns((f"{name}.", 0), ("IN", 32), (state["type"], 40)) + "\n\n"
    if "answer" in shown and answer.records:
        text += ";; ANSWER SECTION:\n" if "comments" in shown else ""
        for record in answer.records:
            row = (
                (f"{record.name}.", 0),
                (str(_TTL), 24),
                ("IN", 32),
                (record.type, 40),
                (_data(record), 48),
            )
            text += _columns(*row) + "\n"
        text += "\n" if "comments" in shown or "stats" in shown else ""
    if "stats" in shown:
        when = datetime.fromtimestamp(sys.now // 1_000_000, UTC)
        size = 12 + len(name) + 6 + 11 + sum(_size(record) for record in answer.records)
        text += (
            f";; Query time: {(sys.now - state['began']) // 1000} msec\n;; SERVER: {server}#53({server}) (UDP)\n"
            f";; WHEN: {when:%a %b %d %H:%M:%S UTC %Y}\n;; MSG SIZE  rcvd: {size}\n\n"
        )
    return text


def _columns(*cells: tuple[str, int]) -> str:
    """Cells from their columns on, as BIND indents: tabs as far as they go, then spaces, one at least."""
    text, at = cells[0][0], len(cells[0][0])
    for cell, column in cells[1:]:
        to = max(column, at + 1)
        tabs = to // _TAB - at // _TAB
        spaces = to - (to // _TAB * _TAB if tabs else at)
        text += "\t" * tabs + " " * spaces + cell
        at = to + len(cell)
    return text


def _data(record: dns.Record) -> str:
    return record.data + ("." if record.type in ("CNAME", "PTR", "SRV") else "")


def _size(record: dns.Record) -> int:
    """Bytes of a record whose name stands in the message already."""
    if record.type == "A":
        return 12 + 4
    return 12 + len(record.data.rpartition(" ")[2]) + 2 + (6 if record.type == "SRV" else 0)


def _again(sys: Sys, state: State) -> State:
    server = state["server"]
    if not state["short"] or state["sent"] == state["tries"]:
        sys.out(f";; communications error to {server}#53: timed out\n")
    if state["sent"] < state["tries"]:
        asking.again(sys, state, state["pause"])
        return state
    return _give_up(sys, state)


def _give_up(sys: Sys, state: State) -> State:
    if "cmd" in state["shown"] and not state["short"]:
        sys.out(f"\n; <<>> DiG {_VERSION} <<>> {state['line']}\n;; global options: +cmd\n")
    sys.out(";; no servers could be reached\n" + ("" if state["short"] else "\n"))
    sys.exit(9)


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["resolved", _, addresses]:
            state["server"] = addresses[0]
            return _ask(sys, state)
        case ["unresolved", name, _]:
            sys.err(f"dig: couldn't get address for '{name}': not found\n")
            sys.exit(10)
        case ["datagram", _, _, _, data]:
            return _answered(sys, state, data)
        case ["timer", _]:
            return _again(sys, state)
    return state


PROGRAM = Program("dig", "ask the DNS", _USAGE, on=_on)
