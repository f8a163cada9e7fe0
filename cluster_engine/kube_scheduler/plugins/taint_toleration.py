"""Refuses nodes with taints that the Pod does not tolerate. Models plugins/tainttoleration."""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.tolerations import tolerates, untolerated
from cluster_engine.kube_scheduler.framework import (
    CycleState,
    Event,
    Interest,
    NodeInfo,
    PodInfo,
    Refusal,
    Shape,
    ShapePlugin,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.events import ADD, NODE_TAINT, POD_TOLERATION
from cluster_engine.kube_scheduler.framework.interface import default_normalize

_REFUSAL = unresolvable("node(s) had untolerated taint(s)")


class TaintToleration(ShapePlugin):
    """NoSchedule and NoExecute taints refuse; PreferNoSchedule taints count against a node."""

    name = "TaintToleration"
    extends = ("filter", "preScore", "score")
    weight = 3

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest("Node", (ADD, NODE_TAINT), _tolerable_now),
            Interest("Pod", (POD_TOLERATION,), lambda pod, event: _is(pod, event.new)),
        )

    def filter_shape(self, shape: Shape, node: NodeInfo) -> Refusal | None:
        if node.taints and untolerated(node.taints, shape.tolerations) is not None:
            return _REFUSAL
        return None

    def score_shape(self, shape: Shape, node: NodeInfo) -> int:
        if not node.taints:
            return 0
        soft = [t for t in shape.tolerations if t.get("effect") in (None, "", "PreferNoSchedule")]
        return sum(
            1
            for taint in node.taints
            if taint.get("effect") == "PreferNoSchedule" and not any(tolerates(t, taint) for t in soft)
        )

    def normalize(self, state: CycleState, nodes: list[NodeInfo], scores: list[int]) -> list[int]:
        return default_normalize(scores, reverse=True)


def _is(pod: PodInfo, obj: JSON | None) -> bool:
    return obj is not None and obj["metadata"]["uid"] == pod.uid


def _tolerable_now(pod: PodInfo, event: Event) -> bool:
    """A new node that is tolerated, or one that is tolerated since it changed."""
    if event.new is None or _bars(event.new, pod.shape):
        return False
    return event.old is None or _bars(event.old, pod.shape)


def _bars(node: JSON, shape: Shape) -> bool:
    return untolerated((node.get("spec") or {}).get("taints") or (), shape.tolerations) is not None
