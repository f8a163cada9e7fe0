"""ServiceCIDR: the range of the Services' addresses.

Models pkg/registry/networking/servicecidr and pkg/controlplane/controller/defaultservicecidr.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind, World

RANGE = "10.96.0.0/12"


def computed(world: World) -> list[JSON]:
    """The one that the API server is started with."""
    meta = world.meta("kubernetes")
    ready = {
        "lastTransitionTime": meta["creationTimestamp"],
        "message": "Kubernetes default Service CIDR is ready",
        "reason": "",
        "status": "True",
        "type": "Ready",
    }
    meta = {**meta, "finalizers": ["networking.k8s.io/service-cidr-finalizer"]}
    return [{"metadata": meta, "spec": {"cidrs": [RANGE]}, "status": {"conditions": [ready]}}]


def row(cidr: JSON, now: int) -> list[Any]:
    """The cells of a range."""
    return [cidr["metadata"]["name"], ",".join(cidr["spec"]["cidrs"]), age(cidr, now)]


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="ServiceCIDR",
    resource="servicecidrs",
    singular="servicecidr",
    namespaced=False,
    verbs=("get", "list"),
    computed=computed,
    refused="ServiceCIDRs that somebody writes or watches; a real cluster can be given more ranges of addresses",
    columns=(NAME, Column("CIDRs", description=doc("networking.v1.ServiceCIDRSpec", "cidrs")), AGE),
    row=row,
)
