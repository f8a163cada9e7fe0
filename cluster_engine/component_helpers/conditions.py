"""Conditions in an object's status. Models k8s.io/kubectl/pkg/util/podutils and pkg/api/v1/pod."""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON


def condition_of(obj: JSON, type: str) -> JSON | None:
    """The condition of that type in the object's status."""
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition["type"] == type:
            found: JSON = condition
            return found
    return None
