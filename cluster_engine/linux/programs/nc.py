"""`nc`: a connection to a port (`-z` only tries it), or with `-l` one that is waited for."""

from __future__ import annotations

from cluster_engine.linux.dns import is_address
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.programs._common import duration, fail, is_busybox, misused, options

_USAGE = "nc [-lnvzku] [-w SEC] [-p PORT] [IPADDR PORT]"
_LINGER = 1_000
_REASONS = {
    "refused": "Connection refused",
    "timeout": "Connection timed out",
    "unreachable": "Host is unreachable",
    "reset": "Connection reset by peer",
}


def _start(sys: Sys, argv: list[str]) -> State:
    opts = options(sys, argv, "zvnlkuNqh46", "wpise", usage=_USAGE)
    if opts.flag("e"):
        fail(sys, "-e is not simulated here; a shell around nc is")
    wait = duration(opts.value("w") or "0")
    if wait is None:
        fail(sys, f"invalid number '{opts.value('w')}'")
    state: State = {
        "zero": opts.flag("z"), "verbose": opts.flag("v"), "keep": opts.flag("k"), "wait": wait, "fd": -1,
        "listener": -1, "host": "", "ip": "", "ports": [], "port": 0, "status": 0, "open": 0, "udp": opts.flag("u"),
        "peer": [], "timer": 0, "closing": 0,
    }  # fmt: skip
    words = opts.operands
    if opts.flag("l"):
        port = opts.value("p") or (words[-1] if words else "")
        if not (port.isdigit() and len(port) < 6):
            misused(sys, "", _USAGE)
        state["port"] = int(port)
        return _listen(sys, state)
    if len(words) != 2:
        misused(sys, "", _USAGE)
    low, dash, high = words[1].partition("-")
    numbers = [low, high] if dash else [low]
    if any(not (each.isdigit() and len(each) < 6 and int(each) < 65_536) for each in numbers):
        fail(sys, f"bad port '{words[1]}'" if is_busybox(sys) else f"port number invalid: {words[1]}")
    state["host"] = words[0]
    state["ports"] = list(range(int(low), int(high if dash else low) + 1))[:1_024]
    if is_address(words[0]):
        state["ip"] = words[0]
        return _try(sys, state)
    sys.resolve(words[0])
    return state


def _listen(sys: Sys, state: State) -> State:
    try:
        if state["udp"]:
            state["fd"] = sys.bind_udp(state["port"])
            sys.read(0)
            return state
        state["listener"] = sys.listen(state["port"])
    except FileError as error:
        fail(sys, f"bind: {error.reason}")
    if state["verbose"]:
        sys.err(
            f"listening on 0.0.0.0:{state['port']} ...\n"
            if is_busybox(sys)
            else f"Listening on 0.0.0.0 {state['port']}\n"
        )
    return state


def _try(sys: Sys, state: State) -> State:
    if not state["ports"]:
        sys.exit(state["status"])
    port = state["port"] = state["ports"].pop(0)
    if state["udp"]:
        state["fd"] = sys.bind_udp(0)
        state["peer"] = [state["ip"], port]
        if state["zero"]:
            sys.exit(0)
        sys.read(0)
        return state
    state["fd"] = sys.connect(state["ip"], port)
    if state["wait"]:
        state["timer"] = sys.sleep(state["wait"])
    return state


def _cancel(sys: Sys, state: State) -> None:
    if state["timer"]:
        sys.cancel(state["timer"])
        state["timer"] = 0


def _connected(sys: Sys, state: State) -> State:
    _cancel(sys, state)
    if state["verbose"]:
        if is_busybox(sys):
            sys.err(f"{state['host']} ({state['ip']}:{state['port']}) open\n")
        else:
            sys.err(f"Connection to {state['host']} {state['port']} port [tcp/*] succeeded!\n")
    if state["zero"]:
        sys.close(state["fd"])
        state["fd"] = -1
        return _try(sys, state)
    sys.read(0)
    sys.read(state["fd"])
    return state


def _failed(sys: Sys, state: State, reason: str) -> State:
    _cancel(sys, state)
    said = _REASONS.get(reason, reason)
    if is_busybox(sys):
        if state["verbose"] or not state["zero"]:
            sys.error(
                f"{state['host']} ({state['ip']}:{state['port']}): {said}"
                if state["verbose"]
                else f"can't connect to remote host ({state['ip']}): {said}"
            )
    elif state["verbose"]:
        sys.error(f"connect to {state['host']} port {state['port']} (tcp) failed: {said}")
    state["status"] = 1
    state["fd"] = -1
    return _try(sys, state)


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["resolved", _, addresses]:
            state["ip"] = addresses[0]
            return _try(sys, state)
        case ["unresolved", name, _]:
            if is_busybox(sys):
                fail(sys, f"bad address '{name}'")
            fail(sys, f'getaddrinfo for host "{name}" port {state["ports"][0]}: Name or service not known')
        case ["connected", _] if state["listener"] < 0:
            return _connected(sys, state)
        case ["failed", fd, reason] if fd == state["fd"]:
            if state["open"]:
                sys.exit(1)
            return _failed(sys, state, reason)
        case ["timer", timer] if timer == state["closing"]:
            sys.exit(0)
        case ["timer", _]:
            if state["fd"] >= 0:
                sys.close(state["fd"])
            return _failed(sys, state, "timeout")
        case ["accepted", _, fd, ip, port]:
            if state["fd"] >= 0:
                sys.close(fd)  # one at a time
                return state
            state["fd"] = fd
            if state["verbose"]:
                sys.err(
                    f"connect to {ip}:{port} from {ip} ({ip}:{port})\n"
                    if is_busybox(sys)
                    else f"Connection received on {ip} {port}\n"
                )
            if not state["open"]:
                sys.read(0)
            sys.read(fd)
            state["open"] = 1
        case ["datagram", fd, ip, port, data]:
            state["peer"] = [ip, port]
            sys.write(1, data)
            if state["closing"]:
                sys.cancel(state["closing"])
                state["closing"] = sys.sleep(state["wait"])
        case ["data", 0, chunk]:
            if state["udp"] and state["peer"]:
                sys.sendto(state["fd"], state["peer"][0], state["peer"][1], chunk)
            elif state["fd"] >= 0:
                sys.write(state["fd"], chunk)
            sys.read(0)
        case ["end", 0]:
            if state["udp"]:
                if state["peer"] and not state["wait"]:
                    sys.exit(0)
                if state["peer"]:
                    state["closing"] = sys.sleep(state["wait"])  # an answer may still come
            elif state["fd"] >= 0:
                sys.shutdown(state["fd"])
        case ["data", fd, chunk] if fd == state["fd"]:
            state["open"] = 1
            sys.write(1, chunk)
            sys.read(fd)
        case ["end", fd] if fd == state["fd"]:
            if not (state["keep"] and state["listener"] >= 0):
                state["closing"] = sys.sleep(_LINGER)  # what is typed already goes out first
                return state
            sys.close(fd)
            state["fd"] = -1
    return state


PROGRAM = Program("nc", "connect to a port", _USAGE, on=_on)
