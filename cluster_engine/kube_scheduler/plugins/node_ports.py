"""Refuses nodes on which a host port of the Pod is taken. Models plugins/nodeports."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import (
    Event,
    Interest,
    NodeInfo,
    PodInfo,
    Refusal,
    Shape,
    ShapePlugin,
    resolvable,
)
from cluster_engine.kube_scheduler.framework.events import ADD, DELETE
from cluster_engine.kube_scheduler.framework.shape import Port

_REFUSAL = resolvable("node(s) didn't have free ports for the requested pod ports")
_ANY = "0.0.0.0"


def conflicts(wanted: Port, used: Port) -> bool:
    """Whether two host ports collide; an unspecified host address collides with every address."""
    return wanted[1:] == used[1:] and (wanted[0] == used[0] or _ANY in (wanted[0], used[0]))


class NodePorts(ShapePlugin):
    """Host ports are used once per node."""

    name = "NodePorts"

    def events(self) -> tuple[Interest, ...]:
        return (Interest("Pod", (DELETE,), self._frees_a_port), Interest("Node", (ADD,)))

    def applies(self, shape: Shape) -> bool:
        return bool(shape.host_ports)

    def filter_shape(self, shape: Shape, node: NodeInfo) -> Refusal | None:
        for wanted in shape.host_ports:
            if any(conflicts(wanted, used) for used in node.used_ports):
                return _REFUSAL
        return None

    def _frees_a_port(self, pod: PodInfo, event: Event) -> bool:
        """The Pod that went was on a node and had a host port that this one wants."""
        gone = event.old
        if gone is None or not gone["spec"].get("nodeName"):
            return False
        freed = self.handle.cache.shapes.of(gone).host_ports
        return any(conflicts(wanted, used) for wanted in pod.shape.host_ports for used in freed)
