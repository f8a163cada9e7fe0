"""Refuses Pods whose PersistentVolumeClaims are missing or unbound. Models plugins/volumebinding."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import (
    CycleState,
    Plugin,
    PodInfo,
    Refusal,
    Shape,
    Snapshot,
    unresolvable,
)


class VolumeBinding(Plugin):
    """Every claim must exist and be bound. Volumes' own node affinity is not looked at."""

    name = "VolumeBinding"
    scope = "cluster"
    events = ("claim/changed",)

    def applies(self, shape: Shape) -> bool:
        return bool(shape.claims)

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Refusal | None:
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
