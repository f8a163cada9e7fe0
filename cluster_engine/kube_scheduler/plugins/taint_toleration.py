"""Refuses nodes with taints that the Pod does not tolerate. Models plugins/tainttoleration."""

from __future__ import annotations

from cluster_engine.component_helpers.tolerations import tolerates, untolerated
from cluster_engine.kube_scheduler.framework import (
    CycleState,
    NodeInfo,
    Plugin,
    PodInfo,
    Refusal,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.interface import default_normalize

_REFUSAL = unresolvable("node(s) had untolerated taint(s)")


class TaintToleration(Plugin):
    """NoSchedule and NoExecute taints refuse; PreferNoSchedule taints count against a node."""

    name = "TaintToleration"
    scope = "node"
    weight = 3
    normalized = True
    events = ("node/add", "node/taints")

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        if node.taints and untolerated(node.taints, pod.shape.tolerations) is not None:
            return _REFUSAL
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        if not node.taints:
            return 0
        soft = [t for t in pod.shape.tolerations if t.get("effect") in (None, "", "PreferNoSchedule")]
        return sum(
            1
            for taint in node.taints
            if taint.get("effect") == "PreferNoSchedule" and not any(tolerates(t, taint) for t in soft)
        )

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        return default_normalize(scores, reverse=True)
