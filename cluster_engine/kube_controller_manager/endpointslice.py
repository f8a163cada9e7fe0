"""The EndpointSlice and Endpoints controllers: where a Service's traffic can go.

Models pkg/controller/endpointslice and pkg/controller/endpoint. Both look at the same things and share how.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON, key_of, split_key
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.labels import selector_of_map
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller

from . import endpoints_rules as rules

BATCH = 0.2
BATCH_PER_POD = 0.001
MAX_BATCH = 2.0
"""Seconds for which changes of Pods are gathered, more where there are many: a rollout of hundreds is a few
writes of each slice (upstream: --endpoint-updates-batch-period and its client's rate limit)."""

_SLICES, _ENDPOINTS, _SERVICES = "endpointslices.discovery.k8s.io", "endpoints", "services"
_SELECTING = "selecting"


def _selecting(service: JSON) -> tuple[str, ...]:
    """Index function: the namespace of a Service that chooses Pods itself."""
    if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
        return ()
    return (service["metadata"]["namespace"],)


class _ServiceController(Controller):
    """Enqueues the Services whose endpoints a change may touch."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.services = ctx.informers.of(_SERVICES)
        self.pods = ctx.informers.of("pods")
        self.nodes = ctx.informers.of("nodes")
        self.services.add_index(_SELECTING, _selecting, ("spec",))
        self.services.on(
            add=self._service, update=lambda change: self._service(change.new), delete=self._service
        )
        self.pods.on(add=self._pod, update=self._pod_updated, delete=self._pod)

    def _service(self, service: JSON) -> None:
        self.queue.add(key_of(service))

    def _pod(self, pod: JSON) -> None:
        if (pod.get("status") or {}).get("podIP"):
            self._enqueue(pod)

    def _pod_updated(self, change: Change) -> None:
        if not rules.pod_changed(change):
            return
        self._enqueue(change.new)
        if change.labels:
            self._enqueue(change.old)

    def _enqueue(self, pod: JSON) -> None:
        labels = pod["metadata"].get("labels")
        if not labels:
            return
        namespace = pod["metadata"]["namespace"]
        for service in self.services.by_index(_SELECTING, namespace):
            if selector_of_map(service["spec"]["selector"]).matches(labels):
                neighbours = self.pods.count_by_index("namespace", namespace)
                self.queue.add_after(key_of(service), min(BATCH + BATCH_PER_POD * neighbours, MAX_BATCH))

    def _selected(self, service: JSON) -> list[JSON]:
        selector = selector_of_map(service["spec"]["selector"])
        namespace = service["metadata"]["namespace"]
        return [pod for pod in self.pods.list(namespace) if selector.matches(pod["metadata"].get("labels"))]


class EndpointSliceController(_ServiceController):
    """Writes the EndpointSlices of every Service with a selector."""

    name = "endpointslice-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.recorder = ctx.recorder("endpoint-slice-controller", client=self.client)
        self.slices = ctx.informers.of(_SLICES)
        self.slices.on(delete=self._slice_deleted)

    def _slice_deleted(self, slice: JSON) -> None:
        name = (slice["metadata"].get("labels") or {}).get(rules.SERVICE_NAME)
        if name:
            self.queue.add(f"{slice['metadata']['namespace']}/{name}")

    def reconcile(self, key: str) -> None:
        service = self.services.get(key)
        if service is None or not _selecting(service) or service["metadata"].get("deletionTimestamp"):
            return  # the garbage collector takes a deleted Service's slices
        existing = [
            slice
            for slice in self.slices.by_index("owner", service["metadata"]["uid"])
            if not slice["metadata"].get("deletionTimestamp")
        ]
        plan = rules.plan_slices(service, self._selected(service), self.nodes.get, existing)
        for slice in plan.create:
            self.client.create(_SLICES, slice)
        for slice in plan.update:
            self.client.update(_SLICES, slice)
        for slice in plan.delete:
            self.client.delete(_SLICES, slice["metadata"]["name"], slice["metadata"]["namespace"])


class EndpointsController(_ServiceController):
    """Writes core/v1 Endpoints, which Kubernetes has deprecated and still makes."""

    name = "endpoint-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.endpoints = ctx.informers.of(_ENDPOINTS)

    def reconcile(self, key: str) -> None:
        service = self.services.get(key)
        existing = self.endpoints.get(key)
        if service is None:
            namespace, name = split_key(key)
            if existing is not None:
                self._delete(name, namespace)
            return
        if not _selecting(service):
            return
        pods = self._selected(service)
        labels = {**(service["metadata"].get("labels") or {}), rules.ENDPOINTS_MANAGED_BY: self.name}
        if rules.is_headless(service):
            labels[rules.HEADLESS] = ""
        subsets = rules.subsets(service, pods)
        if existing is None:
            self.client.create(_ENDPOINTS, self._object(service, pods, labels, subsets))
        elif (existing.get("subsets") or []) != subsets or existing["metadata"].get("labels") != labels:
            annotations = {**(existing["metadata"].get("annotations") or {})}
            annotations[rules.TRIGGER_TIME] = rules.trigger_time(service, pods)
            meta = {**existing["metadata"], "labels": labels, "annotations": annotations}
            self.client.update(_ENDPOINTS, {**existing, "metadata": meta, "subsets": subsets})

    def _object(self, service: JSON, pods: list[JSON], labels: JSON, subsets: list[JSON]) -> JSON:
        annotations = {rules.TRIGGER_TIME: rules.trigger_time(service, pods)}
        if len(pods) > rules.MAX_PER_ENDPOINTS:
            annotations["endpoints.kubernetes.io/over-capacity"] = "truncated"
        meta = {
            "name": service["metadata"]["name"],
            "namespace": service["metadata"]["namespace"],
            "labels": labels,
            "annotations": annotations,
        }
        return {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": subsets}

    def _delete(self, name: str, namespace: str | None) -> None:
        try:
            self.client.delete(_ENDPOINTS, name, namespace)
        except ApiError as error:
            if error.code != 404:
                raise
