"""Refuses nodes on which a Pod's disk is in use, and Pods whose claim only one Pod may use while another does.

Models plugins/volumerestrictions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

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
    resolvable,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.events import ADD, DELETE, is_claimed

_CLAIMS = "persistentvolumeclaims"
_ALONE = "ReadWriteOncePod"
_DISK = resolvable("node(s) had no available disk")
_IN_USE = resolvable(
    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
)


class VolumeRestrictions(Plugin):
    """Some disks are used by one Pod of a node, or read by several; a ReadWriteOncePod claim by one Pod at all."""

    name = "VolumeRestrictions"
    extends = ("preFilter", "filter")

    def __init__(self, handle: Handle, args: JSON) -> None:
        super().__init__(handle, args)
        self.claims = handle.informers.of(_CLAIMS)

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest("Pod", (DELETE,), _frees_a_volume),
            Interest("Node", (ADD,)),
            Interest("PersistentVolumeClaim", (ADD,), is_claimed),
        )

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Refusal | Skip | None:
        volumes = pod.pod["spec"].get("volumes") or ()
        alone: dict[str, None] = {}
        for name in storage.named_claims(pod.pod) if pod.claims else ():
            claim = self.claims.get(f"{pod.pod['metadata']['namespace']}/{name}")
            if claim is None:
                return unresolvable(f'persistentvolumeclaim "{name}" not found')
            if _ALONE in (claim["spec"].get("accessModes") or ()):
                alone[name] = None
        in_use = bool(alone) and _is_used(alone, pod.pod["metadata"]["namespace"], snapshot)
        if not in_use and not any(source in volume for volume in volumes for source in _DISKS):
            return SKIP
        state.slots[self.name] = in_use
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        if any(_conflict(pod.pod, other.pod) for other in node.pods.values()):
            return _DISK
        return _IN_USE if state.slots[self.name] else None


def _is_used(claims: Iterable[str], namespace: str, snapshot: Snapshot) -> bool:
    """Whether a Pod on some node uses one of the claims (IsPVCUsedByPods)."""
    wanted = frozenset(claims)
    return any(
        other.pod["metadata"]["namespace"] == namespace
        and not wanted.isdisjoint(storage.named_claims(other.pod))
        for node in snapshot.nodes
        for other in node.pods.values()
    )


def _both_read(disk: JSON, other: JSON) -> bool:
    return bool(disk.get("readOnly") and other.get("readOnly"))


def _same_gce_disk(disk: JSON, other: JSON) -> bool:
    return disk["pdName"] == other["pdName"] and not _both_read(disk, other)


def _same_ebs_volume(disk: JSON, other: JSON) -> bool:
    return bool(disk["volumeID"] == other["volumeID"])


def _same_iscsi_target(disk: JSON, other: JSON) -> bool:
    return disk["iqn"] == other["iqn"] and not _both_read(disk, other)


def _same_rbd_image(disk: JSON, other: JSON) -> bool:
    return (
        not frozenset(disk["monitors"]).isdisjoint(other["monitors"])
        and (disk.get("pool"), disk["image"]) == (other.get("pool"), other["image"])
        and not _both_read(disk, other)
    )


_DISKS: dict[str, Callable[[JSON, JSON], bool]] = {
    "gcePersistentDisk": _same_gce_disk,
    "awsElasticBlockStore": _same_ebs_volume,
    "iscsi": _same_iscsi_target,
    "rbd": _same_rbd_image,
}
"""The volume sources that are looked at: whether two volumes of one node stand in each other's way."""


def _conflict(pod: JSON, other: JSON) -> bool:
    """Whether a disk of the Pod is one of the other's (isVolumeConflict)."""
    return any(
        source in mine and source in theirs and same(mine[source], theirs[source])
        for mine in pod["spec"].get("volumes") or ()
        for theirs in other["spec"].get("volumes") or ()
        for source, same in _DISKS.items()
    )


def _frees_a_volume(pod: PodInfo, event: Event) -> bool:
    """The Pod that went had a disk or a claim that this one wants."""
    gone = event.old
    if gone is None or gone["metadata"]["namespace"] != pod.pod["metadata"]["namespace"]:
        return False
    return _conflict(pod.pod, gone) or not frozenset(storage.named_claims(pod.pod)).isdisjoint(
        storage.named_claims(gone)
    )
