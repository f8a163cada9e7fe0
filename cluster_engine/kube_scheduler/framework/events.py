"""What happens in the cluster, as far as it may help a Pod that found no node.

A plugin registers the events after which a Pod that it refused may be acceptable, each with a hint: a
function that looks at the object before and after and says whether this Pod is worth another try.

Models pkg/scheduler/framework/events.go and k8s.io/kube-scheduler/framework (ClusterEvent, QueueingHintFn).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers import storage
from cluster_engine.component_helpers.requests import pod_requests

if TYPE_CHECKING:
    from cluster_engine.kube_scheduler.framework.types import PodInfo

ADD, UPDATE, DELETE = "Add", "Update", "Delete"
NODE_ALLOCATABLE, NODE_LABEL, NODE_TAINT = "UpdateNodeAllocatable", "UpdateNodeLabel", "UpdateNodeTaint"
NODE_CONDITION, NODE_ANNOTATION = "UpdateNodeCondition", "UpdateNodeAnnotation"
POD_LABEL, POD_TOLERATION = "UpdatePodLabel", "UpdatePodToleration"
POD_SCALE_DOWN, POD_GATES = "UpdatePodScaleDown", "UpdatePodSchedulingGatesEliminated"

RESOURCES = {
    "Pod": "pods",
    "Node": "nodes",
    "Namespace": "namespaces",
    "Service": "services",
    "PersistentVolume": "persistentvolumes",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "StorageClass": "storageclasses.storage.k8s.io",
    "CSINode": "csinodes.storage.k8s.io",
    "CSIDriver": "csidrivers.storage.k8s.io",
    "CSIStorageCapacity": "csistoragecapacities.storage.k8s.io",
    "VolumeAttachment": "volumeattachments.storage.k8s.io",
}
"""Upstream's names of resources in events. Any other name is a group-resource itself (``configmaps``)."""


class Event(NamedTuple):
    """One change: of what, what kind of change, the object before and after (None: was not, is no more)."""

    resource: str
    action: str
    old: JSON | None
    new: JSON | None


QueueingHint = Callable[["PodInfo", Event], bool]
"""Whether the event may make that Pod schedulable (upstream's Queue and QueueSkip)."""


class Interest(NamedTuple):
    """Events that a plugin registers. Without a hint every one of them counts."""

    resource: str
    actions: tuple[str, ...]
    hint: QueueingHint | None = None

    def covers(self, event: Event) -> bool:
        """Whether the event is meant; ``Update`` means every update, whatever it changed."""
        return event.resource == self.resource and (
            event.action in self.actions or (UPDATE in self.actions and event.action not in (ADD, DELETE))
        )


def labels_changed(old: JSON, new: JSON) -> bool:
    """Whether an update changed the labels."""
    was, now = old["metadata"].get("labels"), new["metadata"].get("labels")
    return was is not now and was != now


def node_changes(old: JSON, new: JSON) -> tuple[str, ...]:
    """What an update of a node changed (nodeSchedulingPropertiesChange)."""
    was, now = old.get("spec") or {}, new.get("spec") or {}
    before, after = old.get("status") or {}, new.get("status") or {}
    changed = []
    if was is not now and (
        was.get("unschedulable") != now.get("unschedulable") or was.get("taints") != now.get("taints")
    ):
        changed.append(NODE_TAINT)
    if before.get("allocatable") != after.get("allocatable"):
        changed.append(NODE_ALLOCATABLE)
    if labels_changed(old, new):
        changed.append(NODE_LABEL)
    if _conditions(before) != _conditions(after):
        changed.append(NODE_CONDITION)
    if old["metadata"].get("annotations") != new["metadata"].get("annotations"):
        changed.append(NODE_ANNOTATION)
    return tuple(changed)


def _conditions(status: JSON) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in status.get("conditions") or ()}


def pod_changes(old: JSON, new: JSON) -> tuple[str, ...]:
    """What an update of a Pod changed, its status aside; ``Update`` for what has no name of its own."""
    changed = []
    if labels_changed(old, new):
        changed.append(POD_LABEL)
    was, now = old["spec"], new["spec"]
    if was is not now:
        if _scaled_down(was, now):
            changed.append(POD_SCALE_DOWN)
        if was.get("tolerations") != now.get("tolerations"):
            changed.append(POD_TOLERATION)
        if was.get("schedulingGates") and not now.get("schedulingGates"):
            changed.append(POD_GATES)
    return tuple(changed) or (UPDATE,)


def _scaled_down(was: JSON, now: JSON) -> bool:
    if was.get("containers") is now.get("containers") and was.get("resources") is now.get("resources"):
        return False
    before, after = pod_requests(was), pod_requests(now)
    return any(after.get(name, 0) < amount for name, amount in before.items())


def is_claimed(pod: PodInfo, event: Event) -> bool:
    """A hint: the event is about a claim that the Pod uses."""
    meta = (event.new or event.old or {"metadata": {}})["metadata"]
    mine = pod.pod["metadata"]["namespace"]
    return meta.get("namespace") == mine and meta.get("name") in storage.claims_of(pod.pod)
