"""`host`, BIND's: what names mean, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_engine.linux import dns, resolver
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs import asking

_USAGE = "host [-t type] hostname [server]"
_RETRY = 5_000_000
"""µs until a question is sent again."""
_TRIES = 2
"""Times that it is sent."""
_SAYS = {
    "A": "has address {0}",
    "AAAA": "has IPv6 address {0}",
    "CNAME": "is an alias for {0}.",
    "PTR": "domain name pointer {0}.",
    "SRV": "has SRV record {0}.",
}


def _start(sys: Sys, argv: list[str]) -> State:
    words, kind = argv[1:], ""
    if "-t" in words and words.index("-t") + 1 < len(words):
        at = words.index("-t")
        kind = words[at + 1].upper()
        words = [*words[:at], *words[at + 2 :]]
    words = [word for word in words if not word.startswith("-")]
    if not words or (kind and kind not in dns.TYPES):
        sys.err(f"Usage: {_USAGE}\n")
        sys.exit(1)
    name, given = words[0], asking.configured(sys)
    if dns.is_address(name):
        kind, names = "PTR", [dns.reversed_address(name)]
    else:
        names = resolver.questions(name, given) or [name]
    state: State = {
        **asking.blank(given), "name": name if kind != "PTR" else names[0] + ".", "names": names,
        "types": [kind] if kind else ["A", "AAAA", "MX"], "own": bool(kind),
    }  # fmt: skip
    if len(words) > 1 and not dns.is_address(words[1]):
        state["to"] = words[1]
        sys.resolve(words[1])
        return state
    if len(words) > 1:
        _using(sys, state, words[1], words[1])
    return _ask(sys, state)


def _using(sys: Sys, state: State, name: str, ip: str) -> None:
    state["server"] = ip
    sys.out(f"Using domain server:\nName: {name}\nAddress: {ip}#53\nAliases: \n\n")


def _ask(sys: Sys, state: State) -> State:
    asking.ask(sys, state, state["types"][0], state["names"][0], _RETRY)
    return state


def _answered(sys: Sys, state: State, data: str) -> State:
    answer = asking.answered(sys, state, data)
    if answer is None:
        return state
    if answer.code == dns.NO_SUCH_NAME:
        if len(state["names"]) > 1:
            state["names"] = state["names"][1:]
            return _ask(sys, state)
        return _ends(sys, f"Host {state['name']} not found: 3(NXDOMAIN)\n", 1)
    # Of an alias the first answer says it; the names behind it are not asked for again.
    aliases = answer.records if state["types"][0] == "A" or state["own"] else ()
    for line in _lines(answer.records, aliases):
        sys.out(line)
    if not answer.records and state["own"]:
        sys.out(f"{state['names'][0]} has no {state['types'][0]} record\n")
    state["types"] = state["types"][1:]
    return _ask(sys, state) if state["types"] else _ends(sys, "", 0)


def _ends(sys: Sys, text: str, status: int) -> State:
    sys.out(text)
    sys.exit(status)


def _lines(records: tuple[dns.Record, ...], aliases: tuple[dns.Record, ...]) -> Iterator[str]:
    for record in records:
        if record.type in _SAYS and (record.type != "CNAME" or record in aliases):
            yield f"{record.name} {_SAYS[record.type].format(record.data)}\n"


def _again(sys: Sys, state: State) -> State:
    if state["sent"] < _TRIES:
        asking.again(sys, state, _RETRY)
        return state
    return _ends(sys, ";; connection timed out; no servers could be reached\n", 1)


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["resolved", _, addresses]:
            _using(sys, state, state["to"], addresses[0])
            return _ask(sys, state)
        case ["unresolved", name, _]:
            sys.err(f"host: couldn't get address for '{name}': not found\n")
            sys.exit(1)
        case ["datagram", _, _, _, data]:
            return _answered(sys, state, data)
        case ["timer", _]:
            return _again(sys, state)
    return state


PROGRAM = Program("host", "ask the DNS", _USAGE, on=_on)
