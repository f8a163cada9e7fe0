"""The Pod garbage collector: Pods of nodes that no longer exist or were given up, and the oldest of too many that have
finished.

Models pkg/controller/podgc. Upstream scans every 20 s; here a Pod is looked at when its node goes, 20 s after it has to
end on a node that is out of service, and the finished ones 20 s after there was one more, where
``--terminated-pod-gc-threshold`` of the controller manager's command is less than a cluster holds (it is 12,500 where
nobody says).
"""

from __future__ import annotations

import re

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.conditions import is_node_ready
from cluster_engine.component_helpers.pod_phase import is_finished
from cluster_engine.component_helpers.process_flags import flag_of

QUARANTINE = 40.0
"""Seconds for which a missing node may come back before its Pods are given up."""

TERMINATED_THRESHOLD = 12_500
"""Finished Pods that may stay, where the controller manager's command says nothing of them."""
PERIOD = 20.0
"""Seconds from one Pod more that has finished to the look at all of them (gcCheckPeriod)."""

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
"""The taint by which somebody says that a node that is not ready does not come back by itself."""
_PODS, _LEASES = "pods", "leases.coordination.k8s.io"
_TERMINATED = "terminated"
"""The key, which is no Pod's, of the look at all that have finished."""
_MANAGER = "kube-system/kube-controller-manager"
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")


class PodGCController(Controller):
    """Fails and removes orphaned Pods."""

    name = "pod-garbage-collector"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.nodes = ctx.informers.of("nodes")
        self.pods = ctx.informers.of(_PODS)
        self.nodes.on(update=self._node_updated, delete=self._node_deleted)
        self.leases = ctx.informers.of(_LEASES)
        self.pods.on(add=self._pod_added, update=self._pod_updated)

    def _node_deleted(self, node: JSON) -> None:
        for pod in self.pods.by_index("node", node["metadata"]["name"]):
            self.queue.add_after(key_of(pod), QUARANTINE)

    def _node_updated(self, change: Change) -> None:
        if _is_given_up(change.new) and not _is_given_up(change.old):
            for pod in self.pods.by_index("node", change.new["metadata"]["name"]):
                self._terminating(pod)

    def _terminating(self, pod: JSON) -> None:
        """Who has to end on a node that was given up is looked at with the next ones."""
        node = self.nodes.get(pod["spec"].get("nodeName") or "")
        if pod["metadata"].get("deletionTimestamp") and node is not None and _is_given_up(node):
            self.queue.add_after(key_of(pod), PERIOD)

    def _pod_added(self, pod: JSON) -> None:
        self._pod(pod)
        if is_finished(pod) or key_of(pod).startswith(_MANAGER):
            self._count_soon()

    def _pod(self, pod: JSON) -> None:
        node = pod["spec"].get("nodeName")
        if node and self.nodes.get(node) is None:
            self.queue.add_after(key_of(pod), QUARANTINE)

    def _pod_updated(self, change: Change) -> None:
        old, new = change.old["spec"], change.new["spec"]
        if change.spec and old.get("nodeName") != new.get("nodeName"):
            self._pod(change.new)
        if change.new["metadata"].get("deletionTimestamp") != change.old["metadata"].get("deletionTimestamp"):
            self._terminating(change.new)
        if change.status and is_finished(change.new) and not is_finished(change.old):
            self._count_soon()

    def _count_soon(self) -> None:
        if self._threshold() < self.ctx.options.max_pods:
            self.queue.add_after(_TERMINATED, PERIOD, background=True)

    def _threshold(self) -> int:
        """How many finished Pods may stay: as the command of the manager that leads says."""
        lease = self.leases.get(_MANAGER)
        leader = ((lease or {}).get("spec") or {}).get("holderIdentity") or ""
        pod = self.pods.get(f"{_MANAGER}-{leader.rpartition('_')[0]}")
        said = flag_of(pod, "terminated-pod-gc-threshold") if pod is not None else None
        return int(said) if said is not None and _NUMBER.fullmatch(said) else TERMINATED_THRESHOLD

    def _collect_terminated(self) -> None:
        """The evicted ones go first, then the oldest; 0 or less: nobody counts."""
        threshold = self._threshold()
        finished = [pod for pod in self.pods.list() if is_finished(pod)]
        if threshold <= 0 or len(finished) <= threshold:
            return
        for pod in sorted(finished, key=_age)[: len(finished) - threshold]:
            self._delete(pod)

    def reconcile(self, key: str) -> None:
        if key == _TERMINATED:
            self._collect_terminated()
            return
        pod = self.pods.get(key)
        if pod is None:
            return
        name = pod["spec"].get("nodeName")
        if not name:
            return
        node, meta = self.nodes.get(name), pod["metadata"]
        if node is not None and not (meta.get("deletionTimestamp") and _is_given_up(node)):
            return
        status = self._failed() if node is None else {"phase": "Failed"}
        try:
            if not is_finished(pod):
                self.client.patch(
                    _PODS, meta["name"], meta["namespace"], {"status": status}, subresource="status"
                )
            self._delete(pod)
        except ApiError as error:
            if error.code != 404:
                raise

    def _delete(self, pod: JSON) -> None:
        meta = pod["metadata"]
        self.client.delete(_PODS, meta["name"], meta["namespace"], grace_period=0, uid=meta["uid"])

    def _failed(self) -> JSON:
        """What changes in the status of a Pod whose node is gone."""
        why = {
            "type": "DisruptionTarget",
            "status": "True",
            "lastTransitionTime": self.clock.timestamp(),
            "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists",
        }
        return {"phase": "Failed", "conditions": [why]}


def _is_given_up(node: JSON) -> bool:
    """Whether it is not ready, and out of service."""
    return not is_node_ready(node) and any(
        taint["key"] == OUT_OF_SERVICE for taint in node["spec"].get("taints") or ()
    )


def _age(pod: JSON) -> tuple[bool, str, str]:
    """Who goes first (byEvictionAndCreationTimestamp)."""
    meta = pod["metadata"]
    return (pod["status"].get("reason") != "Evicted", meta["creationTimestamp"], key_of(pod))
