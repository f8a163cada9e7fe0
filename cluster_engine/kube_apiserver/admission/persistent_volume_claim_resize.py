"""PersistentVolumeClaimResize: only bound claims of a class that allows it may ask for more.

Models plugin/pkg/admission/storage/persistentvolume/resize.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors, quantity
from cluster_engine.apimachinery.cow import get
from cluster_engine.component_helpers.storage import class_of

from .plugin import UPDATE, Attributes, Plugin

_CLASSES = "storageclasses.storage.k8s.io"
_SIZE = ("spec", "resources", "requests", "storage")
_NOT_ALLOWED = (
    "only dynamically provisioned pvc can be resized and "
    "the storageclass that provisions the pvc must support resize"
)


class PersistentVolumeClaimResize(Plugin):
    """Refuses claims that grow where nothing could make their volume grow."""

    name = "PersistentVolumeClaimResize"
    operations = (UPDATE,)
    resources = ("persistentvolumeclaims",)
    validates = True

    def validate(self, attributes: Attributes) -> None:
        new, old = attributes.obj, attributes.old
        if new is None or old is None:
            return
        now, before = get(new, *_SIZE, default="0"), get(old, *_SIZE, default="0")
        if quantity.compare(now, before) <= 0:
            return
        if get(old, "status", "phase") != "Bound":
            text = "Only bound persistent volume claims can be expanded"
            raise errors.forbidden(attributes.resource, attributes.name, text)
        name = class_of(new)
        found = attributes.store.get(_CLASSES, name) if name else None
        if found is None or not found.get("allowVolumeExpansion"):
            raise errors.forbidden(attributes.resource, attributes.name, _NOT_ALLOWED)
