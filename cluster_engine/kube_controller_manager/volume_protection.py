"""The protection of claims and volumes: what is deleted goes when nothing uses it any more.

Models pkg/controller/volume/{pvcprotection,pvprotection}.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, key_of, with_meta
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers import storage
from cluster_engine.component_helpers.storage import PROTECTION

_CLAIMS, _VOLUMES = "persistentvolumeclaims", "persistentvolumes"


def _is_held(obj: JSON, resource: str) -> bool:
    meta = obj["metadata"]
    return "deletionTimestamp" in meta and PROTECTION[resource] in (meta.get("finalizers") or ())


class PVCProtectionController(Controller):
    """Lets a deleted claim go when no Pod that has a node uses it."""

    name = "pvc-protection-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.claims = ctx.informers.of(_CLAIMS)
        self.pods = ctx.informers.of("pods")
        self.claims.on(add=self._look, update=lambda change: self._look(change.new))
        self.pods.on(delete=self._pod_gone)

    def _look(self, claim: JSON) -> None:
        if _is_held(claim, _CLAIMS):
            self.queue.add(key_of(claim))

    def _pod_gone(self, pod: JSON) -> None:
        for name in storage.claims_of(pod):
            claim = self.claims.get(f"{pod['metadata']['namespace']}/{name}")
            if claim is not None:
                self._look(claim)

    def reconcile(self, key: str) -> None:
        claim = self.claims.get(key)
        if claim is None or not _is_held(claim, _CLAIMS):
            return
        meta = claim["metadata"]
        for pod in self.pods.list(meta["namespace"]):
            if pod["spec"].get("nodeName") and meta["name"] in storage.claims_of(pod):
                return
        left = [name for name in meta["finalizers"] if name != PROTECTION[_CLAIMS]]
        self.client.update(_CLAIMS, with_meta(claim, finalizers=left or None))


class PVProtectionController(Controller):
    """Lets a deleted volume go when no claim is bound to it."""

    name = "pv-protection-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.volumes = ctx.informers.of(_VOLUMES)
        self.volumes.on(add=self._look, update=self._updated)

    def _updated(self, change: Change) -> None:
        self._look(change.new)

    def _look(self, volume: JSON) -> None:
        if _is_held(volume, _VOLUMES):
            self.queue.add(volume["metadata"]["name"])

    def reconcile(self, key: str) -> None:
        volume = self.volumes.get(key)
        if volume is None or not _is_held(volume, _VOLUMES):
            return
        if (volume.get("status") or {}).get("phase") != "Bound":
            left = [n for n in volume["metadata"]["finalizers"] if n != PROTECTION[_VOLUMES]]
            self.client.update(_VOLUMES, with_meta(volume, finalizers=left or None))
