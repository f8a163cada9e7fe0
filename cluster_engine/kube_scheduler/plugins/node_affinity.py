"""nodeSelector and node affinity. Models plugins/nodeaffinity."""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.node_affinity import PreferredNodeAffinity, RequiredNodeAffinity
from cluster_engine.kube_scheduler.framework import (
    CycleState,
    Event,
    Handle,
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

_ENFORCED = unresolvable("node(s) didn't match scheduler-enforced node affinity")
_REFUSAL = unresolvable("node(s) didn't match Pod's node affinity/selector")


class NodeAffinity(ShapePlugin):
    """Refuses nodes without the labels that the Pod, or the profile, requires; prefers those that they prefer."""

    name = "NodeAffinity"
    weight = 2

    def __init__(self, handle: Handle, args: JSON) -> None:
        super().__init__(handle, args)
        added = {"affinity": {"nodeAffinity": args.get("addedAffinity") or {}}}
        self._required = RequiredNodeAffinity(added)
        self._preferred = PreferredNodeAffinity(added)

    def events(self) -> tuple[Interest, ...]:
        return (Interest("Node", (ADD, NODE_LABEL), self._matches_now),)

    def applies(self, shape: Shape) -> bool:
        return bool(shape.required_nodes or shape.preferred_nodes or self._required or self._preferred)

    def filter_shape(self, shape: Shape, node: NodeInfo) -> Refusal | None:
        if self._required and not self._required.matches(node.labels, node.name):
            return _ENFORCED
        return None if shape.required_nodes.matches(node.labels, node.name) else _REFUSAL

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> NodeNames | None:
        names = pod.shape.required_nodes.names() if pod.shape.required_nodes else None
        return NodeNames(frozenset(names)) if names is not None else None

    def pre_score(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, nodes: list[NodeInfo]) -> None:
        problem = pod.shape.preferred_problem
        if problem:
            raise SchedulingError(f'running PreScore plugin "{self.name}": {problem}')

    def score_shape(self, shape: Shape, node: NodeInfo) -> int:
        own = shape.preferred_nodes.score(node.labels, node.name)
        return own + self._preferred.score(node.labels, node.name)

    def normalize(self, state: CycleState, nodes: list[NodeInfo], scores: list[int]) -> list[int]:
        return default_normalize(scores, reverse=False)

    def _matches_now(self, pod: PodInfo, event: Event) -> bool:
        """A new node that matches, or one that matches since it changed."""
        if event.new is None or not self._matches(pod, event.new):
            return False
        return event.old is None or not self._matches(pod, event.old)

    def _matches(self, pod: PodInfo, node: JSON) -> bool:
        return self._required.matches_node(node) and pod.shape.required_nodes.matches_node(node)
