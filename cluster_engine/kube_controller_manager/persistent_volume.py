"""The PersistentVolume controller: claims and volumes find each other, and what becomes of a volume afterwards.

Models pkg/controller/volume/persistentvolume/pv_controller.go and pkg/controller/volume/expand. Volumes are made,
grown and deleted by the driver of their class (csi_hostpath.py).
"""

from __future__ import annotations

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON, key_of, with_meta
from cluster_engine.client_go import Change, object_reference
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers import storage
from cluster_engine.component_helpers.storage import annotation

_CLAIMS, _VOLUMES, _CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"
_WAITS = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system "
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
    "registered."
)
_DELETABLE = "/tmp/"


class PersistentVolumeController(Controller):
    """Binds, has volumes provisioned, releases and reclaims."""

    name = "persistent-volume-binder"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("persistentvolume-controller", client=self.client)
        self.volume_queue = self.new_queue(self.sync_volume, suffix="volumes")
        self.claims = ctx.informers.of(_CLAIMS)
        self.volumes = ctx.informers.of(_VOLUMES)
        self.classes = ctx.informers.of(_CLASSES)
        self.pods = ctx.informers.of("pods")
        self.claims.on(
            add=lambda claim: self.queue.add(key_of(claim)),
            update=self._claim_updated,
            delete=self._claim_deleted,
        )
        self.volumes.on(add=self._volume_changed, update=self._volume_updated, delete=self._volume_deleted)
        self.classes.on(add=self._class_changed, update=lambda change: self._class_changed(change.new))

    # ---- what makes us look ----------------------------------------------------------------------------

    def _claim_updated(self, change: Change) -> None:
        self.queue.add(change.key)
        volume = change.new["spec"].get("volumeName")
        if volume:
            self.volume_queue.add(volume)

    def _claim_deleted(self, claim: JSON) -> None:
        volume = claim["spec"].get("volumeName")
        if volume:
            self.volume_queue.add(volume)
        for found in self.volumes.list():
            if storage.is_bound_to(found, claim):
                self.volume_queue.add(found["metadata"]["name"])

    def _volume_changed(self, volume: JSON) -> None:
        self.volume_queue.add(volume["metadata"]["name"])

    def _volume_updated(self, change: Change) -> None:
        self._volume_changed(change.new)

    def _volume_deleted(self, volume: JSON) -> None:
        reference = volume["spec"].get("claimRef")
        if reference:
            self.queue.add(f"{reference['namespace']}/{reference['name']}")

    def _class_changed(self, _class: JSON) -> None:
        self._enqueue_pending()

    def _enqueue_pending(self) -> None:
        """Claims that wait look again (upstream: within 15 seconds)."""
        for claim in self.claims.list():
            if not annotation(claim, storage.BIND_COMPLETED):
                self.queue.add(key_of(claim))

    # ---- claims ----------------------------------------------------------------------------------------

    def reconcile(self, key: str) -> None:
        claim = self.claims.get(key)
        if claim is None:
            return
        if annotation(claim, storage.BIND_COMPLETED):
            self._sync_bound(claim)
        elif claim["spec"].get("volumeName"):
            self._sync_named(claim)
        else:
            self._sync_unbound(claim)

    def _sync_bound(self, claim: JSON) -> None:
        name = claim["spec"].get("volumeName")
        volume = self.volumes.get(name) if name else None
        if volume is None:
            lost = "its PersistentVolume" if name else "reference to PersistentVolume"
            self._lose(claim, "ClaimLost", f"Bound claim has lost {lost}. Data on the volume is lost!")
        elif volume["spec"].get("claimRef") is None or storage.is_bound_to(volume, claim):
            self._bind(volume, claim)
            self._tell_of_growth(claim)
        else:
            told = "Two claims are bound to the same volume, this one is bound incorrectly"
            self._lose(claim, "ClaimMisbound", told)

    def _tell_of_growth(self, claim: JSON) -> None:
        had = ((claim.get("status") or {}).get("capacity") or {}).get("storage")
        if had is not None and quantity.compare(storage.size_of_claim(claim), had) > 0:
            told = "waiting for an external controller to expand this PVC"
            self.recorder.event(claim, "Normal", "ExternalExpanding", told)

    def _sync_named(self, claim: JSON) -> None:
        """A claim that names its volume waits for that one alone."""
        name = claim["spec"]["volumeName"]
        volume = self.volumes.get(name)
        if volume is None:
            return
        if volume["spec"].get("claimRef") is None:
            wrong = storage.mismatch(volume, claim)
            if wrong:
                told = f'Cannot bind to requested volume "{name}": {wrong}'
                self.recorder.event(claim, "Warning", "VolumeMismatch", told)
                return
            self._bind(volume, claim)
        elif storage.is_bound_to(volume, claim):
            self._bind(volume, claim)
        else:
            told = f'volume "{name}" already bound to a different claim.'
            self.recorder.event(claim, "Warning", "FailedBinding", told)

    def _sync_unbound(self, claim: JSON) -> None:
        if storage.wants_default_class(claim):
            default = storage.default_class(self.classes.list())
            if default is not None:
                named = {**claim["spec"], "storageClassName": default["metadata"]["name"]}
                self.client.update(_CLAIMS, {**claim, "spec": named})
                return
        name = storage.class_of(claim)
        found = self.classes.get(name) if name else None
        delayed = found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"
        volumes = self.volumes.list()
        if delayed:  # the scheduler chooses; what it chose is kept for the claim
            volumes = [volume for volume in volumes if storage.is_bound_to(volume, claim)]
        volume = storage.best_volume(claim, volumes)
        if volume is not None:
            self._bind(volume, claim)
        elif delayed and not annotation(claim, storage.SELECTED_NODE):
            self._tell_whom_it_waits_for(claim)
        elif name:
            self._provision(claim, name, found)
        else:
            told = "no persistent volumes available for this claim and no storage class is set"
            self.recorder.event(claim, "Normal", "FailedBinding", told)

    def _tell_whom_it_waits_for(self, claim: JSON) -> None:
        meta = claim["metadata"]
        waiting = [
            pod["metadata"]["name"]
            for pod in self.pods.list(meta["namespace"])
            if not pod["spec"].get("nodeName") and meta["name"] in storage.claims_of(pod)
        ]
        if waiting:
            told = f"waiting for pod {','.join(waiting)} to be scheduled"
            self.recorder.event(claim, "Normal", "WaitForPodScheduled", told)
        else:
            told = "waiting for first consumer to be created before binding"
            self.recorder.event(claim, "Normal", "WaitForFirstConsumer", told)

    def _provision(self, claim: JSON, name: str, found: JSON | None) -> None:
        if found is None:
            told = f'storageclass.storage.k8s.io "{name}" not found'
            self.recorder.event(claim, "Warning", "ProvisioningFailed", told)
            return
        provisioner = str(found["provisioner"])
        if provisioner.startswith("kubernetes.io/"):
            told = f"no volume plugin matched name: {provisioner}"
            self.recorder.event(claim, "Warning", "ProvisioningFailed", told)
            return
        self.recorder.event(claim, "Normal", "ExternalProvisioning", _WAITS.format(provisioner))
        marks = {storage.PROVISIONER_BETA: provisioner, storage.PROVISIONER: provisioner}
        self._annotate(_CLAIMS, claim, marks)

    # ---- binding ---------------------------------------------------------------------------------------

    def _annotate(self, resource: str, obj: JSON, marks: dict[str, str]) -> JSON:
        annotations = obj["metadata"].get("annotations") or {}
        if all(annotations.get(name) == value for name, value in marks.items()):
            return obj
        return self.client.update(resource, with_meta(obj, annotations={**annotations, **marks}))

    def _bind(self, volume: JSON, claim: JSON) -> None:
        """Both say of each other that they are bound; a write is made for what is missing alone."""
        reference = volume["spec"].get("claimRef") or {}
        if reference.get("uid") != claim["metadata"]["uid"]:
            if not reference:
                marked = {**(volume["metadata"].get("annotations") or {}), storage.BOUND_BY_CONTROLLER: "yes"}
                volume = with_meta(volume, annotations=marked)
            volume = {**volume, "spec": {**volume["spec"], "claimRef": object_reference(claim)}}
            volume = self.client.update(_VOLUMES, volume)
        self._phase(volume, "Bound")
        marks = {storage.BIND_COMPLETED: "yes"}
        name = volume["metadata"]["name"]
        if claim["spec"].get("volumeName") != name:
            marks[storage.BOUND_BY_CONTROLLER] = "yes"
            claim = {**claim, "spec": {**claim["spec"], "volumeName": name}}
        claim = self._annotate(_CLAIMS, claim, marks)
        status = claim.get("status") or {}
        if status.get("phase") != "Bound":
            bound = {
                **status,
                "phase": "Bound",
                "accessModes": volume["spec"]["accessModes"],
                "capacity": volume["spec"]["capacity"],
            }
            self.client.update_status(_CLAIMS, {**claim, "status": bound})

    def _lose(self, claim: JSON, reason: str, message: str) -> None:
        status = claim.get("status") or {}
        if status.get("phase") != "Lost":
            self.client.update_status(_CLAIMS, {**claim, "status": {"phase": "Lost"}})
            self.recorder.event(claim, "Warning", reason, message)

    def _phase(self, volume: JSON, phase: str, message: str = "") -> JSON:
        old = volume.get("status") or {}
        if old.get("phase") == phase and old.get("message", "") == message:
            return volume
        status: JSON = {"phase": phase, "lastPhaseTransitionTime": self.clock.timestamp()}
        if message:
            status["message"] = message
        return self.client.update_status(_VOLUMES, {**volume, "status": status})

    # ---- volumes ---------------------------------------------------------------------------------------

    def sync_volume(self, name: str) -> None:
        """Brings a volume's phase up to date, and reclaims one whose claim is gone. May raise ApiError."""
        volume = self.volumes.get(name)
        if volume is None:
            return
        reference = volume["spec"].get("claimRef")
        if reference is None or not reference.get("uid"):
            self._phase(volume, "Available")
            self._enqueue_pending()
            return
        claim = self.claims.get(f"{reference['namespace']}/{reference['name']}")
        if claim is not None and claim["metadata"]["uid"] == reference["uid"]:
            bound = claim["spec"].get("volumeName")
            if bound == name:
                self._phase(volume, "Bound")
            elif not bound:
                self.queue.add(key_of(claim))
            elif annotation(volume, storage.BOUND_BY_CONTROLLER):
                free = {k: v for k, v in volume["spec"].items() if k != "claimRef"}
                self.client.update(_VOLUMES, {**volume, "spec": free})
            return
        if (volume.get("status") or {}).get("phase") not in ("Released", "Failed"):
            volume = self._phase(volume, "Released")
        self._reclaim(volume)

    def _reclaim(self, volume: JSON) -> None:
        policy = volume["spec"].get("persistentVolumeReclaimPolicy")
        if policy == "Retain" or annotation(volume, storage.PROVISIONED_BY):
            return  # what a driver made it deletes itself
        if (volume.get("status") or {}).get("phase") == "Failed" or "deletionTimestamp" in volume["metadata"]:
            return
        if policy == "Recycle":
            self._fail(volume, "VolumeFailedRecycle", "recycling is not simulated by this cluster")
            return
        path = (volume["spec"].get("hostPath") or {}).get("path")
        if path is None:
            told = "error getting deleter volume plugin for volume "
            told += f'"{volume["metadata"]["name"]}": no deletable volume plugin matched'
            self._fail(volume, "VolumeFailedDelete", told)
        elif not path.startswith(_DELETABLE):
            told = f"host_path deleter only supports /tmp/.+ but received provided {path}"
            self._fail(volume, "VolumeFailedDelete", told)
        else:
            self.client.delete(_VOLUMES, volume["metadata"]["name"], uid=volume["metadata"]["uid"])

    def _fail(self, volume: JSON, reason: str, message: str) -> None:
        self._phase(volume, "Failed", message)
        self.recorder.event(volume, "Warning", reason, message)
