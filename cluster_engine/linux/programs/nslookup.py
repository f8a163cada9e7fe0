"""`nslookup`: asks a name server for records, as busybox does (and, with other words, as BIND's)."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_engine.linux import dns, resolver
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs import asking
from cluster_engine.linux.programs._common import fail, is_busybox, misused

_USAGE = "nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]"
_RETRY = 2_500_000
"""µs until a question is sent again."""
_TRIES = 2
"""Times that it is sent."""
_SAYS = {"CNAME": "canonical name", "PTR": "name", "SRV": "service"}


def _start(sys: Sys, argv: list[str]) -> State:
    words = [word for word in argv[1:] if not word.startswith("-")]
    if not words:
        misused(sys, "", _USAGE)
    kind = ""
    for word in argv[1:]:
        option, equals, value = word.partition("=")
        if option.startswith("-") and equals:
            kind = value.upper()
            if kind not in dns.TYPES:
                fail(sys, f'invalid query type "{value}"')
    given = asking.configured(sys)
    name = words[0]
    names = [name.rstrip(".").lower()]
    if dns.is_address(name) and not kind:
        kind, names = "PTR", [dns.reversed_address(name)]
    elif len(words) < 2 and kind != "PTR":
        names = resolver.questions(name, given)
    state: State = {
        "name": names[0] if kind == "PTR" else name, "kinds": [kind] if kind else ["A", "AAAA"], "names": names,
        **asking.blank(given), "told": [], "status": 0,
    }  # fmt: skip
    if not names:
        return _print(sys, state | {"told": [_failed(name)], "status": 1})
    if len(words) < 2:
        return _ask(sys, state)
    if dns.is_address(words[1]):
        return _ask(sys, state | {"server": words[1]})
    sys.resolve(words[1])
    return state


def _ask(sys: Sys, state: State) -> State:
    """The next question goes out."""
    asking.ask(sys, state, state["kinds"][0], state["names"][0], _RETRY)
    return state


def _answered(sys: Sys, state: State, data: str) -> State:
    answer = asking.answered(sys, state, data)
    if answer is None:
        return state
    missing = answer.code == dns.NO_SUCH_NAME
    if missing and len(state["names"]) > 1:
        state["names"] = state["names"][1:]
        return _ask(sys, state)
    if missing:
        state["told"], state["status"] = [*state["told"], _failed(state["name"])], 1
    else:
        state["told"] = [*state["told"], "".join(_rows(answer))]
    state["kinds"] = state["kinds"][1:]
    return _ask(sys, state) if state["kinds"] else _print(sys, state)


def _again(sys: Sys, state: State) -> State:
    if state["sent"] == _TRIES:
        sys.out(";; connection timed out; no servers could be reached\n\n")
        sys.exit(1)
    asking.again(sys, state, _RETRY)
    return state


def _rows(answer: dns.Answer) -> Iterator[str]:
    for record in answer.records:
        if record.type in ("A", "AAAA"):
            yield f"Name:\t{record.name}\nAddress: {record.data}\n"
        elif record.type in _SAYS:
            yield f"{record.name}\t{_SAYS[record.type]} = {record.data}\n"


def _failed(name: str) -> str:
    return f"** server can't find {name}: NXDOMAIN\n"


def _print(sys: Sys, state: State) -> State:
    busybox = is_busybox(sys)
    server, told = state["server"], state["told"]
    sys.out(f"Server:\t\t{server}\nAddress:\t{server}{':53' if busybox else '#53'}\n\n")
    if not busybox:
        told = [text for text in dict.fromkeys(told) if text] or [
            f"*** Can't find {state['name']}: No answer\n"
        ]
    sys.out("".join(f"{text}\n" for text in told))
    sys.exit(state["status"])


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["resolved", _, addresses]:
            state["server"] = addresses[0]
            return _ask(sys, state)
        case ["unresolved", name, _]:
            fail(sys, f"bad address '{name}'")
        case ["datagram", _, _, _, data]:
            return _answered(sys, state, data)
        case ["timer", _]:
            return _again(sys, state)
    return state


PROGRAM = Program("nslookup", "ask the DNS", _USAGE, on=_on)
