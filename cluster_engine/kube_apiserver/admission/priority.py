"""Priority: a Pod's priorityClassName becomes a number and a preemption policy.

Models plugin/pkg/admission/priority.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from .plugin import CREATE, Attributes, Plugin

_CLASSES = "priorityclasses.scheduling.k8s.io"
_LOWER = "PreemptLowerPriority"
# There from the start upstream; used when the PriorityClass kind is not served or the objects were not made.
SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


class Priority(Plugin):
    """Resolves spec.priorityClassName on create."""

    name = "Priority"
    operations = (CREATE,)
    resources = ("pods",)
    mutates = True

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        spec = obj.get("spec") or {}
        class_name = spec.get("priorityClassName", "")
        if class_name:
            value, policy = _resolve(attributes, class_name)
        else:
            class_name, value, policy = _default(attributes)
        given = spec.get("priority")
        if given is not None and given != value:
            raise errors.forbidden(
                "pods",
                attributes.name,
                f"the integer value of priority ({given}) must not be provided in pod spec; "
                f"priority admission controller computed {value} from the given PriorityClass name",
            )
        given_policy = spec.get("preemptionPolicy")
        if given_policy and given_policy != policy:
            raise errors.forbidden(
                "pods",
                attributes.name,
                f"the string value of PreemptionPolicy ({given_policy}) must not be provided in pod spec; "
                f"priority admission controller computed {policy} from the given PriorityClass name",
            )
        new = {**spec, "priority": value, "preemptionPolicy": policy}
        if class_name:
            new["priorityClassName"] = class_name
        return {**obj, "spec": new}


def _resolve(attributes: Attributes, name: str) -> tuple[int, str]:
    found = attributes.registry.store.get(_CLASSES, name)
    if found is not None:
        return found.get("value", 0), found.get("preemptionPolicy") or _LOWER
    if name in SYSTEM_CLASSES:
        return SYSTEM_CLASSES[name], _LOWER
    raise errors.forbidden("pods", attributes.name, f"no PriorityClass with name {name} was found")


def _default(attributes: Attributes) -> tuple[str, int, str]:
    store = attributes.registry.store
    if not store.count(_CLASSES):
        return "", 0, _LOWER
    chosen = [c for c in store.range(_CLASSES) if c.get("globalDefault")]
    if not chosen:
        return "", 0, _LOWER
    # More than one can only be left over from a race; the lowest value wins.
    lowest = min(chosen, key=lambda c: c.get("value", 0))
    return (
        lowest["metadata"]["name"],
        lowest.get("value", 0),
        lowest.get("preemptionPolicy") or _LOWER,
    )
