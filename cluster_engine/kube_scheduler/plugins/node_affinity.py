"""nodeSelector and node affinity. Models plugins/nodeaffinity."""

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
from cluster_engine.kube_scheduler.framework.interface import default_normalize

_REFUSAL = unresolvable("node(s) didn't match Pod's node affinity/selector")
_NOT_NAMED = unresolvable("node(s) didn't satisfy plugin(s) [NodeAffinity]")


class NodeAffinity(Plugin):
    """Refuses nodes without the labels that the Pod requires; prefers those that it prefers."""

    name = "NodeAffinity"
    scope = "node"
    weight = 2
    normalized = True
    events = ("node/add", "node/labels")

    def applies(self, shape: Shape) -> bool:
        return bool(shape.required_nodes or shape.preferred_nodes)

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        required = pod.shape.required_nodes
        if required.matches(node.labels, node.name):
            return None
        names = required.names()
        return _NOT_NAMED if names is not None and node.name not in names else _REFUSAL

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        return pod.shape.preferred_nodes.score(node.labels, node.name)

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        return default_normalize(scores, reverse=False)
