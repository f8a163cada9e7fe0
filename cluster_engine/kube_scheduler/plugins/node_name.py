"""Keeps a Pod with ``spec.nodeName`` to that node. Models plugins/nodename."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import (
    SKIP,
    CycleState,
    Interest,
    NodeInfo,
    Plugin,
    PodInfo,
    Refusal,
    Skip,
    Snapshot,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.events import ADD

_REFUSAL = unresolvable("node(s) didn't match the requested node name")


class NodeName(Plugin):
    """The node that the Pod names, and no other."""

    name = "NodeName"
    extends = ("filter",)

    def events(self) -> tuple[Interest, ...]:
        return (Interest("Node", (ADD,)),)

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Skip | None:
        return None if pod.pod["spec"].get("nodeName") else SKIP

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        return None if pod.pod["spec"]["nodeName"] == node.name else _REFUSAL
