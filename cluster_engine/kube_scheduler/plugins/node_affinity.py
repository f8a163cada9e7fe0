"""nodeSelector and node affinity. Models plugins/nodeaffinity."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import (
    CycleState,
    Event,
    Interest,
    NodeInfo,
    NodeNames,
    PodInfo,
    Refusal,
    SchedulingError,
    Shape,
    ShapePlugin,
    Snapshot,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.events import ADD, NODE_LABEL
from cluster_engine.kube_scheduler.framework.interface import default_normalize

_REFUSAL = unresolvable("node(s) didn't match Pod's node affinity/selector")


class NodeAffinity(ShapePlugin):
    """Refuses nodes without the labels that the Pod requires; prefers those that it prefers."""

    name = "NodeAffinity"
    weight = 2

    def events(self) -> tuple[Interest, ...]:
        return (Interest("Node", (ADD, NODE_LABEL), _matches_now),)

    def applies(self, shape: Shape) -> bool:
        return bool(shape.required_nodes or shape.preferred_nodes)

    def filter_shape(self, shape: Shape, node: NodeInfo) -> Refusal | None:
        return None if shape.required_nodes.matches(node.labels, node.name) else _REFUSAL

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> NodeNames | None:
        names = pod.shape.required_nodes.names() if pod.shape.required_nodes else None
        return NodeNames(frozenset(names)) if names is not None else None

    def pre_score(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, nodes: list[NodeInfo]) -> None:
        problem = pod.shape.preferred_problem
        if problem:
            raise SchedulingError(f'running PreScore plugin "{self.name}": {problem}')

    def score_shape(self, shape: Shape, node: NodeInfo) -> int:
        return shape.preferred_nodes.score(node.labels, node.name)

    def normalize(self, state: CycleState, nodes: list[NodeInfo], scores: list[int]) -> list[int]:
        return default_normalize(scores, reverse=False)


def _matches_now(pod: PodInfo, event: Event) -> bool:
    """A new node that matches, or one that matches since it changed."""
    required = pod.shape.required_nodes
    if event.new is None or not required.matches_node(event.new):
        return False
    return event.old is None or not required.matches_node(event.old)
