"""Keeps a Pod with ``spec.nodeName`` to that node. Models plugins/nodename."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import (
    CycleState,
    NodeInfo,
    Plugin,
    PodInfo,
    Refusal,
    Shape,
    unresolvable,
)

_REFUSAL = unresolvable("node(s) didn't match the requested node name")


class NodeName(Plugin):
    """The node that the Pod names, and no other."""

    name = "NodeName"
    scope = "node"
    events = ("node/add",)

    def applies(self, shape: Shape) -> bool:
        return bool(shape.node_name)

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        return None if pod.shape.node_name == node.name else _REFUSAL
