"""The seam between the scheduling loop and the plugins. Models pkg/scheduler/framework."""

from cluster_engine.kube_scheduler.framework.events import Event, Interest
from cluster_engine.kube_scheduler.framework.handle import Handle
from cluster_engine.kube_scheduler.framework.interface import CycleState, Diagnosis, Plugin, ShapePlugin
from cluster_engine.kube_scheduler.framework.shape import Shape
from cluster_engine.kube_scheduler.framework.types import NodeInfo, PodInfo, Snapshot
from cluster_engine.kube_scheduler.framework.verdicts import (
    SKIP,
    NodeNames,
    Nomination,
    Refusal,
    SchedulingError,
    Skip,
    Wait,
    resolvable,
    unresolvable,
)

__all__ = [
    "SKIP",
    "CycleState",
    "Diagnosis",
    "Event",
    "Handle",
    "Interest",
    "NodeInfo",
    "NodeNames",
    "Nomination",
    "Plugin",
    "PodInfo",
    "Refusal",
    "SchedulingError",
    "Shape",
    "ShapePlugin",
    "Skip",
    "Snapshot",
    "Wait",
    "resolvable",
    "unresolvable",
]
