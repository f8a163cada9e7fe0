"""`getent hosts` and `ping`: what names and addresses answer."""

from __future__ import annotations

from cluster_engine.linux.dns import is_address
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs._common import account, duration, fail, is_busybox, misused, options


def _getent(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            if len(argv) < 3 or argv[1] not in ("hosts", "ahosts", "ahostsv4", "passwd", "group"):
                sys.err("Usage: getent [option]... database [key ...]\n")
                sys.exit(1)
            if argv[1] in ("passwd", "group"):
                sys.exit(_entry(sys, f"/etc/{argv[1]}", argv[2]))
            sys.resolve(argv[2])
            return {"name": argv[2]}
        case ["resolved", _, addresses]:
            sys.out("".join(f"{address:<15} {state['name']}\n" for address in addresses))
            sys.exit(0)
        case ["unresolved", _, _]:
            sys.exit(2)
    return state


def _entry(sys: Sys, file: str, key: str) -> int:
    number = account(sys, file, key)
    try:
        rows = sys.fs.read(file).split("\n")
    except FileError:
        rows = []
    for row in rows:
        parts = row.split(":")
        if len(parts) > 2 and (parts[0] == key or (number is not None and parts[2] == str(number))):
            sys.out(row + "\n")
            return 0
    return 2


_PING = "ping [OPTIONS] HOST"


def _ping(sys: Sys, state: State, event: Event) -> State:
    """A node answers for its Pods: whether an address is one is asked of the network by a connection to port 7,
    which is refused (so somebody is there) or not answered at all."""
    match event:
        case ["start", argv]:
            opts = options(sys, argv, "qn46fv", "cWwisIt", usage=_PING)
            if len(opts.operands) != 1:
                misused(sys, "", _PING)
            count = opts.value("c") or "0"
            gap, limit = duration(opts.value("i") or "1"), duration(opts.value("w") or "inf")
            wait = duration(opts.value("W") or "10")
            if not (count.isdigit() and len(count) < 7) or gap is None or limit is None or wait is None:
                fail(sys, f"invalid number '{count}'")
            sys.trap("INT", "catch")
            state = {
                "host": opts.operands[0], "ip": "", "count": int(count), "gap": max(gap, 200_000), "sent": 0, "got": 0,
                "quiet": opts.flag("q"), "until": sys.now + limit, "wait": wait, "fd": -1, "at": 0, "late": 0,
            }  # fmt: skip
            if is_address(opts.operands[0]):
                return _ping_first(sys, state, opts.operands[0])
            sys.resolve(opts.operands[0])
        case ["resolved", _, addresses]:
            return _ping_first(sys, state, addresses[0])
        case ["unresolved", name, _]:
            fail(
                sys,
                f"bad address '{name}'" if is_busybox(sys) else f"{name}: Name or service not known",
                1 if is_busybox(sys) else 2,
            )
        case ["connected", fd] | ["failed", fd, "refused" | "reset"]:
            return _ping_answered(sys, state, fd)
        case ["failed", _, _]:
            state["fd"] = -1
        case ["timer", timer]:
            if timer == state["late"]:
                return _ping_ends(sys, state)
            if (state["count"] and state["sent"] >= state["count"]) or sys.now >= state["until"]:
                return _ping_ends(sys, state)
            return _ping_once(sys, state)
        case ["signal", _]:
            return _ping_ends(sys, state)
    return state


def _ping_first(sys: Sys, state: State, ip: str) -> State:
    state["ip"] = ip
    if is_busybox(sys):
        sys.out(f"PING {state['host']} ({ip}): 56 data bytes\n")
    else:
        sys.out(f"PING {state['host']} ({ip}) 56(84) bytes of data.\n")
    return _ping_once(sys, state)


def _ping_once(sys: Sys, state: State) -> State:
    if state["fd"] >= 0:
        sys.close(state["fd"])
    state["at"] = sys.now
    state["sent"] += 1
    state["fd"] = sys.connect(state["ip"], 7)
    last = state["count"] and state["sent"] >= state["count"]
    timer = sys.sleep(state["wait"] if last else state["gap"])
    state["late"] = timer if last else 0
    return state


def _ping_answered(sys: Sys, state: State, fd: int) -> State:
    if fd != state["fd"]:
        return state
    state["fd"] = -1
    state["got"] += 1
    micros = max(sys.now - state["at"], 50)
    if not state["quiet"]:
        time = f"{micros // 1000}.{micros % 1000:03d}"
        number = state["sent"] - 1 if is_busybox(sys) else state["sent"]
        mark = "seq" if is_busybox(sys) else "icmp_seq"
        sys.out(f"64 bytes from {state['ip']}: {mark}={number} ttl=64 time={time} ms\n")
    if state["count"] and state["sent"] >= state["count"]:
        return _ping_ends(sys, state)
    return state


def _ping_ends(sys: Sys, state: State) -> State:
    sent, got = state["sent"], state["got"]
    lost = (sent - got) * 100 // sent if sent else 0
    sys.out(f"\n--- {state['host']} ping statistics ---\n")
    word = "packets received" if is_busybox(sys) else "received"
    sys.out(f"{sent} packets transmitted, {got} {word}, {lost}% packet loss\n")
    sys.exit(0 if got else 1)


GETENT = Program("getent", "look something up", "getent hosts NAME", on=_getent)
PING = Program("ping", "see whether an address answers", _PING, on=_ping)
