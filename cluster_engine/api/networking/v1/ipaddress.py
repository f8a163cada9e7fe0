"""IPAddress: one for each address that a Service has.

Models pkg/registry/core/service/ipallocator (createIPAddress) and pkg/apis/networking.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.printing import NAME, NONE, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind, World


def computed(world: World) -> list[JSON]:
    """Those of the Services that there are."""
    return [
        _of(world, service, address)
        for service in world.objects("services")
        for address in service["spec"].get("clusterIPs") or ()
        if address != "None"
    ]


def _of(world: World, service: JSON, address: str) -> JSON:
    owner = service["metadata"]
    labels = {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator",
    }
    meta = {
        **world.meta(address),
        "creationTimestamp": owner["creationTimestamp"],
        "labels": labels,
        "resourceVersion": owner["resourceVersion"],
    }
    parent = {"group": "", "name": owner["name"], "namespace": owner["namespace"], "resource": "services"}
    return {"metadata": meta, "spec": {"parentRef": parent}}


def row(address: JSON, now: int) -> list[Any]:
    """The cells of an address."""
    parent, told = address["spec"].get("parentRef"), NONE
    if parent is not None:
        told = "/".join(part for part in (parent["resource"], parent["namespace"], parent["name"]) if part)
    return [address["metadata"]["name"], told]


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    kind="IPAddress",
    resource="ipaddresses",
    singular="ipaddress",
    namespaced=False,
    short_names=("ip",),
    verbs=("get", "list"),
    computed=computed,
    refused="IPAddresses that somebody writes or watches; a real cluster stores one for each address of a Service",
    columns=(NAME, Column("ParentRef", description=doc("networking.v1.IPAddressSpec", "parentRef"))),
    row=row,
)
