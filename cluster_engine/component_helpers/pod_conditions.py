"""Conditions of a Pod's status. Models pkg/api/v1/pod (UpdatePodCondition)."""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON


def with_pod_condition(pod: JSON, condition: JSON, stamp: str) -> JSON:
    """The Pod's status with that condition in its place; the very same status when nothing changes.

    ``stamp`` becomes the time of the transition, unless the condition had this status before.
    """
    status: JSON = pod.get("status") or {}
    found: list[JSON] = list(status.get("conditions") or ())
    place = next((i for i, c in enumerate(found) if c["type"] == condition["type"]), None)
    if place is not None:
        old = found[place]
        if all(old.get(name) == value for name, value in condition.items()):
            return status
        if old["status"] == condition["status"]:
            stamp = old.get("lastTransitionTime") or stamp
    new = {"lastProbeTime": None, "lastTransitionTime": stamp, **condition}
    generation = pod["metadata"].get("generation")
    if generation:
        new["observedGeneration"] = generation
    if place is None:
        found.append(new)
    else:
        found[place] = new
    return {**status, "conditions": found}
