"""The service controller: load balancers for Services of type LoadBalancer.

Models k8s.io/cloud-provider/controllers/service/controller.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, get, key_of
from cluster_engine.client_go import Change
from cluster_engine.cloud_controller_manager.cloud import NoAddress, address
from cluster_engine.cloud_controller_manager.controller import CloudController
from cluster_engine.cloud_provider import LOAD_BALANCERS, CloudError
from cluster_engine.component import Context

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
_SERVICES = "services"
_SEEN = ("Normal", "EnsuringLoadBalancer", "Ensuring load balancer")


class ServiceController(CloudController):
    """Gives load balancers, and takes them back."""

    name = "service-controller"
    service = LOAD_BALANCERS

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("service-controller", client=self.client)
        self.services = ctx.informers.of(_SERVICES)
        self.services.on(add=self._seen, update=self._changed)

    def _seen(self, service: JSON) -> None:
        if _wants(service) or _has(service):
            self.queue.add(key_of(service))

    def _changed(self, change: Change) -> None:
        if change.spec or change.deletion:
            self._seen(change.new)

    def reconcile(self, key: str) -> None:
        service = self.services.get(key)
        if service is None:
            self._due.pop(key, None)
        elif service["metadata"].get("deletionTimestamp") or not _wants(service):
            self._take_back(key, service)
        else:
            self._give(key, service)

    def _give(self, key: str, service: JSON) -> None:
        """A load balancer, after some seconds; what it has already stays."""
        if get(service, "status", "loadBalancer", "ingress"):
            return
        if not self.asked(key):
            self.recorder.event(service, *_SEEN)
        if not _has(service):
            meta = service["metadata"]
            finalizers = [*(meta.get("finalizers") or ()), FINALIZER]
            service = self.client.update(
                _SERVICES, {**service, "metadata": {**meta, "finalizers": finalizers}}
            )
        if not self.done(key):
            return
        try:
            self.cloud.ask(LOAD_BALANCERS)
            ip = address(service["spec"].get("loadBalancerIP") or "", self._taken(), self.cloud.balancers)
        except (NoAddress, CloudError) as why:
            self._failed_to(key, service, f"failed to ensure load balancer: {why}")
            return
        self.succeeded(key)
        status = {**(service.get("status") or {}), "loadBalancer": {"ingress": [{"ip": ip, "ipMode": "VIP"}]}}
        self.client.update_status(_SERVICES, {**service, "status": status})
        self.recorder.event(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer")

    def _take_back(self, key: str, service: JSON) -> None:
        """The load balancer goes; then the Service may."""
        if not _has(service):
            return
        if not self.asked(key):
            self.recorder.event(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer")
        if not self.done(key):
            return
        try:
            self.cloud.ask(LOAD_BALANCERS)
        except CloudError as why:
            self._failed_to(key, service, f"failed to delete load balancer: {why}")
            return
        self.succeeded(key)
        self.recorder.event(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer")
        if get(service, "status", "loadBalancer"):
            status = {**service["status"], "loadBalancer": {}}
            service = self.client.update_status(_SERVICES, {**service, "status": status})
        meta = service["metadata"]
        finalizers = [name for name in meta.get("finalizers") or () if name != FINALIZER]
        self.client.update(_SERVICES, {**service, "metadata": {**meta, "finalizers": finalizers}})

    def _failed_to(self, key: str, service: JSON, why: str) -> None:
        text = f"Error syncing load balancer: {why}"
        self.recorder.event(service, "Warning", "SyncLoadBalancerFailed", text)
        self.try_again(key, why)

    def _taken(self) -> set[str]:
        """The addresses that load balancers have."""
        return {
            entry["ip"]
            for service in self.services.list()
            for entry in get(service, "status", "loadBalancer", "ingress", default=())
            if entry.get("ip")
        }


def _wants(service: JSON) -> bool:
    """Whether it is this cloud that is asked: a class names somebody else."""
    spec = service["spec"]
    return spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass")


def _has(service: JSON) -> bool:
    return FINALIZER in (service["metadata"].get("finalizers") or ())
