"""Refuses nodes that have as many volumes of a storage driver as their CSINode says they can.

Models plugins/nodevolumelimits (CSILimits). Volumes of the storage that was once built in count for nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

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
from cluster_engine.kube_scheduler.framework.events import ADD, DELETE, UPDATE, is_claimed

_CLAIMS, _VOLUMES, _CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"
_CSI_NODES, _CSI_DRIVERS = "csinodes.storage.k8s.io", "csidrivers.storage.k8s.io"
_ATTACHMENTS = "volumeattachments.storage.k8s.io"
_FULL = resolvable("node(s) exceed max volume count")

_Volumes = dict[str, str]
"""A volume's unique name, driver/handle -> its driver."""


class NodeVolumeLimits(Plugin):
    """A node takes no more volumes of a driver than the driver reported there."""

    name = "NodeVolumeLimits"
    extends = ("preFilter", "filter")

    def __init__(self, handle: Handle, args: JSON) -> None:
        super().__init__(handle, args)
        self.claims = handle.informers.of(_CLAIMS)
        self.volumes = handle.informers.of(_VOLUMES)
        self.classes = handle.informers.of(_CLASSES)
        self.nodes = handle.informers.of(_CSI_NODES)
        self.drivers = handle.informers.of(_CSI_DRIVERS)
        self.attachments = handle.informers.of(_ATTACHMENTS)

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest("CSINode", (ADD, UPDATE), _takes_more),
            Interest("CSIDriver", (UPDATE, DELETE)),
            Interest("Pod", (DELETE,), _had_volumes),
            Interest("PersistentVolumeClaim", (ADD,), is_claimed),
            Interest("VolumeAttachment", (DELETE,)),
        )

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Refusal | Skip | None:
        return None if pod.claims else SKIP

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        new: _Volumes = {}
        namespace = pod.pod["metadata"]["namespace"]
        for name in storage.claims_of(pod.pod):
            claim = self.claims.get(f"{namespace}/{name}")
            if claim is None:
                told = f'looking up PVC {namespace}/{name}: persistentvolumeclaim "{name}" not found'
                return unresolvable(told)
            new.update(self._volume_of(claim))
        if not new:
            return None
        reported = {each["name"]: each for each in _drivers_of(self.nodes.get(node.name))}
        for driver in dict.fromkeys(new.values()):
            if driver not in reported and self._is_needed(driver):
                return resolvable(f"{driver} CSI driver is not installed on the node")
        limits = {name: limit for name, each in reported.items() if (limit := _limit(each)) is not None}
        if not limits:
            return None
        present = self._present(node)
        counts = Counter(present.values())
        more = Counter(driver for name, driver in new.items() if name not in present)
        full = any(counts[d] + count > limits[d] for d, count in more.items() if d in limits)
        return _FULL if full else None

    def _is_needed(self, driver: str) -> bool:
        """Whether Pods with its volumes are kept from nodes where it is missing."""
        found = self.drivers.get(driver)
        return found is not None and bool(found["spec"].get("preventPodSchedulingIfMissing"))

    def _present(self, node: NodeInfo) -> _Volumes:
        """What the Pods of the node use, a volume of several Pods once, and what is attached to it beside."""
        found: _Volumes = {}
        for other in node.pods.values():
            for name in storage.claims_of(other.pod):
                claim = self.claims.get(f"{other.pod['metadata']['namespace']}/{name}")
                if claim is not None:
                    found.update(self._volume_of(claim))
        for attachment in self.attachments.list():
            if attachment["spec"]["nodeName"] == node.name:
                named = attachment["spec"]["source"].get("persistentVolumeName", "")
                csi = ((self.volumes.get(named) or {}).get("spec") or {}).get("csi")
                if csi:
                    driver = attachment["spec"]["attacher"]
                    found[f"{driver}/{csi['volumeHandle']}"] = driver
        return found

    def _volume_of(self, claim: JSON) -> _Volumes:
        """The claim's volume, or the one that its class would have made for it; empty for what is of no driver."""
        volume = self.volumes.get(claim["spec"].get("volumeName", ""))
        if volume is not None:
            csi = volume["spec"].get("csi")
            return {f"{csi['driver']}/{csi['volumeHandle']}": csi["driver"]} if csi else {}
        found = self.classes.get(storage.class_of(claim))
        if found is None:
            return {}
        meta = claim["metadata"]
        # No volume's handle has such a name, so that it is counted once and for no other claim.
        return {f"{found['provisioner']}/ {meta['namespace']}/{meta['name']}": found["provisioner"]}


def _drivers_of(csi_node: JSON | None) -> Iterator[JSON]:
    yield from ((csi_node or {}).get("spec") or {}).get("drivers") or ()


def _limit(driver: JSON) -> int | None:
    count: int | None = (driver.get("allocatable") or {}).get("count")
    return count


def _takes_more(pod: PodInfo, event: Event) -> bool:
    """A driver is new on a node, or takes more volumes there."""
    if event.old is None:
        return True
    had = {each["name"]: _limit(each) for each in _drivers_of(event.old)}
    return any(
        each["name"] not in had or _more(had[each["name"]], _limit(each)) for each in _drivers_of(event.new)
    )


def _more(before: int | None, after: int | None) -> bool:
    return before is not None and (after is None or after > before)


def _had_volumes(pod: PodInfo, event: Event) -> bool:
    """The Pod that went was on a node and used a claim."""
    gone = event.old
    return (
        gone is not None and bool(gone["spec"].get("nodeName")) and any(True for _ in storage.claims_of(gone))
    )
