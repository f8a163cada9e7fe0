"""Refuses nodes outside of the zone or region that the labels of a Pod's volumes name. Models plugins/volumezone."""

from __future__ import annotations

from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers import storage
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
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.events import ADD, NODE_LABEL, UPDATE, is_claimed

_CLAIMS, _VOLUMES, _CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"
_ZONE, _REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
_LABELS = {
    "failure-domain.beta.kubernetes.io/zone": _ZONE,
    "failure-domain.beta.kubernetes.io/region": _REGION,
    _ZONE: _ZONE,
    _REGION: _REGION,
}
"""Each label that says where a volume is -> the one that a node may have in its stead."""
_CONFLICT = unresolvable("node(s) had no available volume zone")


class _Place(NamedTuple):
    """Where a volume is: a label and the values that a node may have."""

    label: str
    values: frozenset[str]


class VolumeZone(Plugin):
    """A bound volume with a label of a zone or region is for nodes of that zone or region."""

    name = "VolumeZone"
    extends = ("preFilter", "filter")

    def __init__(self, handle: Handle, args: JSON) -> None:
        super().__init__(handle, args)
        self.claims = handle.informers.of(_CLAIMS)
        self.volumes = handle.informers.of(_VOLUMES)
        self.classes = handle.informers.of(_CLASSES)

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest("StorageClass", (ADD,), lambda _pod, event: _waits(event.new)),
            Interest("Node", (ADD, NODE_LABEL)),
            Interest("PersistentVolumeClaim", (ADD, UPDATE), is_claimed),
            Interest("PersistentVolume", (ADD, UPDATE), _moved),
        )

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Refusal | Skip | None:
        places: list[_Place] = []
        for name in storage.named_claims(pod.pod) if pod.claims else ():
            found = self._places(pod.pod["metadata"]["namespace"], name)
            if isinstance(found, Refusal):
                return found
            places += found
        if not places:
            return SKIP
        state.slots[self.name] = places
        return None

    def _places(self, namespace: str, name: str) -> list[_Place] | Refusal:
        """Where the volume of a claim must be mounted; nowhere in particular while it waits for its first consumer."""
        claim = self.claims.get(f"{namespace}/{name}")
        if claim is None:
            return unresolvable(f'persistentvolumeclaim "{name}" not found')
        bound_to = claim["spec"].get("volumeName")
        if not bound_to:
            return self._unbound(storage.class_of(claim))
        volume = self.volumes.get(bound_to)
        if volume is None:
            return unresolvable(f'persistentvolume "{bound_to}" not found')
        return _places_of(volume)

    def _unbound(self, named: str) -> list[_Place] | Refusal:
        if not named:
            return unresolvable("PersistentVolumeClaim had no pv name and storageClass name")
        found = self.classes.get(named)
        if found is None:
            return unresolvable(f'storageclass.storage.k8s.io "{named}" not found')
        return [] if _waits(found) else unresolvable("PersistentVolume had no name")

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        if not any(label in node.labels for label in _LABELS):
            # A cluster of one zone, whose nodes do not say so.
            return None
        for place in state.slots[self.name]:
            here = node.labels.get(place.label, node.labels.get(_LABELS[place.label]))
            if here is None or here not in place.values:
                return _CONFLICT
        return None


def _places_of(volume: JSON) -> list[_Place]:
    """What the labels of a volume say of its zones and regions; several are joined by ``__`` (LabelZonesToSet)."""
    labels = volume["metadata"].get("labels") or {}
    found = [
        (label, [each.strip() for each in labels[label].split("__")]) for label in _LABELS if label in labels
    ]
    return [_Place(label, frozenset(values)) for label, values in found if all(values)]


def _waits(found: JSON | None) -> bool:
    return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


def _moved(pod: PodInfo, event: Event) -> bool:
    """The volume is new, or its labels name other zones."""
    if event.new is None or event.old is None:
        return True
    return _places_of(event.old) != _places_of(event.new)
