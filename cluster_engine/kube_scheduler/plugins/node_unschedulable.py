"""Refuses cordoned nodes. Models plugins/nodeunschedulable."""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.tolerations import tolerates
from cluster_engine.kube_scheduler.framework import (
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

_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_REFUSAL = unresolvable("node(s) were unschedulable")


class NodeUnschedulable(ShapePlugin):
    """``spec.unschedulable`` of a node, unless the Pod tolerates the taint that goes with it."""

    name = "NodeUnschedulable"

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest("Node", (ADD, NODE_TAINT), _open_now),
            Interest("Pod", (POD_TOLERATION,), _tolerates_now),
        )

    def filter_shape(self, shape: Shape, node: NodeInfo) -> Refusal | None:
        return _REFUSAL if node.unschedulable and not _tolerated(shape) else None


def _tolerated(shape: Shape) -> bool:
    return any(tolerates(toleration, _TAINT) for toleration in shape.tolerations)


def _open_now(pod: PodInfo, event: Event) -> bool:
    """A new node that is not cordoned, or one that is no longer."""
    return not _cordoned(event.new) and (event.old is None or _cordoned(event.old))


def _cordoned(node: JSON | None) -> bool:
    return node is not None and bool((node.get("spec") or {}).get("unschedulable"))


def _tolerates_now(pod: PodInfo, event: Event) -> bool:
    return event.new is not None and event.new["metadata"]["uid"] == pod.uid and _tolerated(pod.shape)
