"""DefaultStorageClass: a claim that names no class gets the default one.

Models plugin/pkg/admission/storage/storageclass/setdefault.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.storage import default_class, wants_default_class

from .plugin import CREATE, Attributes, Plugin

_CLASSES = "storageclasses.storage.k8s.io"


class DefaultStorageClass(Plugin):
    """Sets spec.storageClassName of new claims; of several default classes the newest counts."""

    name = "DefaultStorageClass"
    needs = _CLASSES
    operations = (CREATE,)
    resources = ("persistentvolumeclaims",)
    mutates = True

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        if not wants_default_class(obj):
            return obj
        found = default_class(attributes.store.range(_CLASSES))
        if found is None:
            return obj
        return {**obj, "spec": {**(obj.get("spec") or {}), "storageClassName": found["metadata"]["name"]}}
