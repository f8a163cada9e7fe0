"""Claims and volumes: only nodes that can mount what a Pod claims; a claim that waits for its first consumer gets a
volume where the Pod goes.

Models plugins/volumebinding. What upstream waits for before it binds, a permit waits for here.
"""

from __future__ import annotations

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON, with_meta
from cluster_engine.apimachinery.labels import compile_selector
from cluster_engine.client_go import Change, object_reference
from cluster_engine.component_helpers import storage
from cluster_engine.component_helpers.node_affinity import RequiredNodeAffinity
from cluster_engine.kube_scheduler.framework import (
    SKIP,
    CycleState,
    Event,
    Handle,
    Interest,
    NodeInfo,
    Plugin,
    PodInfo,
    Refusal,
    Skip,
    Snapshot,
    Wait,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.events import ADD, NODE_LABEL, UPDATE, is_claimed

_CLAIMS, _VOLUMES, _CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"
_DRIVERS, _CAPACITIES = "csidrivers.storage.k8s.io", "csistoragecapacities.storage.k8s.io"
_IMMEDIATE = "pod has unbound immediate PersistentVolumeClaims"
_NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
_NO_VOLUME = "node(s) didn't find available persistent volumes to bind"
_NO_SPACE = "node(s) did not have enough free storage"
_GONE = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


class VolumeBinding(Plugin):
    """Every claim must exist and be bound, or wait for the Pod to get a node that has a volume for it."""

    name = "VolumeBinding"
    extends = ("preFilter", "filter", "reserve", "preBind", "preScore", "score")

    def __init__(self, handle: Handle, args: JSON) -> None:
        super().__init__(handle, args)
        self.claims = handle.informers.of(_CLAIMS)
        self.volumes = handle.informers.of(_VOLUMES)
        self.classes = handle.informers.of(_CLASSES)
        self.drivers = handle.informers.of(_DRIVERS)
        self.capacities = handle.informers.of(_CAPACITIES)
        self.claims.on(update=self._claim_updated)

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest("Node", (ADD, NODE_LABEL)),
            Interest("PersistentVolumeClaim", (ADD, UPDATE), is_claimed),
            Interest("PersistentVolume", (ADD, UPDATE)),
            Interest("StorageClass", (ADD, UPDATE)),
            Interest("CSIDriver", (UPDATE,), _counts_no_more),
            Interest("CSIStorageCapacity", (ADD, UPDATE), _has_more),
        )

    def _claim_updated(self, change: Change) -> None:
        """A Pod that waits goes on when the last of its claims is bound."""
        if not _is_bound(change.new) or _is_bound(change.old):
            return
        namespace, name = change.key.split("/")
        for pod in self.handle.informers.of("pods").list(namespace):
            names = list(storage.claims_of(pod)) if not pod["spec"].get("nodeName") else []
            if name in names and not self._delayed(namespace, names):
                self.handle.allow(f"{namespace}/{pod['metadata']['name']}", self.name)

    def _delayed(self, namespace: str, names: list[str]) -> list[JSON]:
        """Those of the claims that are not bound."""
        found = [self.claims.get(f"{namespace}/{name}") for name in names]
        return [claim for claim in found if claim is not None and not _is_bound(claim)]

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Refusal | Skip | None:
        names = pod.claims
        if not names:
            return SKIP
        immediate = False
        for name in names:
            claim = self.claims.get(f"{pod.shape.namespace}/{name}")
            if claim is None:
                return unresolvable(f'persistentvolumeclaim "{name}" not found')
            if claim["metadata"].get("deletionTimestamp"):
                return unresolvable(f'persistentvolumeclaim "{name}" is being deleted')
            if (claim.get("status") or {}).get("phase") == "Lost":
                volume = claim["spec"].get("volumeName", "")
                return unresolvable(
                    f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
                )
            immediate = immediate or not (_is_bound(claim) or self._is_delayed(claim))
        return unresolvable(_IMMEDIATE) if immediate else None

    def _is_delayed(self, claim: JSON) -> bool:
        found = self.classes.get(storage.class_of(claim))
        return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        found = [self.claims.get(f"{pod.shape.namespace}/{name}") for name in storage.claims_of(pod.pod)]
        claims = [claim for claim in found if claim is not None]
        reasons = [self._against_bound([c for c in claims if _is_bound(c)], node.node)]
        reasons.append(self._against_waiting([c for c in claims if not _is_bound(c)], node.node))
        told = tuple(reason for reason in reasons if reason)
        return Refusal(told, False) if told else None

    def _against_bound(self, claims: list[JSON], node: JSON) -> str:
        """Why the node cannot mount the volumes of these claims, or "" (checkBoundClaims)."""
        for claim in claims:
            volume = self.volumes.get(claim["spec"]["volumeName"])
            if volume is None:
                return _GONE
            if not _fits(volume, node):
                return _NODE_CONFLICT
        return ""

    def _against_waiting(self, claims: list[JSON], node: JSON) -> str:
        """Why the claims cannot have volumes on the node, or "" (findMatchingVolumes, checkVolumeProvisions)."""
        taken: list[str] = []
        to_make: list[JSON] = []
        for claim in _smallest_first(claims):
            selected = storage.annotation(claim, storage.SELECTED_NODE)
            if selected and selected != node["metadata"]["name"]:
                return _NO_VOLUME
            if selected or self._volume_for(claim, node, taken) is None:
                to_make.append(claim)
        for claim in to_make:
            found = self.classes.get(storage.class_of(claim))
            if found is None or not _can_make(found, node):
                return _NO_VOLUME
            if not self._has_room(found, claim, node):
                return _NO_SPACE
        return ""

    def _volume_for(self, claim: JSON, node: JSON, taken: list[str]) -> JSON | None:
        """A volume of the node that the claim could have; it is not given twice."""
        free = [v for v in self.volumes.list() if v["metadata"]["name"] not in taken and _fits(v, node)]
        found = storage.best_volume(claim, free)
        if found is not None:
            taken.append(found["metadata"]["name"])
        return found

    def _has_room(self, storage_class: JSON, claim: JSON, node: JSON) -> bool:
        """Whether a driver that counts its space has enough of it where the node reaches it (hasEnoughCapacity)."""
        driver = self.drivers.get(storage_class["provisioner"])
        if driver is None or not driver["spec"].get("storageCapacity"):
            return True
        name, size = storage_class["metadata"]["name"], storage.size_of_claim(claim)
        labels = node["metadata"].get("labels") or {}
        return any(
            capacity["storageClassName"] == name
            and _is_enough(capacity, size)
            and compile_selector(capacity.get("nodeTopology")).matches(labels)
            for capacity in self.capacities.list()
        )

    def permit(self, state: CycleState, pod: PodInfo, node: str) -> Wait | None:
        """Chooses volumes on the node for claims that waited for it, or has them made, and waits."""
        names = list(storage.claims_of(pod.pod))
        waiting = self._delayed(pod.shape.namespace, names) if names else []
        chosen = self.handle.cache.node(node)
        if not waiting or chosen is None:
            return None
        taken: list[str] = []
        for claim in _smallest_first(waiting):
            volume = self._volume_for(claim, chosen.node, taken)
            if volume is not None:
                if not volume["spec"].get("claimRef"):
                    marks = {
                        **(volume["metadata"].get("annotations") or {}),
                        storage.BOUND_BY_CONTROLLER: "yes",
                    }
                    kept = {**volume["spec"], "claimRef": object_reference(claim)}
                    self.handle.client.update(
                        _VOLUMES, {**with_meta(volume, annotations=marks), "spec": kept}
                    )
            elif storage.annotation(claim, storage.SELECTED_NODE) != node:
                marks = {**(claim["metadata"].get("annotations") or {}), storage.SELECTED_NODE: node}
                self.handle.client.update(_CLAIMS, with_meta(claim, annotations=marks))
        return Wait(self.args["bindTimeoutSeconds"])


