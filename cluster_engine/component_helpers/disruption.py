"""PodDisruptionBudgets: which concern a Pod, and what their condition says.

Models k8s.io/component-helpers/apps/poddisruptionbudget.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.labels import compile_selector

from .conditions import find_condition, without_condition

ALLOWED = "DisruptionAllowed"
SYNC_FAILED = "SyncFailed"


def budgets_of(pod: JSON, budgets: Iterable[JSON]) -> list[JSON]:
    """Those of the namespace's budgets whose selector matches the Pod."""
    labels = pod["metadata"].get("labels") or {}
    return [b for b in budgets if compile_selector((b.get("spec") or {}).get("selector")).matches(labels)]


def condition(status: JSON, reason: str, message: str, stamp: str) -> JSON:
    """The status with its condition, which is True for enough Pods (SufficientPods) alone."""
    conditions = status.get("conditions") or ()
    new: JSON = {
        "type": ALLOWED,
        "status": "True" if reason == "SufficientPods" else "False",
        "observedGeneration": status.get("observedGeneration", 0),
        "lastTransitionTime": stamp,
        "reason": reason,
        "message": message,
    }
    old = find_condition(conditions, ALLOWED)
    if old is not None and old["status"] == new["status"]:
        new["lastTransitionTime"] = old["lastTransitionTime"]
    return {**status, "conditions": [*without_condition(conditions, ALLOWED), new]}


def told(status: JSON, stamp: str) -> JSON:
    """The status with the condition that follows from the disruptions that it allows."""
    enough = status["disruptionsAllowed"] > 0
    return condition(status, "SufficientPods" if enough else "InsufficientPods", "", stamp)
