"""RuntimeClass: a Pod's runtime class must be there, and gives the Pod its overhead and where it may run.

Models plugin/pkg/admission/runtimeclass.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from .plugin import CREATE, Attributes, Plugin

_CLASSES = "runtimeclasses.node.k8s.io"


class RuntimeClass(Plugin):
    """Sets spec.overhead, and merges the class's node selector and tolerations into the Pod's."""

    name = "RuntimeClass"
    operations = (CREATE,)
    resources = ("pods",)
    mutates = True
    validates = True

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        spec = obj.get("spec") or {}
        name = spec.get("runtimeClassName")
        if not name:
            return obj
        found = attributes.store.get(_CLASSES, name)
        if found is None:
            raise _rejected(attributes, f'pod rejected: RuntimeClass "{name}" not found')
        new = dict(spec)
        overhead = (found.get("overhead") or {}).get("podFixed")
        if overhead:
            if spec.get("overhead") not in (None, overhead):
                text = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
                raise _rejected(attributes, text)
            new["overhead"] = overhead
        scheduling = found.get("scheduling") or {}
        if scheduling.get("nodeSelector"):
            new["nodeSelector"] = _merged(
                attributes, spec.get("nodeSelector") or {}, scheduling["nodeSelector"]
            )
        if scheduling.get("tolerations"):
            own = spec.get("tolerations") or []
            new["tolerations"] = [*own, *(t for t in scheduling["tolerations"] if t not in own)]
        return obj if new == spec else {**obj, "spec": new}

    def validate(self, attributes: Attributes) -> None:
        spec = (attributes.obj or {}).get("spec") or {}
        if not spec.get("overhead"):
            return
        name = spec.get("runtimeClassName")
        found = attributes.store.get(_CLASSES, name) if name else None
        if found is None or not (found.get("overhead") or {}).get("podFixed"):
            text = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise _rejected(attributes, text)


def _merged(attributes: Attributes, own: JSON, given: JSON) -> JSON:
    for name, value in given.items():
        if own.get(name, value) != value:
            why = f"conflict: runtimeClass.scheduling.nodeSelector[{name}] = {value}; "
            raise _rejected(attributes, f"{why}pod.spec.nodeSelector[{name}] = {own[name]}")
    return {**own, **given}


def _rejected(attributes: Attributes, why: str) -> errors.ApiError:
    return errors.forbidden("pods", attributes.name, why)
