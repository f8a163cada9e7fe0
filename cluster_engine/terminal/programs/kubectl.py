"""`kubectl`: the real one, which runs beside the machine; this program moves its bytes and signals.

It asks its host to `run` it. The host answers `["out", fd, text]` (each is taken back with `["took", n]`), `["more"]`
(it has written what it was given), `["stop"]` (Ctrl-Z was typed), `["differ", live, merged]` (`kubectl diff` has laid
two folders there), and at last `["ended", status, interrupted, unread]` or `["lost"]`; it is told `["input", text]`,
`["end"]`, `["signal", name]`, `["resize", cols, rows]`.
"""

from __future__ import annotations

from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.text import characters, octets
from cluster_engine.terminal.forwarding import forward
from cluster_engine.terminal.kubectl import reads_input, refuse, subcommands
from cluster_engine.terminal.programs import kubectl_edit
from cluster_engine.terminal.unserved import sentence

STOPPED = 137
REFUSAL = 1_000
"""Bytes of what it said last that are looked at when it fails."""
_RAW = {"canonical": False, "echo": False, "signals": False, "output": False}


def _start(sys: Sys, argv: list[str]) -> State:
    words = [characters(word) for word in argv]
    refusal = refuse(words)
    if refusal is not None:
        sys.error(octets(refusal))
        sys.exit(1)
    command = next(iter(subcommands(words)), "")
    if command == "edit" and "-h" not in words and "--help" not in words:
        sys.exec(["sh", "-c", octets(kubectl_edit.script(words, sys.pid)), "kubectl"])
    if command == "port-forward" and len(subcommands(words)) > 2 and "--help" not in words:
        wanted = forward(words)
        if wanted is None:
            sys.error(
                "port-forward opens a port on this machine, where nothing can reach it; name a Pod or a Service"
            )
            sys.exit(1)
        return {"call": sys.call("preview", list(wanted)), "ending": False, "modes": None}
    tty = command != "diff" and all(sys.isatty(fd) for fd in (0, 1, 2))
    cols, rows = sys.window(0) or (80, 24)
    state: State = {
        "tty": tty, "reads": reads_input(words), "modes": None, "call": 0, "ending": False, "said": "", "differ": []
    }  # fmt: skip
    sys.trap("INT", "catch")
    if tty:
        sys.trap("WINCH", "catch")
        sys.trap("CONT", "catch")
    state["call"] = sys.call(
        "run", {"argv": argv, "env": sys.env, "cwd": sys.cwd, "tty": tty, "cols": cols, "rows": rows}
    )
    if state["reads"]:
        _take_terminal(sys, state)
        sys.read(0)
    elif not tty:
        sys.tell(state["call"], ["end"])
    return state


def _take_terminal(sys: Sys, state: State) -> None:
    """Its keys go to the program as they are."""
    if state["tty"] and state["reads"]:
        state["modes"] = sys.terminal_mode(0)
        sys.terminal_mode(0, _RAW)


def _give_terminal(sys: Sys, state: State) -> None:
    if state["modes"] is not None:
        sys.terminal_mode(0, state["modes"])
        state["modes"] = None


def _answered(sys: Sys, state: State, data: list[object]) -> None:
    match data:
        case ["out", int(fd), str(text)]:
            # What a terminal shows has its line ends already.
            sys.write(fd, text.replace("\r\n", "\n") if state["tty"] and state["modes"] is None else text)
            sys.tell(state["call"], ["took", len(text)])
            if state["tty"] or fd == 2:
                state["said"] = (state["said"] + text)[-REFUSAL:]
        case ["said", str(text), int(status)]:
            sys.err(octets(text + "\n"))
            sys.exit(status)
        case ["differ", str(live), str(merged)]:
            state["differ"] = [live, merged]
        case ["more"] if not state["ending"]:
            sys.read(0)
        case ["stop"]:
            _give_terminal(sys, state)
            sys.kill(0, "TSTP")
        case ["ended", int(status), bool(interrupted), str(unread)]:
            _give_terminal(sys, state)
            if unread:
                sys.unread(0, unread)
            if not interrupted:
                _end(sys, state, status)
                return
            sys.trap("INT", "default")
            sys.kill(sys.pid, "INT")
        case ["lost"]:
            _give_terminal(sys, state)
            sys.error("stopped: it ran beside another copy of this terminal")
            sys.exit(STOPPED)


def _end(sys: Sys, state: State, status: int) -> None:
    if state["differ"]:
        sys.spawn(["diff", "-u", "-N", *state["differ"]])
        return
    meant = sentence(state["said"]) if status else None
    if meant is not None:
        sys.err(octets(meant + "\n"))
    sys.exit(status)


def _remove(sys: Sys, folder: str) -> None:
    for name in sys.fs.listdir(folder):
        sys.fs.unlink(f"{folder}/{name}")
    sys.fs.rmdir(folder)


def _on(sys: Sys, state: State, event: Event) -> State:
    match event:
        case ["start", argv]:
            return _start(sys, argv)
        case ["data", 0, chunk] if state["ending"]:
            sys.unread(0, chunk)
        case ["data", 0, chunk]:
            sys.tell(state["call"], ["input", chunk])
        case ["end", 0]:
            sys.tell(state["call"], ["end"])
        case ["answer", _, data]:
            _answered(sys, state, data)
        case ["exited", _, status]:
            for folder in state["differ"]:
                _remove(sys, folder)
            sys.exit(status)
        case ["signal", "WINCH"]:
            cols, rows = sys.window(0) or (80, 24)
            sys.tell(state["call"], ["resize", cols, rows])
        case ["signal", "CONT"]:
            _take_terminal(sys, state)
            if state["reads"]:
                sys.read(0)
        case ["signal", name]:
            state["ending"] = True
            sys.tell(state["call"], ["signal", name])
    return state


PROGRAM = Program(
    "kubectl", "the Kubernetes command line", "kubectl [command] (see kubectl --help)", on=_on, completes=True
)
