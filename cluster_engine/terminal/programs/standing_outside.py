"""`curl`, `wget`, `nc`, `ping`, `nslookup` on the learner's own computer: where no way leads, a sentence says why."""

from __future__ import annotations

from dataclasses import replace

from cluster_engine.linux import dns
from cluster_engine.linux import programs as linux
from cluster_engine.linux.program import Event, Exit, Program, State, Sys

NO_WAY = (
    "This terminal stands outside the cluster, as your own computer would: it reaches nodes (NodePorts) and load\n"
    "balancers, not the addresses of Services and Pods, and there is no Internet. Ask from inside:\n"
    "  kubectl run ask --rm -it --restart=Never --image=busybox -- wget -qO- http://SERVICE\n"
)
NO_NAME = (
    "Names of Services are known inside the cluster alone; here only nodes have names, and there is no Internet.\n"
    "  kubectl run ask --rm -it --restart=Never --image=busybox -- nslookup SERVICE\n"
)


def _outside(program: Program) -> Program:
    """``program``, with a sentence after what it says itself."""
    inner, asks = program.on, program.name in _ASKING
    assert inner is not None

    def on(sys: Sys, state: State, event: Event) -> State:
        try:
            return inner(sys, state, event)
        except Exit:
            match event:
                case ["datagram", *_, data] if _unknown(data):
                    sys.err(NO_NAME)
                case ["timer", _] if asks:
                    sys.err(NO_WAY)
            raise
        finally:
            match event:
                case ["failed", _, "unreachable"]:
                    sys.err(NO_WAY)
                case ["unresolved", _, _]:
                    sys.err(NO_NAME)

    return replace(program, on=on)


def _unknown(data: str) -> bool:
    answer = dns.read_answer(data)
    return answer is not None and answer.code == dns.NO_SUCH_NAME


_ASKING = ("nslookup", "dig", "host")
"""Those that ask a name server themselves, and give up after a time."""
PROGRAMS = tuple(_outside(linux.PROGRAMS[name]) for name in ("curl", "wget", "nc", "ping", *_ASKING))
