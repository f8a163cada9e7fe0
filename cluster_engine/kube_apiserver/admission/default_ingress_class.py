"""DefaultIngressClass: an Ingress that names no class gets the default one.

Models plugin/pkg/admission/network/defaultingressclass.
"""

from __future__ import annotations

from cluster_engine.api.networking.v1.ingress import CLASS_ANNOTATION
from cluster_engine.api.networking.v1.ingressclass import DEFAULT
from cluster_engine.apimachinery.cow import JSON

from .plugin import CREATE, Attributes, Plugin

_CLASSES = "ingressclasses.networking.k8s.io"


class DefaultIngressClass(Plugin):
    """Sets spec.ingressClassName of new Ingresses; of several default classes the newest counts."""

    name = "DefaultIngressClass"
    needs = _CLASSES
    operations = (CREATE,)
    resources = ("ingresses.networking.k8s.io",)
    mutates = True

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        spec = obj.get("spec") or {}
        if spec.get("ingressClassName") is not None:
            return obj
        if CLASS_ANNOTATION in (obj["metadata"].get("annotations") or {}):
            return obj
        chosen = [
            found
            for found in attributes.store.range(_CLASSES)
            if (found["metadata"].get("annotations") or {}).get(DEFAULT) == "true"
        ]
        if not chosen:
            return obj
        chosen.sort(key=lambda found: str(found["metadata"]["name"]))
        newest = max(chosen, key=lambda found: str(found["metadata"]["creationTimestamp"]))
        return {**obj, "spec": {**spec, "ingressClassName": newest["metadata"]["name"]}}
