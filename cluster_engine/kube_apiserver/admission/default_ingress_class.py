"""DefaultIngressClass: an Ingress that names no class gets the default one.

Models plugin/pkg/admission/network/defaultingressclass.
"""

from __future__ import annotations

from cluster_engine.api.networking.v1.ingress import CLASS_ANNOTATION
from cluster_engine.api.networking.v1.ingressclass import is_default
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.classes import newest

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
        found = newest(filter(is_default, attributes.store.range(_CLASSES)))
        if found is None:
            return obj
        return {**obj, "spec": {**spec, "ingressClassName": found["metadata"]["name"]}}
