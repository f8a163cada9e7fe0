"""The cloud-node controller: a new node learns what its cloud knows of it, and may have Pods then.

Models k8s.io/cloud-provider/controllers/node/node_controller.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.cloud_controller_manager.cloud import REGION, instance
from cluster_engine.cloud_controller_manager.controller import CloudController
from cluster_engine.cloud_provider import INSTANCES, CloudError
from cluster_engine.component import Context

UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized"
"""The taint of a node that waits for it."""
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_NODES = "nodes"


class CloudNodeController(CloudController):
    """Initializes nodes."""

    name = "cloud-node-controller"
    service = INSTANCES

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("cloud-node-controller", client=self.client)
        self.nodes = ctx.informers.of(_NODES)
        self.nodes.on(add=self._seen, update=lambda change: self._seen(change.new) if change.spec else None)

    def _seen(self, node: JSON) -> None:
        if _waits(node):
            self.queue.add(node["metadata"]["name"])

    def reconcile(self, key: str) -> None:
        node = self.nodes.get(key)
        if node is None or not _waits(node) or not self.done(key):
            return
        try:
            self.cloud.ask(INSTANCES)
        except CloudError as error:
            self.try_again(key, f"failed to get instance metadata: {error}")
            return
        self.succeeded(key)
        meta, spec = node["metadata"], node["spec"]
        labels = meta.get("labels") or {}
        found = instance(key, _number(spec.get("podCIDR") or ""), _CONTROL_PLANE in labels)
        more = {
            "node.kubernetes.io/instance-type": found.type,
            "beta.kubernetes.io/instance-type": found.type,
            "topology.kubernetes.io/region": REGION,
            "topology.kubernetes.io/zone": found.zone,
        }
        taints = [taint for taint in spec["taints"] if taint["key"] != UNINITIALIZED]
        made = {**spec, "providerID": spec.get("providerID") or found.provider_id, "taints": taints}
        if not taints:
            del made["taints"]
        self.client.update(_NODES, {**node, "metadata": {**meta, "labels": {**labels, **more}}, "spec": made})
        self.recorder.event(node, "Normal", "Synced", "Node synced successfully")


def _waits(node: JSON) -> bool:
    return any(taint["key"] == UNINITIALIZED for taint in node["spec"].get("taints") or ())


def _number(pod_range: str) -> int:
    """Which of the machines it is: as its range of Pod addresses is."""
    parts = pod_range.split(".")
    return int(parts[2]) if len(parts) == 4 else 0
