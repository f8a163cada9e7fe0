"""Refuses cordoned nodes. Models plugins/nodeunschedulable."""

from __future__ import annotations

from cluster_engine.component_helpers.tolerations import tolerates
from cluster_engine.kube_scheduler.framework import (
    CycleState,
    NodeInfo,
    Plugin,
    PodInfo,
    Refusal,
    unresolvable,
)

_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_REFUSAL = unresolvable("node(s) were unschedulable")


class NodeUnschedulable(Plugin):
    """``spec.unschedulable`` of a node, unless the Pod tolerates the taint that goes with it."""

    name = "NodeUnschedulable"
    scope = "node"
    events = ("node/add", "node/taints")

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        if node.unschedulable and not any(tolerates(t, _TAINT) for t in pod.shape.tolerations):
            return _REFUSAL
        return None
