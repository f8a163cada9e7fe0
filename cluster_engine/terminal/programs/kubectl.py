"""`kubectl`: the real one, which runs beside the machine (`relay`).

Of `kubectl diff` the host says `["differ", live, merged]` too: two folders are laid there.
"""

from __future__ import annotations

from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.linux.text import characters, octets
from cluster_engine.terminal.forwarding import forward
from cluster_engine.terminal.kubectl import reads_input, refuse, subcommands
from cluster_engine.terminal.meanings import sentence
from cluster_engine.terminal.programs import kubectl_edit, relay


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
    args = {"argv": argv, "env": sys.env, "cwd": sys.cwd}
    return {**relay.begin(sys, "run", args, tty=tty, reads=reads_input(words)), "differ": []}


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
        case ["answer", _, ["said", str(text), int(status)]]:
            sys.err(octets(text + "\n"))
            sys.exit(status)
        case ["answer", _, ["differ", str(live), str(merged)]]:
            state["differ"] = [live, merged]
            return state
        case ["exited", _, status]:
            for folder in state["differ"]:
                _remove(sys, folder)
            sys.exit(status)
    return relay.go_on(sys, state, event, _end)


PROGRAM = Program(
    "kubectl", "the Kubernetes command line", "kubectl [command] (see kubectl --help)", on=_on, completes=True
)
