"""Definitions of custom resources: their kinds come and go with them.

Upstream's API server for extensions runs three controllers (naming, establishing, finalizing) and serves what is
established. Here one component does that, and keeps the cluster's ``Scheme``.

Models k8s.io/apiextensions-apiserver/pkg/controller/{status,establish,finalizer} and
pkg/apiserver/customresource_handler.go.
"""

from __future__ import annotations

from typing import Self

from cluster_engine.api.apiextensions.conversion import trusts_nobody
from cluster_engine.api.apiextensions.kinds import custom_kind
from cluster_engine.api.apiextensions.v1.customresourcedefinition import (
    CLEANUP,
    has_condition,
    with_condition,
)
from cluster_engine.apimachinery.cow import JSON, with_meta
from cluster_engine.client_go import Change
from cluster_engine.component import Component, Context
from cluster_engine.sim import rfc3339

PORTION = 50
"""Objects of a definition that goes which one reconcile deletes."""
_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


class CustomResources(Component):
    """Accepts names, establishes, serves, and cleans up."""

    name = "apiextensions-apiserver"
    process = "kube-apiserver"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.client = ctx.client("system:apiserver", "kube-apiserver", ("system:masters",))
        self.queue = self.new_queue(self.reconcile, latency=0.0, priority=10)
        self._followed: set[str] = set()
        self.definitions = ctx.informers.of(_DEFINITIONS)
        self.definitions.on(add=self._seen, update=self._changed, delete=self._gone)

    def load(self, state: JSON) -> None:
        for crd in self.definitions.list():
            self._serve(crd)

    def share(self, other: Self) -> None:
        for crd in self.definitions.list():
            self._serve(crd)

    def _seen(self, crd: JSON) -> None:
        self._serve(crd)
        self.queue.add(crd["metadata"]["name"])

    def _changed(self, change: Change) -> None:
        self._seen(change.new)

    def _gone(self, crd: JSON) -> None:
        if self.ctx.scheme.find(crd["metadata"]["name"]) is not None:
            self.ctx.scheme.unregister(crd["metadata"]["name"])

    # ---- the kind -------------------------------------------------------------------------------------

    def _serve(self, crd: JSON) -> None:
        """Has the scheme hold the definition's kind, from when it is established until it is gone."""
        if not has_condition(crd, "Established"):
            return
        scheme, resource = self.ctx.scheme, crd["metadata"]["name"]
        kind, found = custom_kind(crd), scheme.find(resource)
        if found is kind:
            return
        if found is not None:
            scheme.replace(kind)
        else:
            scheme.register(kind)
        if resource not in self._followed:
            self._followed.add(resource)
            self.ctx.informers.of(resource).on(delete=lambda obj: self._emptied(resource))

    def _emptied(self, resource: str) -> None:
        crd = self.definitions.get(resource)
        if crd is not None and crd["metadata"].get("deletionTimestamp"):
            self.queue.add(resource)

    # ---- the definition -------------------------------------------------------------------------------

    def reconcile(self, key: str) -> None:
        crd = self.definitions.get(key)
        if crd is None:
            return
        if crd["metadata"].get("deletionTimestamp"):
            self._finalize(crd)
            return
        wanted = self._accepted(crd)
        if wanted is not crd and wanted["status"] != crd.get("status"):
            self.client.update_status(_DEFINITIONS, wanted)

    def _accepted(self, crd: JSON) -> JSON:
        """The definition with its names accepted, when nobody else has them, and established."""
        taken = self._taken(crd)
        if taken:
            reason, text = taken
            made = self._with(crd, "NamesAccepted", False, reason, text)
            if has_condition(crd, "Established"):
                return made
            return self._with(made, "Established", False, "NotAccepted", "not all names are accepted")
        made = self._with(crd, "NamesAccepted", True, "NoConflicts", "no conflicts found")
        if trusts_nobody(crd["spec"]) and not has_condition(crd, "Established"):
            text = "The conversion webhook CABundle is invalid"
            made = self._with(made, "Established", False, "InvalidCABundle", text)
            return {**made, "status": {**made["status"], "acceptedNames": crd["spec"]["names"]}}
        made = self._with(
            made, "Established", True, "InitialNamesAccepted", "the initial names have been accepted"
        )
        return {**made, "status": {**made["status"], "acceptedNames": crd["spec"]["names"]}}

    def _taken(self, crd: JSON) -> tuple[str, str] | None:
        """(reason, message) when another kind of the group has one of the names."""
        names, group = crd["spec"]["names"], crd["spec"]["group"]
        others = [
            kind
            for kind in self.ctx.scheme.kinds
            if kind.group == group and kind.group_resource != crd["metadata"]["name"]
        ]
        resources = {n for kind in others for n in (kind.resource, kind.singular, *kind.short_names)}
        kinds = {n for kind in others for n in (kind.kind, kind.list_kind)}
        for reason, name, known in (
            ("PluralConflict", names["plural"], resources),
            ("SingularConflict", names.get("singular"), resources),
            *(("ShortNamesConflict", short, resources) for short in names.get("shortNames") or ()),
            ("KindConflict", names["kind"], kinds),
            ("ListKindConflict", names.get("listKind"), kinds),
        ):
            if name in known:
                return reason, f'"{name}" is already in use'
        return None

    def _with(self, crd: JSON, kind: str, holds: bool, reason: str, message: str) -> JSON:
        condition = {
            "type": kind,
            "status": "True" if holds else "False",
            "lastTransitionTime": rfc3339(self.clock.now),
            "reason": reason,
            "message": message,
        }
        return with_condition(crd, condition)

    def _finalize(self, crd: JSON) -> None:
        """Deletes the objects; when none is left the definition may go."""
        name = crd["metadata"]["name"]
        if CLEANUP not in (crd["metadata"].get("finalizers") or ()):
            return
        if not has_condition(crd, "Established"):
            text = "resource was never established"
            self._release(self._with(crd, "Terminating", False, "NeverEstablished", text))
            return
        objects = self.ctx.informers.of(name)
        if not objects.list():
            text = "removed all instances"
            self._release(self._with(crd, "Terminating", False, "InstanceDeletionCompleted", text))
            return
        begun = self._with(
            crd, "Terminating", True, "InstanceDeletionInProgress", "CustomResource deletion is in progress"
        )
        if begun["status"] != crd["status"]:
            self.client.update_status(_DEFINITIONS, begun)
        going = [obj for obj in objects.list() if not obj["metadata"].get("deletionTimestamp")]
        for obj in going[:PORTION]:
            self.client.delete(name, obj["metadata"]["name"], obj["metadata"].get("namespace"))
        if len(going) > PORTION:
            self.queue.add(name)

    def _release(self, crd: JSON) -> None:
        self.client.update_status(_DEFINITIONS, crd)
        left = [finalizer for finalizer in crd["metadata"]["finalizers"] if finalizer != CLEANUP]
        held = self.definitions.get(crd["metadata"]["name"])
        if held is not None:
            self.client.update(_DEFINITIONS, with_meta(held, finalizers=left or None))
