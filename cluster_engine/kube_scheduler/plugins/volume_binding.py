"""Refuses Pods whose PersistentVolumeClaims are missing or unbound. Models plugins/volumebinding."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import (
    SKIP,
    CycleState,
    Event,
    Interest,
    Plugin,
    PodInfo,
    Refusal,
    Skip,
    Snapshot,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.events import ADD, UPDATE


class VolumeBinding(Plugin):
    """Every claim must exist and be bound. Volumes' own node affinity is not looked at."""

    name = "VolumeBinding"

    def events(self) -> tuple[Interest, ...]:
        return (Interest("PersistentVolumeClaim", (ADD, UPDATE), _claimed),)

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Refusal | Skip | None:
        if not pod.shape.claims:
            return SKIP
        claims = snapshot.informers.of("persistentvolumeclaims")
        for name in pod.shape.claims:
            claim = claims.get(f"{pod.shape.namespace}/{name}")
            if claim is None:
                return unresolvable(f'persistentvolumeclaim "{name}" not found')
            if claim["metadata"].get("deletionTimestamp"):
                return unresolvable(f'persistentvolumeclaim "{name}" is being deleted')
            if (claim.get("status") or {}).get("phase") == "Lost":
                return unresolvable(
                    f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume ""'
                )
            if not (claim.get("spec") or {}).get("volumeName"):
                return unresolvable("pod has unbound immediate PersistentVolumeClaims")
        return None


def _claimed(pod: PodInfo, event: Event) -> bool:
    """The claim is one that the Pod uses."""
    meta = (event.new or {"metadata": {}})["metadata"]
    return meta.get("namespace") == pod.shape.namespace and meta.get("name") in pod.shape.claims
