"""Refuses nodes on which a host port of the Pod is taken. Models plugins/nodeports."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import (
    CycleState,
    NodeInfo,
    Plugin,
    PodInfo,
    Refusal,
    Shape,
    resolvable,
)
from cluster_engine.kube_scheduler.framework.types import Port

_REFUSAL = resolvable("node(s) didn't have free ports for the requested pod ports")
_ANY = "0.0.0.0"


def conflicts(wanted: Port, used: Port) -> bool:
    """Whether two host ports collide; an unspecified host address collides with every address."""
    return wanted[1:] == used[1:] and (wanted[0] == used[0] or _ANY in (wanted[0], used[0]))


class NodePorts(Plugin):
    """Host ports are used once per node."""

    name = "NodePorts"
    scope = "pods"
    events = ("node/add", "pod/deleted")

    def applies(self, shape: Shape) -> bool:
        return bool(shape.host_ports)

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        for wanted in pod.shape.host_ports:
            if any(conflicts(wanted, used) for used in node.used_ports):
                return _REFUSAL
        return None
