"""The cloud-node-lifecycle controller: nodes of deleted machines go, those of stopped ones are tainted.

Models k8s.io/cloud-provider/controllers/nodelifecycle/node_lifecycle_controller.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import Change
from cluster_engine.cloud_controller_manager.controller import CloudController
from cluster_engine.cloud_provider import DELETED, INSTANCES, STOPPED, CloudError
from cluster_engine.component import Context
from cluster_engine.component_helpers.conditions import condition_of

SHUTDOWN = {"effect": "NoSchedule", "key": "node.cloudprovider.kubernetes.io/shutdown"}
"""The taint of a node whose machine its cloud has stopped."""
_PERIOD = 5.0
"""Seconds between two looks at nodes that are not ready (--node-monitor-period)."""
_NODES = "nodes"


class CloudNodeLifecycleController(CloudController):
    """Asks the cloud about nodes that are not ready."""

    name = "cloud-node-lifecycle-controller"
    service = INSTANCES

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder(self.name, client=self.client)
        self.nodes = ctx.informers.of(_NODES)
        self.nodes.on(add=self._seen, update=self._changed)
        self.cloud.changed.append(self._cloud_changed)

    def _seen(self, node: JSON) -> None:
        if not _ready(node) or SHUTDOWN in (node["spec"].get("taints") or ()):
            name = node["metadata"]["name"]
            beat = (self.clock.beat(self.name, _PERIOD) - self.clock.now) / 1_000_000
            self.queue.add_after(name, beat, background=True)

    def _changed(self, change: Change) -> None:
        if change.status or change.spec:
            self._seen(change.new)

    def _cloud_changed(self) -> None:
        for node in self.nodes.list():
            self._seen(node)

    def reconcile(self, key: str) -> None:
        node = self.nodes.get(key)
        if node is None:
            return
        if _ready(node):
            self._taint(node, [taint for taint in node["spec"].get("taints") or () if taint != SHUTDOWN])
            return
        try:
            state = self.cloud.machine(key)
        except CloudError as error:
            text = f"node_lifecycle_controller.go:171] error checking if node {key} exists: {error}"
            self.clock.logs.write(self.process, self.clock.now, "E", text)
            self._seen(node)
            return
        if state == DELETED:
            about = {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": key, "uid": node["metadata"]["uid"]},
            }
            text = f"Deleting node {key} because it does not exist in the cloud provider"
            self.recorder.event(about, "Normal", "DeletingNode", text)
            self.client.delete(_NODES, key)
        elif state == STOPPED:
            taints = node["spec"].get("taints") or []
            self._taint(node, taints if SHUTDOWN in taints else [*taints, SHUTDOWN])

    def _taint(self, node: JSON, taints: list[JSON]) -> None:
        if taints != (node["spec"].get("taints") or []):
            spec = {name: value for name, value in node["spec"].items() if name != "taints"}
            self.client.update(_NODES, {**node, "spec": {**spec, **({"taints": taints} if taints else {})}})

    # ---- saving: the cloud's own state goes with it ------------------------------------------------------

    def state(self) -> dict[str, Any]:
        return self.cloud.state()

    def load(self, state: dict[str, Any]) -> None:
        self.cloud.load(state)


def _ready(node: JSON) -> bool:
    ready = condition_of(node, "Ready")
    return ready is not None and ready["status"] == "True"
