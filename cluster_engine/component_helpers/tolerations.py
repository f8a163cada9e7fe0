"""Taints and tolerations.

Models k8s.io/api/core/v1/toleration.go and k8s.io/component-helpers/scheduling/corev1/helpers.go. The
comparison operators ``Lt`` and ``Gt`` are refused by validation and cover nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cluster_engine.apimachinery.cow import JSON

HARD = ("NoSchedule", "NoExecute")
"""The effects that keep a Pod off a node; ``PreferNoSchedule`` only counts against it."""


def tolerates(toleration: JSON, taint: JSON) -> bool:
    """Whether one toleration covers one taint (Toleration.ToleratesTaint)."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    key = toleration.get("key")
    if key and key != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return operator == "Equal" and (toleration.get("value") or "") == (taint.get("value") or "")


def matching(tolerations: Iterable[JSON], taint: JSON) -> list[JSON]:
    """The tolerations that cover the taint."""
    return [toleration for toleration in tolerations if tolerates(toleration, taint)]


def untolerated(
    taints: Iterable[JSON], tolerations: Sequence[JSON], effects: tuple[str, ...] = HARD
) -> JSON | None:
    """The first taint of these effects that no toleration covers (FindMatchingUntoleratedTaint)."""
    for taint in taints:
        if taint.get("effect") in effects and not any(tolerates(t, taint) for t in tolerations):
            return taint
    return None
