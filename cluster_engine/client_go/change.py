"""What a write changed, found out once and handed to every handler.

The API server keeps each part of an object that a write leaves as it was the very same dict or list (checked by
the store when it freezes), so whether a part changed is a question of identity, not of comparison.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.conditions import condition_of


class Change:
    """An update: the object before and after it, and for each part that anybody asks about whether it changed."""

    __slots__ = (
        "_readiness",
        "annotations",
        "deletion",
        "finalizers",
        "key",
        "labels",
        "new",
        "old",
        "owners",
        "spec",
        "status",
    )

    def __init__(self, key: str, old: JSON, new: JSON) -> None:
        self.key = key
        self.old = old
        self.new = new
        before, after = old["metadata"].get, new["metadata"].get
        self.labels: bool = before("labels") is not after("labels")
        self.annotations: bool = before("annotations") is not after("annotations")
        self.owners: bool = before("ownerReferences") is not after("ownerReferences")
        self.finalizers: bool = before("finalizers") is not after("finalizers")
        self.deletion: bool = before("deletionTimestamp") != after("deletionTimestamp")
        self.spec: bool = old.get("spec") is not new.get("spec")
        self.status: bool = old.get("status") is not new.get("status")
        self._readiness: bool | None = None

    @property
    def going(self) -> bool:
        """Whether this is the write that marks the object for deletion."""
        return self.deletion and "deletionTimestamp" not in self.old["metadata"]

    @property
    def readiness(self) -> bool:
        """Whether a Pod's phase or its Ready condition changed: what controllers count."""
        if not self.status:
            return False
        if self._readiness is None:
            before, after = self.old.get("status") or {}, self.new.get("status") or {}
            self._readiness = before.get("phase") != after.get("phase") or (
                before.get("conditions") is not after.get("conditions")
                and condition_of(self.old, "Ready") != condition_of(self.new, "Ready")
            )
        return self._readiness
