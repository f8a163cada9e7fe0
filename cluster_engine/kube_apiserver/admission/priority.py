"""Priority: a Pod's priorityClassName becomes a number and a preemption policy; one class is the default.

Models plugin/pkg/admission/priority.
"""

from __future__ import annotations

from cluster_engine.api.scheduling.v1.priorityclass import SYSTEM
from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from .plugin import CREATE, UPDATE, Attributes, Plugin

_CLASSES = "priorityclasses.scheduling.k8s.io"
_LOWER = "PreemptLowerPriority"


class Priority(Plugin):
    """Resolves spec.priorityClassName on create; refuses a second class that is the default."""

    name = "Priority"
    operations = (CREATE, UPDATE)
    resources = ("pods", _CLASSES)
    mutates = True
    validates = True

    def validate(self, attributes: Attributes) -> None:
        obj = attributes.obj
        if attributes.resource != _CLASSES or obj is None or not obj.get("globalDefault"):
            return
        other = _default_class(attributes)
        if other is not None and other["metadata"]["name"] != attributes.name:
            raise errors.forbidden(
                attributes.resource,
                attributes.name,
                f"PriorityClass {other['metadata']['name']} is already marked as default. "
                "Only one default can exist",
            )

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        if attributes.resource != "pods":
            return obj
        if attributes.operation == UPDATE:
            return _kept(obj, attributes.old or {})
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
    found = attributes.store.get(_CLASSES, name)
    if found is not None:
        return found.get("value", 0), found.get("preemptionPolicy") or _LOWER
    if name in SYSTEM:
        return SYSTEM[name], _LOWER
    raise errors.forbidden("pods", attributes.name, f"no PriorityClass with name {name} was found")


def _kept(obj: JSON, old: JSON) -> JSON:
    """An update that names neither number nor policy keeps those that the create was given."""
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    missing = {
        name: before[name]
        for name in ("priority", "preemptionPolicy")
        if spec.get(name) is None and before.get(name) is not None
    }
    return {**obj, "spec": {**spec, **missing}} if missing else obj


def _default_class(attributes: Attributes) -> JSON | None:
    """The class of Pods that name none."""
    chosen = [c for c in attributes.store.range(_CLASSES) if c.get("globalDefault")]
    # More than one can only be left over from a race; the lowest value wins.
    return min(chosen, key=lambda c: c.get("value", 0), default=None)


def _default(attributes: Attributes) -> tuple[str, int, str]:
    chosen = _default_class(attributes)
    if chosen is None:
        return "", 0, _LOWER
    policy = chosen.get("preemptionPolicy") or _LOWER
    return chosen["metadata"]["name"], chosen.get("value", 0), policy
