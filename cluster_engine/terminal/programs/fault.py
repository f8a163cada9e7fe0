"""`fault`: a node loses its power or its way or runs full; a container, a registry or a component fails."""

from __future__ import annotations

from typing import Any

from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.terminal.programs.asking import ask

USAGE = (
    "fault power NODE off|on | fault shutdown NODE | fault kubelet NODE down|up | fault link NODE cut|healed | "
    "fault slow NODE MILLISECONDS | fault fill NODE disk|memory PERCENT | fault kill POD [CONTAINER] [NAMESPACE] | "
    "fault throttle POD MILLICPU [CONTAINER] [NAMESPACE] | fault registry HOST down|up | "
    "fault machine NODE running|stopped|deleted | fault group SIZE | "
    "fault cloud instances|routes|loadbalancers down|up | fault component NAME down|up [NODE]"
)


def asked(words: list[str]) -> dict[str, Any] | None:
    """What is asked of the cluster, by the words of the command; None: nothing that there is."""
    match words:
        case ["power", node, "off" | "on" as power]:
            return {"kind": "node/power", "node": node, "up": power == "on"}
        case ["shutdown", node]:
            return {"kind": "node/shutdown", "node": node}
        case ["kubelet", node, "down" | "up" as state]:
            return {"kind": "node/kubelet", "node": node, "running": state == "up"}
        case ["link", node, "cut" | "healed" as link]:
            return {"kind": "node/partition", "node": node, "cut": link == "cut"}
        case ["fill", node, "disk" | "memory" as what, percent] if percent.isdecimal() and len(percent) < 4:
            return {"kind": "node/fill", "node": node, "what": what, "percent": int(percent)}
        case ["slow", node, time] if time.isdecimal() and len(time) < 6:
            return {"kind": "node/slow", "node": node, "milliseconds": int(time)}
        case ["throttle", pod, millis, *rest] if millis.isdecimal() and len(millis) < 5 and len(rest) < 3:
            named = dict(zip(("container", "namespace"), rest, strict=False))
            return {"kind": "container/throttle", "pod": pod, "millis": int(millis), **named}
        case ["registry", host, "down" | "up" as state]:
            return {"kind": "registry/fail", "host": host, "failing": state == "down"}
        case ["component", name, "down" | "up" as state]:
            return {"kind": "component/stop", "component": name, "stopped": state == "down"}
        case ["component", name, "down" | "up" as state, node]:
            return {"kind": "component/stop", "component": name, "stopped": state == "down", "node": node}
        case ["machine", node, state]:
            return {"kind": "cloud/machine", "node": node, "state": state}
        case ["group", size] if size.isdecimal():
            return {"kind": "cloud/group", "size": int(size)}
        case ["cloud", service, "down" | "up" as state]:
            error = "the cloud is out of order" if state == "down" else ""
            return {"kind": "cloud/api", "service": service, "error": error}
        case ["kill", pod]:
            return {"kind": "container/kill", "pod": pod}
        case ["kill", pod, container]:
            return {"kind": "container/kill", "pod": pod, "container": container}
        case ["kill", pod, container, namespace]:
            return {"kind": "container/kill", "pod": pod, "container": container, "namespace": namespace}
    return None


def _on(sys: Sys, state: State, event: Event) -> State:
    return ask(sys, state, event, "fault", asked, USAGE)


PROGRAM = Program("fault", "make something of the cluster fail, or work again", USAGE, on=_on)
