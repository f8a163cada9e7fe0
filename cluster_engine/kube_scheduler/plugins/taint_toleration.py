"""Refuses nodes with taints that the Pod does not tolerate. Models plugins/tainttoleration."""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.framework import (
    CycleState,
    NodeInfo,
    Plugin,
    PodInfo,
    Refusal,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.interface import default_normalize

_REFUSAL = unresolvable("node(s) had untolerated taint(s)")
_HARD = ("NoSchedule", "NoExecute")


def tolerates(toleration: JSON, taint: JSON) -> bool:
    """Whether the toleration covers the taint (v1.Toleration.ToleratesTaint)."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    key = toleration.get("key")
    if key and key != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    if operator == "Equal":
        return bool(key) and (toleration.get("value") or "") == (taint.get("value") or "")
    if operator in ("Lt", "Gt"):
        try:
            bound, value = int(toleration.get("value") or ""), int(taint.get("value") or "")
        except ValueError:
            return False
        return value < bound if operator == "Lt" else value > bound
    return False


def untolerated(taints: list[JSON], tolerations: list[JSON], effects: tuple[str, ...]) -> JSON | None:
    """The first taint with one of these effects that no toleration covers."""
    for taint in taints:
        if taint.get("effect") in effects and not any(tolerates(t, taint) for t in tolerations):
            return taint
    return None


class TaintToleration(Plugin):
    """NoSchedule and NoExecute taints refuse; PreferNoSchedule taints count against a node."""

    name = "TaintToleration"
    scope = "node"
    weight = 3
    normalized = True
    events = ("node/add", "node/taints")

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        if node.taints and untolerated(node.taints, pod.shape.tolerations, _HARD) is not None:
            return _REFUSAL
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        if not node.taints:
            return 0
        soft = [t for t in pod.shape.tolerations if t.get("effect") in (None, "", "PreferNoSchedule")]
        return sum(
            1
            for taint in node.taints
            if taint.get("effect") == "PreferNoSchedule" and not any(tolerates(t, taint) for t in soft)
        )

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        return default_normalize(scores, reverse=True)
