"""StorageObjectInUseProtection: claims and volumes stay while something uses them.

Models plugin/pkg/admission/storage/storageobjectinuseprotection.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.storage import PROTECTION

from .plugin import CREATE, Attributes, Plugin


class StorageObjectInUseProtection(Plugin):
    """Gives new claims and volumes the finalizer that their protection controllers take away."""

    name = "StorageObjectInUseProtection"
    operations = (CREATE,)
    resources = tuple(PROTECTION)
    mutates = True

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        finalizer, meta = PROTECTION[attributes.resource], obj["metadata"]
        finalizers = meta.get("finalizers") or []
        if finalizer in finalizers:
            return obj
        return {**obj, "metadata": {**meta, "finalizers": [*finalizers, finalizer]}}
