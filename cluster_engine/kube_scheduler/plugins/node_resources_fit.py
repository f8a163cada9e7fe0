"""Refuses nodes without room; prefers those with the most. Models plugins/noderesources/fit.go."""

from __future__ import annotations

from functools import lru_cache

from cluster_engine.kube_scheduler.framework import CycleState, NodeInfo, Plugin, PodInfo, Refusal

_TOO_MANY = "Too many pods"


@lru_cache(maxsize=512)
def _refusal(reasons: tuple[str, ...], can_help: bool) -> Refusal:
    return Refusal(reasons, can_help)


class NodeResourcesFit(Plugin):
    """Requests must fit into what is allocatable; scored by LeastAllocated over CPU and memory."""

    name = "NodeResourcesFit"
    scope = "pods"
    weight = 1
    events = ("node/add", "node/allocatable", "pod/deleted")

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        reasons: list[str] = []
        can_help = True
        if len(node.pods) + 1 > node.allowed_pods:
            reasons.append(_TOO_MANY)
        allocatable, requested = node.allocatable, node.requested
        for name, amount in pod.shape.requests.items():
            if amount <= 0:
                continue
            have = allocatable.get(name, 0)
            if amount > have - requested.get(name, 0):
                reasons.append(f"Insufficient {name}")
                # More than the whole node holds: no eviction makes room.
                can_help = can_help and amount <= have
        return _refusal(tuple(reasons), can_help) if reasons else None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        shape = pod.shape
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
