"""APIServices: whether who answers for a group can be reached.

Which group it is that is answered, its room says (`metrics_server`): no other is simulated.

Models k8s.io/kube-aggregator/pkg/controllers/status/remote/remote_available_controller.go.
"""

from __future__ import annotations

from cluster_engine.api.apiregistration.v1.apiservice import RESOURCE, available
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import Change
from cluster_engine.component import Component, Context
from cluster_engine.sim import rfc3339

SIMULATED = ("v1beta1.metrics.k8s.io",)
"""The APIServices behind whose Service somebody answers."""
_SLICES, _BY_SERVICE = "endpointslices.discovery.k8s.io", "service"
_SERVICE_NAME = "kubernetes.io/service-name"


class Aggregator(Component):
    """Writes the condition ``Available`` of every APIService."""

    name = "kube-aggregator"
    process = "kube-apiserver"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.client = ctx.client("system:apiserver", "kube-apiserver", ("system:masters",))
        self.queue = self.new_queue(self.reconcile, priority=10)
        self.api_services = ctx.informers.of(RESOURCE)
        self.services, self.slices = ctx.informers.of("services"), ctx.informers.of(_SLICES)
        self.slices.add_index(_BY_SERVICE, _service_of, ("labels",))
        self.api_services.on(add=self._seen, update=lambda change: self._seen(change.new))
        self.services.on(add=self._service, update=self._service_changed, delete=self._service)
        self.slices.on(add=self._slice, update=self._slice_changed, delete=self._slice)

    def _seen(self, api_service: JSON) -> None:
        self.queue.add(api_service["metadata"]["name"])

    def _service(self, service: JSON) -> None:
        meta = service["metadata"]
        self._moved(f"{meta['namespace']}/{meta['name']}")

    def _service_changed(self, change: Change) -> None:
        if change.spec:
            self._service(change.new)

    def _slice(self, slice: JSON) -> None:
        for key in _service_of(slice):
            self._moved(key)

    def _slice_changed(self, change: Change) -> None:
        self._slice(change.new)

    def _moved(self, key: str) -> None:
        """Something about a Service is another now."""
        for api_service in self.api_services.list():
            if _target(api_service) == key:
                self._seen(api_service)

    def reconcile(self, key: str) -> None:
        api_service = self.api_services.get(key)
        if api_service is None:
            return
        reason, message = self._trouble(api_service)
        holds = "False" if reason else "True"
        local = not _target(api_service)
        passed = (
            ("Local", "Local APIServices are always available") if local else ("Passed", "all checks passed")
        )
        reason, message = (reason, message) if reason else passed
        old = available(api_service)
        since = old["lastTransitionTime"] if old and old["status"] == holds else rfc3339(self.clock.now)
        new = {
            "type": "Available",
            "status": holds,
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        }
        if new != old:
            self.client.update_status(RESOURCE, {**api_service, "status": {"conditions": [new]}})

    def _trouble(self, api_service: JSON) -> tuple[str, str]:
        """(reason, message) of what is wrong with who answers; ("", ""): nothing is."""
        to = api_service["spec"].get("service")
        if to is None:
            return "", ""
        namespace, name, port = to["namespace"], to["name"], to["port"]
        key, named = f"{namespace}/{name}", f'service/{name} in "{namespace}"'
        service = self.services.get(key)
        if service is None:
            return "ServiceNotFound", f"{named} is not present"
        if service["spec"].get("type") == "ClusterIP":
            found = [p for p in service["spec"].get("ports") or () if p["port"] == port]
            if not found:
                return "ServicePortError", f"{named} is not listening on port {port}"
            port_name = found[0].get("name") or ""
            if not any(_answers(slice, port_name) for slice in self.slices.by_index(_BY_SERVICE, key)):
                text = f'endpoints for {named} have no addresses with port name "{port_name}"'
                return "MissingEndpoints", text
        if api_service["metadata"]["name"] not in SIMULATED:
            text = "Drydock simulates no API behind a Service but metrics.k8s.io (a real cluster would ask this one)"
            return "FailedDiscoveryCheck", text
        return "", ""


def _target(api_service: JSON) -> str:
    """``namespace/name`` of its Service; "" for a local one."""
    to = api_service["spec"].get("service")
    return f"{to['namespace']}/{to['name']}" if to else ""


def _service_of(slice: JSON) -> tuple[str, ...]:
    """Index function: the Service that a slice belongs to."""
    name = (slice["metadata"].get("labels") or {}).get(_SERVICE_NAME)
    return (f"{slice['metadata']['namespace']}/{name}",) if name else ()


def _answers(slice: JSON, port: str) -> bool:
    """Whether somebody who is ready serves the port of that name."""
    if all((each.get("name") or "") != port for each in slice.get("ports") or ()):
        return False
    conditions = [entry.get("conditions") or {} for entry in slice.get("endpoints") or ()]
    return any(each.get("ready", True) is not False for each in conditions)
