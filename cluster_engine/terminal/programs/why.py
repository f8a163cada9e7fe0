"""`why`: what led to an object of the cluster, and why its Pod is where it is."""

from __future__ import annotations

from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.terminal.programs.asking import ask

USAGE = "why RESOURCE NAME [-n NAMESPACE] | why RESOURCE/NAME [-n NAMESPACE] | why request [ID]"


def asked(words: list[str]) -> dict[str, str] | None:
    """Which object is asked about, by the words of the command; None: nothing that there is."""
    match words:
        case ["request"]:
            return {"request": ""}
        case ["request", ident]:
            return {"request": ident}
        case ["-n" | "--namespace", namespace, *rest] | [*rest, "-n" | "--namespace", namespace]:
            what = asked(rest) if rest and not any(word.startswith("-") for word in rest) else None
            return {**what, "namespace": namespace} if what is not None else None
        case [word] if word.count("/") == 1 and all(word.split("/")):
            resource, name = word.split("/")
            return {"resource": resource, "namespace": "default", "name": name}
        case [resource, name] if "/" not in f"{resource}{name}" and not f"{resource}".startswith("-"):
            return {"resource": resource, "namespace": "default", "name": name}
    return None


def _on(sys: Sys, state: State, event: Event) -> State:
    return ask(sys, state, event, "why", asked, USAGE)


PROGRAM = Program("why", "tell what led to an object, and why a Pod is where it is", USAGE, on=_on)
