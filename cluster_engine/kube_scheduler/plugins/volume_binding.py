"""Claims and volumes: only nodes that can mount what a Pod claims; a claim that waits for its first consumer gets a
volume where the Pod goes.

Models plugins/volumebinding. What upstream waits for before it binds, a permit waits for here.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, with_meta
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
from cluster_engine.kube_scheduler.framework.events import ADD, UPDATE

_CLAIMS, _VOLUMES, _CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"
_IMMEDIATE = "pod has unbound immediate PersistentVolumeClaims"
_NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
_NO_VOLUME = "node(s) didn't find available persistent volumes to bind"


class VolumeBinding(Plugin):
    """Every claim must exist and be bound, or wait for the Pod to get a node that has a volume for it."""

    name = "VolumeBinding"
    extends = ("preFilter", "filter", "reserve", "preBind", "preScore", "score")

    def __init__(self, handle: Handle, args: JSON) -> None:
        super().__init__(handle, args)
        self.claims = handle.informers.of(_CLAIMS)
        self.volumes = handle.informers.of(_VOLUMES)
        self.classes = handle.informers.of(_CLASSES)
        self.claims.on(update=self._claim_updated)

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest("PersistentVolumeClaim", (ADD, UPDATE), _claimed),
            Interest("PersistentVolume", (ADD, UPDATE)),
            Interest("StorageClass", (ADD, UPDATE)),
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
        names = list(storage.claims_of(pod.pod))
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
        taken: list[str] = []
        reasons: list[str] = []
        for name in storage.claims_of(pod.pod):
            claim = self.claims.get(f"{pod.shape.namespace}/{name}")
            if claim is None:
                continue
            if _is_bound(claim):
                volume = self.volumes.get(claim["spec"]["volumeName"])
                if volume is not None and not _fits(volume, node.node):
                    reasons.append(_NODE_CONFLICT)
            elif self._volume_for(claim, node.node, taken) is None and not self._can_make(claim, node.node):
                reasons.append(_NO_VOLUME)
        return Refusal(tuple(dict.fromkeys(reasons)), False) if reasons else None

    def _volume_for(self, claim: JSON, node: JSON, taken: list[str]) -> JSON | None:
        """A volume of the node that the claim could have; it is not given twice."""
        free = [v for v in self.volumes.list() if v["metadata"]["name"] not in taken and _fits(v, node)]
        found = storage.best_volume(claim, free)
        if found is not None:
            taken.append(found["metadata"]["name"])
        return found

    def _can_make(self, claim: JSON, node: JSON) -> bool:
        found = self.classes.get(storage.class_of(claim))
        if found is None or found["provisioner"] == storage.NO_PROVISIONER:
            return False
        labels = node["metadata"].get("labels") or {}
        topologies = found.get("allowedTopologies") or ()
        return not topologies or any(
            all(labels.get(e["key"]) in e["values"] for e in term.get("matchLabelExpressions") or ())
            for term in topologies
        )

    def permit(self, state: CycleState, pod: PodInfo, node: str) -> Wait | None:
        """Chooses volumes on the node for claims that waited for it, or has them made, and waits."""
        names = list(storage.claims_of(pod.pod))
        waiting = self._delayed(pod.shape.namespace, names) if names else []
        chosen = self.handle.cache.node(node)
        if not waiting or chosen is None:
            return None
        taken: list[str] = []
        for claim in waiting:
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


def _claimed(pod: PodInfo, event: Event) -> bool:
    """The claim is one that the Pod uses."""
    meta = (event.new or {"metadata": {}})["metadata"]
    return meta.get("namespace") == pod.shape.namespace and meta.get("name") in storage.claims_of(pod.pod)
