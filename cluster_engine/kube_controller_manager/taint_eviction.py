"""Taint eviction: Pods leave nodes with NoExecute taints that they do not tolerate, or not for longer.

Models pkg/controller/tainteviction.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.sim import SECOND

from .node_rules import eviction_time

_PODS = "pods"


class TaintEvictionController(Controller):
    """Deletes Pods whose toleration of a NoExecute taint has run out."""

    name = "taint-eviction-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("taint-eviction-controller", client=self.client)
        self.nodes = ctx.informers.of("nodes")
        self.pods = ctx.informers.of(_PODS)
        self.nodes.on(update=self._node_updated)
        self.pods.on(update=self._pod_updated)

    def _node_updated(self, change: Change) -> None:
        if change.spec and _no_execute(change.old) != _no_execute(change.new):
            for pod in self.pods.by_index("node", change.key):
                self.queue.add(key_of(pod))

    def _pod_updated(self, change: Change) -> None:
        """A Pod that lands on a tainted node, or changes what it tolerates."""
        before, after = change.old["spec"], change.new["spec"]
        if not change.spec or not after.get("nodeName"):
            return
        same_node = before.get("nodeName") == after["nodeName"]
        if same_node and before.get("tolerations") == after.get("tolerations"):
            return
        node = self.nodes.get(after["nodeName"])
        if node is not None and _no_execute(node):
            self.queue.add(change.key)

    def reconcile(self, key: str) -> None:
        pod = self.pods.get(key)
        if pod is None or pod["metadata"].get("deletionTimestamp"):
            return
        node = self.nodes.get(pod["spec"].get("nodeName", ""))
        if node is None:
            return
        due = eviction_time(pod, _no_execute(node), self.clock.now)
        if due is None:
            return
        if due > self.clock.now:
            self.queue.add_after(key, (due - self.clock.now) / SECOND)
            return
        self._evict(pod)

    def _evict(self, pod: JSON) -> None:
        meta = pod["metadata"]
        text = f"Marking for deletion Pod {key_of(pod)}"
        self.recorder.event(pod, "Normal", "TaintManagerEviction", text)
        why = {
            "type": "DisruptionTarget",
            "status": "True",
            "lastTransitionTime": self.clock.timestamp(),
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
        }
        target = {"status": {"conditions": [why]}}
        try:
            self.client.patch(_PODS, meta["name"], meta["namespace"], target, subresource="status")
            self.client.delete(_PODS, meta["name"], meta["namespace"], uid=meta["uid"])
        except ApiError as error:
            if error.code != 404:
                raise


def _no_execute(node: JSON) -> list[JSON]:
    return [taint for taint in node["spec"].get("taints") or () if taint["effect"] == "NoExecute"]