def _is_bound(claim: JSON) -> bool:
    return bool(claim["spec"].get("volumeName")) and bool(storage.annotation(claim, storage.BIND_COMPLETED))


def _fits(volume: JSON, node: JSON) -> bool:
    """Whether the node may mount the volume."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    if required is None:
        return True
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    return RequiredNodeAffinity({"affinity": affinity}).matches_node(node)


def _smallest_first(claims: list[JSON]) -> list[JSON]:
    return sorted(claims, key=lambda claim: quantity.parse(storage.size_of_claim(claim)))


def _can_make(storage_class: JSON, node: JSON) -> bool:
    """Whether the class has volumes made, and for nodes of that place."""
    if storage_class["provisioner"] == storage.NO_PROVISIONER:
        return False
    labels = node["metadata"].get("labels") or {}
    topologies = storage_class.get("allowedTopologies") or ()
    return not topologies or any(
        all(labels.get(e["key"]) in e["values"] for e in term.get("matchLabelExpressions") or ())
        for term in topologies
    )


def _is_enough(capacity: JSON, size: str) -> bool:
    """Whether a volume of that size fits; the largest single volume says it better than all space together."""
    limit = capacity.get("maximumVolumeSize", capacity.get("capacity"))
    return limit is not None and quantity.compare(limit, size) >= 0


def _counts_no_more(pod: PodInfo, event: Event) -> bool:
    """The driver no longer wants its space to be looked at."""
    before, after = ((each or {}).get("spec") or {} for each in (event.old, event.new))
    return bool(before.get("storageCapacity")) and not after.get("storageCapacity")


def _has_more(pod: PodInfo, event: Event) -> bool:
    """There is more space than before, or other nodes reach it."""
    before, after = event.old, event.new
    if before is None or after is None:
        return True
    if before.get("nodeTopology") != after.get("nodeTopology"):
        return True
    return any(
        quantity.compare(before.get(each, "0"), after.get(each, "0")) < 0
        for each in ("capacity", "maximumVolumeSize")
    )
