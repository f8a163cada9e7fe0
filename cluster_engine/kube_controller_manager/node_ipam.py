"""Node IPAM: every node gets its own range of Pod addresses.

Models pkg/controller/nodeipam (RangeAllocator) with the Pod network 10.244.0.0/16 and a /24 a node.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component import Context, Controller

from .node_rules import free_pod_range

_NODES = "nodes"


class NodeIPAMController(Controller):
    """Sets ``spec.podCIDR`` of nodes that have none."""

    name = "node-ipam-controller"
    account = "node-controller"
    latency = 0.001

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("cidrAllocator", client=self.client)
        self.nodes = ctx.informers.of(_NODES)
        self.nodes.on(add=self._added)

    def _added(self, node: JSON) -> None:
        if not node["spec"].get("podCIDR"):
            self.queue.add(node["metadata"]["name"])

    def reconcile(self, key: str) -> None:
        node = self.nodes.get(key)
        if node is None or node["spec"].get("podCIDR"):
            return
        cidr = free_pod_range([other["spec"].get("podCIDR", "") for other in self.nodes.list()])
        if not cidr:
            text = f"Node {key} status is now: CIDRNotAvailable"
            self.recorder.event(node, "Normal", "CIDRNotAvailable", text)
            return
        self.client.update(_NODES, {**node, "spec": {**node["spec"], "podCIDR": cidr, "podCIDRs": [cidr]}})
