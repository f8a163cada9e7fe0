"""Taint eviction: Pods leave nodes with NoExecute taints that they do not tolerate, or not for longer.

Models pkg/controller/tainteviction.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.sim import SECOND

from .node_rules import tolerated_seconds

_PODS = "pods"


class TaintEvictionController(Controller):
    """Deletes Pods whose toleration of a NoExecute taint has run out; what ends the ground cancels the plan."""

    name = "taint-eviction-controller"
    account = "node-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("taint-eviction-controller", client=self.client)
        self.nodes = ctx.informers.of("nodes")
        self.pods = ctx.informers.of(_PODS)
        self.nodes.on(update=self._node_updated)
        self.pods.on(add=self._pod_added, update=self._pod_updated, delete=self._pod_deleted)
        self._planned: dict[str, int] = {}
        """When (virtual µs) a Pod that waits for its eviction must leave, by key."""

    def state(self) -> JSON:
        return {"planned": dict(self._planned)}

    def load(self, state: JSON) -> None:
        self._planned = dict(state.get("planned", {}))

    def _node_updated(self, change: Change) -> None:
        if change.spec and _no_execute(change.old) != _no_execute(change.new):
            for pod in self.pods.by_index("node", change.key):
                self.queue.add(key_of(pod))

    def _pod_added(self, pod: JSON) -> None:
        """A Pod that says itself on which node it runs."""
        if pod["spec"].get("nodeName"):
            self._look(pod)

    def _pod_updated(self, change: Change) -> None:
        """A Pod that lands on a tainted node, or changes what it tolerates."""
        before, after = change.old["spec"], change.new["spec"]
        if not change.spec or not after.get("nodeName"):
            return
        same_node = before.get("nodeName") == after["nodeName"]
        if same_node and before.get("tolerations") == after.get("tolerations"):
            return
        self._look(change.new)

    def _pod_deleted(self, pod: JSON) -> None:
        if key_of(pod) in self._planned:
            self.queue.add(key_of(pod))

    def _look(self, pod: JSON) -> None:
        node = self.nodes.get(pod["spec"]["nodeName"])
        if node is not None and _no_execute(node):
            self.queue.add(key_of(pod))

    def reconcile(self, key: str) -> None:
        pod = self.pods.get(key)
        node = self.nodes.get(pod["spec"].get("nodeName", "")) if pod is not None else None
        taints = _no_execute(node) if node is not None else []
        seconds = tolerated_seconds(pod, taints) if pod is not None else None
        if pod is None or seconds is None:
            self._cancel(key)
            return
        if pod["metadata"].get("deletionTimestamp"):
            return
        # As upstream, an eviction that is planned stays as it is planned, whatever taints come to the first one.
        if not seconds:
            self._cancel(key)
        due = self._planned.get(key, self.clock.now + seconds * SECOND)
        if due > self.clock.now:
            self._planned[key] = due
            self.queue.add_after(key, (due - self.clock.now) / SECOND)
            return
        self._planned.pop(key, None)
        self._evict(pod)

    def _cancel(self, key: str) -> None:
        if self._planned.pop(key, None) is None:
            return
        namespace, _, name = key.partition("/")
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": namespace, "name": name}}
        self.recorder.event(pod, "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {key}")

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
