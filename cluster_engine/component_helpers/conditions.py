"""Conditions in a status: found, and replaced, never edited.

Models k8s.io/kubectl/pkg/util/podutils, pkg/controller/deployment/util (SetDeploymentCondition), replicaset
(SetCondition) and their like.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.apimachinery.cow import JSON


def condition_of(obj: JSON, type: str) -> JSON | None:
    """The condition of that type in the object's status."""
    return find_condition((obj.get("status") or {}).get("conditions") or (), type)


def is_node_ready(node: JSON) -> bool:
    """Whether a node says of itself that it is (IsNodeReady)."""
    ready = condition_of(node, "Ready")
    return ready is not None and ready["status"] == "True"


def find_condition(conditions: Sequence[JSON], type: str) -> JSON | None:
    """The condition of that type."""
    for condition in conditions:
        if condition["type"] == type:
            return condition
    return None


def without_condition(conditions: Sequence[JSON], type: str) -> list[JSON]:
    """All but the condition of that type."""
    return [condition for condition in conditions if condition["type"] != type]


def with_condition(conditions: Sequence[JSON], new: JSON) -> list[JSON]:
    """With ``new`` in the last place, unless one of the same status and reason stands there already.

    The time of the transition is kept where the status does not change.
    """
    old = find_condition(conditions, new["type"])
    if old is not None and (old["status"], old.get("reason")) == (new["status"], new.get("reason")):
        return list(conditions)
    if old is not None and old["status"] == new["status"] and "lastTransitionTime" in old:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    return [*without_condition(conditions, new["type"]), new]
