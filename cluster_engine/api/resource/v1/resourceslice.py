"""ResourceSlice: devices of a pool, as their driver publishes them.

Models pkg/registry/resource/resourceslice and pkg/apis/resource/validation (ValidateResourceSlice).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, UNSET, age, doc
from cluster_engine.api.resource.slices import check_slice
from cluster_engine.api.strategy import first_generation, next_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind, Write


def stamped(new: JSON, old: JSON | None, write: Write) -> JSON:
    """The slice with the time at which each taint was added; the very same when all have it."""
    spec = new.get("spec") or {}
    devices = spec.get("devices") or []
    if all(taint.get("timeAdded") for device in devices for taint in device.get("taints") or ()):
        return new
    made = [
        {
            **device,
            "taints": [
                {**taint, "timeAdded": taint.get("timeAdded") or write.now} for taint in device["taints"]
            ],
        }
        if device.get("taints")
        else device
        for device in devices
    ]
    return {**new, "spec": {**spec, "devices": made}}


def row(found: JSON, now: int) -> list[Any]:
    """The cells of a slice."""
    spec = found["spec"]
    node, pool = spec.get("nodeName") or UNSET, spec["pool"]["name"]
    return [found["metadata"]["name"], node, spec["driver"], pool, age(found, now)]


_SPEC = "resource.v1.ResourceSliceSpec"
KIND = Kind(
    group="resource.k8s.io",
    version="v1",
    kind="ResourceSlice",
    resource="resourceslices",
    singular="resourceslice",
    namespaced=False,
    columns=(
        NAME,
        Column("Node", description=doc(_SPEC, "nodeName")),
        Column("Driver", description=doc(_SPEC, "driver")),
        Column("Pool", description=doc("resource.v1.ResourcePool", "name")),
        AGE,
    ),
    row=row,
    attribute=stamped,
    prepare_create=first_generation,
    prepare_update=next_generation,
    validate=lambda found: check_meta(found, namespaced=False) + check_slice(found.get("spec") or {}, None),
    validate_update=lambda new, old: check_slice(new.get("spec") or {}, old.get("spec") or {}),
    field_labels={
        "spec.nodeName": lambda found: (found.get("spec") or {}).get("nodeName") or "",
        "spec.driver": lambda found: (found.get("spec") or {}).get("driver") or "",
    },
)
