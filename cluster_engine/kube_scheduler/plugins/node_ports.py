"""Refuses nodes on which a host port of the Pod is taken. Models plugins/nodeports."""

from __future__ import annotations

from cluster_engine.component_helpers.host_ports import any_conflicts
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

_REFUSAL = resolvable("node(s) didn't have free ports for the requested pod ports")


class NodePorts(ShapePlugin):
    """Host ports are used once per node."""

    name = "NodePorts"
    extends = ("preFilter", "filter")

    def events(self) -> tuple[Interest, ...]:
        return (Interest("Pod", (DELETE,), self._frees_a_port), Interest("Node", (ADD,)))

    def applies(self, shape: Shape) -> bool:
        return bool(shape.host_ports)

    def filter_shape(self, shape: Shape, node: NodeInfo) -> Refusal | None:
        return _REFUSAL if any_conflicts(shape.host_ports, node.used_ports) else None

    def _frees_a_port(self, pod: PodInfo, event: Event) -> bool:
        """The Pod that went was on a node and had a host port that this one wants."""
        gone = event.old
        if gone is None or not gone["spec"].get("nodeName"):
            return False
        freed = self.handle.cache.shapes.of(gone).host_ports
        return any_conflicts(pod.shape.host_ports, freed)
