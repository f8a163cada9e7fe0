"""The route controller: in the cloud's network a route leads to each node's range of Pod addresses.

Models k8s.io/cloud-provider/controllers/route/route_controller.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.cloud_controller_manager.controller import CloudController
from cluster_engine.cloud_provider import ROUTES, CloudError
from cluster_engine.component import Context
from cluster_engine.component_helpers.conditions import condition_of

_NODES = "nodes"
_CREATED = ("False", "RouteCreated", "RouteController created a route")
_FAILED = ("True", "NoRouteCreated", "RouteController failed to create a route")


class RouteController(CloudController):
    """Makes and removes routes, and says on each node whether it has its own."""

    name = "route-controller"
    service = ROUTES

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("route_controller", client=self.client)
        self.nodes = ctx.informers.of(_NODES)
        self.nodes.on(add=self._seen, update=lambda change: self._seen(change.new), delete=self._seen)

    def _seen(self, node: JSON) -> None:
        name, ranges = node["metadata"]["name"], node["spec"].get("podCIDRs") or ()
        condition = condition_of(node, "NetworkUnavailable")
        gone = self.nodes.get(name) is None
        if gone or condition is None or any(each not in self.cloud.routes for each in ranges):
            self.queue.add(name)

    def reconcile(self, key: str) -> None:
        node = self.nodes.get(key)
        if node is None:
            for each in [each for each, machine in self.cloud.routes.items() if machine == key]:
                del self.cloud.routes[each]
            self.succeeded(key)
            return
        missing = [each for each in node["spec"].get("podCIDRs") or () if each not in self.cloud.routes]
        if missing and not self.done(key):
            return
        try:
            self.cloud.ask(ROUTES)
        except CloudError as error:
            if missing:
                self._failed_to_create(node, missing[0], error)
            return
        self.cloud.routes.update(dict.fromkeys(missing, key))
        self.succeeded(key)
        self._condition(node, *_CREATED)

    def _failed_to_create(self, node: JSON, pods: str, error: CloudError) -> None:
        name, uid = node["metadata"]["name"], node["metadata"]["uid"]
        why = f"Could not create route {uid} {pods} for node {name} after 1s: {error}"
        about = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name}}
        self.recorder.event(about, "Warning", "FailedToCreateRoute", why)
        self._condition(node, *_FAILED)
        self.try_again(name, why)

    def _condition(self, node: JSON, status: str, reason: str, message: str) -> None:
        before = condition_of(node, "NetworkUnavailable")
        if before is not None and before["status"] == status:
            return
        now = self.clock.timestamp()
        condition = {
            "type": "NetworkUnavailable",
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        others = [c for c in node["status"].get("conditions") or () if c["type"] != "NetworkUnavailable"]
        self.client.update_status(
            _NODES, {**node, "status": {**node["status"], "conditions": [*others, condition]}}
        )
