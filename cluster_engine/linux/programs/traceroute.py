"""`traceroute` as busybox has it: the node, then who has the address.

What lies between two nodes is one wire here, so there are two steps at most. Whether somebody has the address is asked
of the network as `ping` asks it.
"""

from __future__ import annotations

from cluster_engine.linux.dns import is_address
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs._common import fail, misused, options

MAX_HOPS = 255
"""Steps that may be asked for."""
_USAGE = "traceroute [-46FIlnrv] [-f 1ST_TTL] [-m MAXTTL] [-q PROBES] [-w WAIT_SEC] HOST [BYTES]"
_PROBES = 3
_TOOK = 9
"""µs that a machine needs to answer."""


def _number(sys: Sys, text: str | None, default: int, highest: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 0 < int(text) <= highest):
        fail(sys, f"invalid number '{text}'")
    return int(text)


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            opts = options(sys, argv, "46FIlnrv", "fmqwipst", usage=_USAGE)
            if not 1 <= len(opts.operands) <= 2:
                misused(sys, "", _USAGE)
            state = {
                "host": opts.operands[0],
                "most": _number(sys, opts.value("m"), 30, MAX_HOPS),
                "wait": _number(sys, opts.value("w"), 3, 86_400) * 1_000_000,
                "plain": opts.flag("n"),
                "hop": 0,
                "at": 0,
            }
            if is_address(opts.operands[0]):
                return _begin(sys, state, opts.operands[0])
            sys.resolve(opts.operands[0])
        case ["resolved", _, addresses]:
            return _begin(sys, state, addresses[0])
        case ["unresolved", name, _]:
            fail(sys, f"bad address '{name}'")
        case ["connected", _] | ["failed", _, "refused" | "reset"]:
            _step(sys, state, state["ip"], max(sys.now - state["at"], 2 * _TOOK))
            sys.exit(0)
        case ["failed", _, _] | ["timer", _]:
            state["hop"] += 1
            sys.out(f"{state['hop']:2}  *  *  *\n")
            if state["hop"] >= state["most"]:
                sys.exit(0)
            sys.sleep(state["wait"] * _PROBES)
    return state


def _begin(sys: Sys, state: State, ip: str) -> State:
    state["ip"] = ip
    sys.out(f"traceroute to {state['host']} ({ip}), {state['most']} hops max, 46 byte packets\n")
    own = sys.addresses()
    network = own[0].rpartition(".")[0] if own else ""
    if network and ip.rpartition(".")[0] != network and ip not in own:
        _step(sys, state, f"{network}.1", _TOOK)
        if state["most"] == 1:
            sys.exit(0)
    state["at"] = sys.now
    sys.connect(ip, 7)
    return state


def _step(sys: Sys, state: State, ip: str, took: int) -> None:
    state["hop"] += 1
    times = "".join(f"  {(took - probe) / 1000:.3f} ms" for probe in range(_PROBES))
    sys.out(f"{state['hop']:2}  {ip if state['plain'] else f'{ip} ({ip})'}{times}\n")


PROGRAM = Program("traceroute", "show the way to a host", _USAGE, on=_on)
