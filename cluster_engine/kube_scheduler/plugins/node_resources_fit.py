"""Refuses nodes without room; prefers those with the most. Models plugins/noderesources/fit.go."""

from __future__ import annotations

from functools import lru_cache

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.requests import amounts
from cluster_engine.kube_scheduler.framework import (
    Event,
    Interest,
    NodeInfo,
    PodInfo,
    Refusal,
    Shape,
    ShapePlugin,
)
from cluster_engine.kube_scheduler.framework.events import ADD, DELETE, NODE_ALLOCATABLE, POD_SCALE_DOWN

_TOO_MANY = "Too many pods"


@lru_cache(maxsize=512)
def _refusal(reasons: tuple[str, ...], can_help: bool) -> Refusal:
    return Refusal(reasons, can_help)


class NodeResourcesFit(ShapePlugin):
    """Requests must fit into what is allocatable; scored by LeastAllocated over CPU and memory."""

    name = "NodeResourcesFit"

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest("Pod", (DELETE, POD_SCALE_DOWN), _frees_room),
            Interest("Node", (ADD, NODE_ALLOCATABLE), _has_room_now),
        )

    def filter_shape(self, shape: Shape, node: NodeInfo) -> Refusal | None:
        reasons: list[str] = []
        can_help = True
        if len(node.pods) + 1 > node.allowed_pods:
            reasons.append(_TOO_MANY)
        allocatable, requested = node.allocatable, node.requested
        for name, amount in shape.requests.items():
            if amount <= 0:
                continue
            have = allocatable.get(name, 0)
            if amount > have - requested.get(name, 0):
                reasons.append(f"Insufficient {name}")
                # More than the whole node holds: no eviction makes room.
                can_help = can_help and amount <= have
        return _refusal(tuple(reasons), can_help) if reasons else None

    def score_shape(self, shape: Shape, node: NodeInfo) -> int:
        total = weights = 0
        cpu, memory = node.cpu, node.memory
        if cpu:
            used = node.nonzero_cpu + shape.nonzero_cpu
            total += (cpu - used) * 100 // cpu if used <= cpu else 0
            weights += 1
        if memory:
            used = node.nonzero_memory + shape.nonzero_memory
            total += (memory - used) * 100 // memory if used <= memory else 0
            weights += 1
        return total // weights if weights else 0


def _frees_room(pod: PodInfo, event: Event) -> bool:
    """A Pod that held room is gone; or the Pod itself, or one on a node, asks for less."""
    return event.new is not None or bool(event.old and event.old["spec"].get("nodeName"))


def _has_room_now(pod: PodInfo, event: Event) -> bool:
    """The node, were it empty, would hold the Pod; and it grew, if it is not new."""
    if event.new is None:
        return False
    have = _allocatable(event.new)
    if have.get("pods", 0) < 1 or any(have.get(n, 0) < wanted for n, wanted in pod.shape.requests.items()):
        return False
    if event.old is None:
        return True
    had = _allocatable(event.old)
    grown = have.get("pods", 0) > had.get("pods", 0)
    return grown or any(have.get(n, 0) > had.get(n, 0) for n, wanted in pod.shape.requests.items() if wanted)


def _allocatable(node: JSON) -> dict[str, int]:
    status = node.get("status") or {}
    return amounts(status.get("allocatable") or status.get("capacity"))
