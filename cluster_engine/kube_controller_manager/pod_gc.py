"""The Pod garbage collector: Pods of nodes that no longer exist.

Models pkg/controller/podgc. Upstream scans every 20 s; here a Pod is looked at when its node goes. Its other
duty, the oldest of more than 12,500 finished Pods, cannot arise: a cluster holds fewer.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.pod_phase import is_finished

QUARANTINE = 40.0
"""Seconds for which a missing node may come back before its Pods are given up."""

_PODS = "pods"


class PodGCController(Controller):
    """Fails and removes orphaned Pods."""

    name = "pod-garbage-collector"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.nodes = ctx.informers.of("nodes")
        self.pods = ctx.informers.of(_PODS)
        self.nodes.on(delete=self._node_deleted)
        self.pods.on(add=self._pod, update=self._pod_updated)

    def _node_deleted(self, node: JSON) -> None:
        for pod in self.pods.by_index("node", node["metadata"]["name"]):
            self.queue.add_after(key_of(pod), QUARANTINE)

    def _pod(self, pod: JSON) -> None:
        node = pod["spec"].get("nodeName")
        if node and self.nodes.get(node) is None:
            self.queue.add_after(key_of(pod), QUARANTINE)

    def _pod_updated(self, change: Change) -> None:
        old, new = change.old["spec"], change.new["spec"]
        if change.spec and old.get("nodeName") != new.get("nodeName"):
            self._pod(change.new)

    def reconcile(self, key: str) -> None:
        pod = self.pods.get(key)
        if pod is None:
            return
        node = pod["spec"].get("nodeName")
        if not node or self.nodes.get(node) is not None:
            return
        meta = pod["metadata"]
        try:
            if not is_finished(pod):
                self.client.patch(
                    _PODS, meta["name"], meta["namespace"], {"status": self._failed()}, subresource="status"
                )
            self.client.delete(_PODS, meta["name"], meta["namespace"], grace_period=0, uid=meta["uid"])
        except ApiError as error:
            if error.code != 404:
                raise

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
