"""The ephemeral volume controller: a Pod's ephemeral volumes get their claims, which go with the Pod.

Models pkg/controller/volume/ephemeral.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, controller_of, key_of, owner_reference
from cluster_engine.component import Context, Controller

_CLAIMS = "persistentvolumeclaims"


class EphemeralVolumeController(Controller):
    """Makes the claim of each ephemeral volume."""

    name = "ephemeral-volume-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("ephemeral_volume", client=self.client)
        self.pods = ctx.informers.of("pods")
        self.claims = ctx.informers.of(_CLAIMS)
        self.pods.on(add=self._pod)
        self.claims.on(delete=self._claim_gone)

    def _pod(self, pod: JSON) -> None:
        if any("ephemeral" in volume for volume in pod["spec"].get("volumes") or ()):
            self.queue.add(key_of(pod))

    def _claim_gone(self, claim: JSON) -> None:
        owner = controller_of(claim)
        if owner is not None and owner["kind"] == "Pod":
            self.queue.add(f"{claim['metadata']['namespace']}/{owner['name']}")

    def reconcile(self, key: str) -> None:
        pod = self.pods.get(key)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        for volume in pod["spec"].get("volumes") or ():
            if volume.get("ephemeral"):
                self._make(pod, volume)

    def _make(self, pod: JSON, volume: JSON) -> None:
        meta = pod["metadata"]
        name = f"{meta['name']}-{volume['name']}"
        present = self.claims.get(f"{meta['namespace']}/{name}")
        if present is not None:
            owner = controller_of(present)
            if owner is None or owner["uid"] != meta["uid"]:
                told = f'PVC "{meta["namespace"]}/{name}" was not created for pod "{key_of(pod)}"'
                told += " (pod is not owner)"
                self.recorder.event(pod, "Warning", "EphemeralVolumeConflict", told)
            return
        template = volume["ephemeral"]["volumeClaimTemplate"]
        given = template.get("metadata") or {}
        made: JSON = {
            "name": name,
            "namespace": meta["namespace"],
            "ownerReferences": [owner_reference(pod)],
            **{field: given[field] for field in ("labels", "annotations") if given.get(field)},
        }
        self.client.create(
            _CLAIMS,
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": made, "spec": template["spec"]},
        )
