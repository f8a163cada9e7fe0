"""The EndpointSlice mirroring controller: Endpoints that somebody writes by hand become EndpointSlices.

Models pkg/controller/endpointslicemirroring: of Services without a selector, a slice a subset.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON, key_of, owner_reference
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller

from .endpoints_rules import MANAGED_BY, SERVICE_NAME

_SLICES, _ENDPOINTS, _SERVICES = "endpointslices.discovery.k8s.io", "endpoints", "services"
_SKIP = "endpointslice.kubernetes.io/skip-mirror"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_MANAGER = "endpointslicemirroring-controller.k8s.io"
MAX_ENDPOINTS = 1_000
"""Endpoints of a subset that are mirrored (--mirroring-max-endpoints-per-subset)."""


class EndpointSliceMirroringController(Controller):
    """Keeps the slices of hand-made Endpoints."""

    name = "endpointslicemirroring-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.services = ctx.informers.of(_SERVICES)
        self.endpoints = ctx.informers.of(_ENDPOINTS)
        self.slices = ctx.informers.of(_SLICES)
        self.endpoints.on(add=self._enqueue, update=lambda change: self._enqueue(change.new))
        self.services.on(add=self._service, update=self._service_updated)
        self.slices.on(delete=self._slice_deleted)

    def _enqueue(self, endpoints: JSON) -> None:
        service = self.services.get(key_of(endpoints))
        selecting = service is not None and service["spec"].get("selector")
        if not selecting or self.slices.count_by_index("owner", endpoints["metadata"]["uid"]):
            self.queue.add(key_of(endpoints))

    def _service(self, service: JSON) -> None:
        if self.endpoints.get(key_of(service)) is not None:
            self.queue.add(key_of(service))

    def _service_updated(self, change: Change) -> None:
        if change.spec:
            self._service(change.new)

    def _slice_deleted(self, slice: JSON) -> None:
        labels = slice["metadata"].get("labels") or {}
        if labels.get(MANAGED_BY) == _MANAGER:
            self.queue.add(f"{slice['metadata']['namespace']}/{labels.get(SERVICE_NAME, '')}")

    def reconcile(self, key: str) -> None:
        endpoints, service = self.endpoints.get(key), self.services.get(key)
        if endpoints is None or "deletionTimestamp" in endpoints["metadata"]:
            return  # the garbage collector takes the slices of deleted Endpoints
        owned = self.slices.by_index("owner", endpoints["metadata"]["uid"])
        wanted: list[JSON] = []
        if service is not None and not service["spec"].get("selector") and _is_mirrored(endpoints):
            wanted = [_slice(endpoints, subset) for subset in endpoints.get("subsets") or ()]
        left = list(owned)
        for slice in wanted:
            found = next((s for s in left if s.get("ports") == slice["ports"]), None)
            if found is None:
                self.client.create(_SLICES, slice)
                continue
            left.remove(found)
            if (
                found["endpoints"] != slice["endpoints"]
                or found["metadata"]["labels"] != slice["metadata"]["labels"]
            ):
                meta = {**found["metadata"], "labels": slice["metadata"]["labels"]}
                self.client.update(_SLICES, {**found, "metadata": meta, "endpoints": slice["endpoints"]})
        for slice in left:
            self.client.delete(_SLICES, slice["metadata"]["name"], slice["metadata"]["namespace"])


def _is_mirrored(endpoints: JSON) -> bool:
    """Whether slices are made of them; leader elections used to be kept in Endpoints."""
    meta = endpoints["metadata"]
    return (meta.get("labels") or {}).get(_SKIP) != "true" and _LEADER not in (meta.get("annotations") or {})


def _slice(endpoints: JSON, subset: JSON) -> JSON:
    meta = endpoints["metadata"]
    ready = [(address, True) for address in subset.get("addresses") or ()]
    ready += [(address, False) for address in subset.get("notReadyAddresses") or ()]
    ports: list[dict[str, Any]] = [
        {"name": "", "protocol": "TCP", **port} for port in subset.get("ports") or ()
    ]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{meta['name']}-",
            "namespace": meta["namespace"],
            "labels": {**(meta.get("labels") or {}), SERVICE_NAME: meta["name"], MANAGED_BY: _MANAGER},
            "ownerReferences": [owner_reference(endpoints)],
        },
        "addressType": "IPv4",
        "endpoints": [_endpoint(address, is_ready) for address, is_ready in ready[:MAX_ENDPOINTS]],
        "ports": ports,
    }


def _endpoint(address: JSON, ready: bool) -> JSON:
    made: JSON = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    for field in ("hostname", "nodeName", "targetRef"):
        if address.get(field):
            made[field] = address[field]
    return made
