"""The seam between the scheduling loop and the plugins. Models pkg/scheduler/framework."""

from cluster_engine.kube_scheduler.framework.interface import (
    ClusterEvent,
    CycleState,
    Plugin,
    Refusal,
    Snapshot,
    resolvable,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.types import NodeInfo, PodInfo, Shape

__all__ = [
    "ClusterEvent",
    "CycleState",
    "NodeInfo",
    "Plugin",
    "PodInfo",
    "Refusal",
    "Shape",
    "Snapshot",
    "resolvable",
    "unresolvable",
]
