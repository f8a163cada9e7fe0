"""The storage driver of this cluster: makes, grows and deletes volumes for claims of its classes.

Plays the external provisioner and resizer beside a CSI driver (kubernetes-csi/external-provisioner, external-resizer,
csi-driver-host-path). Its volumes lie outside of the nodes: every node can mount them.
"""

from __future__ import annotations

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.client_go import Change, object_reference
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers import storage
from cluster_engine.component_helpers.storage import CSI_DRIVER, annotation

_CLAIMS, _VOLUMES, _CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"


class CSIHostPathDriver(Controller):
    """Answers claims and released volumes that name ``hostpath.csi.k8s.io``."""

    name = "csi-hostpathplugin"
    account = "persistent-volume-binder"  # it comes with the cluster, not with a driver's manifests
    latency = 0.2
    """A moment's work of a storage system."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder(f"{CSI_DRIVER}_csi-hostpathplugin-0", client=self.client)
        self.volume_queue = self.new_queue(self.delete_released, suffix="volumes", latency=self.latency)
        self.claims = ctx.informers.of(_CLAIMS)
        self.volumes = ctx.informers.of(_VOLUMES)
        self.classes = ctx.informers.of(_CLASSES)
        self.claims.on(add=self._look, update=self._updated)
        self.volumes.on(add=self._volume, update=lambda change: self._volume(change.new))

    def _updated(self, change: Change) -> None:
        self._look(change.new)

    def _look(self, claim: JSON) -> None:
        if annotation(claim, storage.PROVISIONER) == CSI_DRIVER and (
            not claim["spec"].get("volumeName") or _grows(claim)
        ):
            self.queue.add(key_of(claim))

    def _volume(self, volume: JSON) -> None:
        if (volume.get("status") or {}).get("phase") == "Released":
            self.volume_queue.add(volume["metadata"]["name"])

    def reconcile(self, key: str) -> None:
        claim = self.claims.get(key)
        if claim is None or "deletionTimestamp" in claim["metadata"]:
            return
        if claim["spec"].get("volumeName"):
            self._grow(claim)
        else:
            self._provision(claim)

    def _provision(self, claim: JSON) -> None:
        found = self.classes.get(storage.class_of(claim))
        name = f"pvc-{claim['metadata']['uid']}"
        if found is None or self.volumes.get(name) is not None:
            return
        told = f'External provisioner is provisioning volume for claim "{key_of(claim)}"'
        self.recorder.event(claim, "Normal", "Provisioning", told)
        self.client.create(_VOLUMES, volume_for(claim, found, name))
        self.recorder.event(
            claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name}"
        )

    def _grow(self, claim: JSON) -> None:
        volume = self.volumes.get(claim["spec"]["volumeName"])
        if volume is None or not _grows(claim) or (claim.get("status") or {}).get("phase") != "Bound":
            return
        size, name = storage.size_of_claim(claim), volume["metadata"]["name"]
        self.recorder.event(claim, "Normal", "Resizing", f"External resizer is resizing volume {name}")
        if quantity.compare(storage.size_of_volume(volume), size) < 0:
            self.client.update(
                _VOLUMES, {**volume, "spec": {**volume["spec"], "capacity": {"storage": size}}}
            )
        status = {**claim["status"], "capacity": {**claim["status"]["capacity"], "storage": size}}
        self.client.update_status(_CLAIMS, {**claim, "status": status})
        self.recorder.event(claim, "Normal", "VolumeResizeSuccessful", "Resize volume succeeded")

    def delete_released(self, name: str) -> None:
        """A volume that nobody claims any more goes, when its policy says so. May raise ApiError."""
        volume = self.volumes.get(name)
        if (
            volume is not None
            and (volume.get("status") or {}).get("phase") == "Released"
            and annotation(volume, storage.PROVISIONED_BY) == CSI_DRIVER
            and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
            and "deletionTimestamp" not in volume["metadata"]
        ):
            self.client.delete(_VOLUMES, name, uid=volume["metadata"]["uid"])


def _grows(claim: JSON) -> bool:
    had = ((claim.get("status") or {}).get("capacity") or {}).get("storage")
    return had is not None and quantity.compare(storage.size_of_claim(claim), had) > 0


def volume_for(claim: JSON, storage_class: JSON, name: str) -> JSON:
    """The volume that a driver makes for a claim, kept for it from the beginning."""
    spec: JSON = {
        "capacity": {"storage": storage.size_of_claim(claim)},
        "accessModes": claim["spec"]["accessModes"],
        "claimRef": object_reference(claim),
        "persistentVolumeReclaimPolicy": storage_class["reclaimPolicy"],
        "storageClassName": storage_class["metadata"]["name"],
        "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
        "csi": {"driver": CSI_DRIVER, "volumeHandle": str(claim["metadata"]["uid"])},
    }
    if storage_class.get("mountOptions"):
        spec["mountOptions"] = storage_class["mountOptions"]
    meta = {"name": name, "annotations": {storage.PROVISIONED_BY: CSI_DRIVER}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": spec}
