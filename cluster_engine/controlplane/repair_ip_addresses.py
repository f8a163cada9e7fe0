"""IPAddresses of Services: what somebody took away or changed is made good.

Models pkg/registry/core/service/ipallocator/controller/repairip.go.
"""

from __future__ import annotations

from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component import Component, Context
from cluster_engine.component_helpers.service_cidrs import (
    ALLOCATOR,
    MANAGED_BY,
    address_of,
    addresses,
    is_of_service,
)
from cluster_engine.sim import SECOND, parse_rfc3339

GRACE = 60
"""Seconds that an address may be there before its Service is."""
_ADDRESSES = "ipaddresses.networking.k8s.io"
_NOT_ALLOCATED = "ClusterIPNotAllocated"


class Repair(NamedTuple):
    """What is done about an address, and what is told; no reason: nothing is."""

    reason: str = ""
    message: str = ""
    remove: bool = False
    make: bool = False
    again: float = 0
    """Seconds after which it is looked at again; 0: not."""


FINE = Repair()


class RepairIPAddresses(Component):
    """Keeps one IPAddress for each address of a Service, and none of the allocator's beside them."""

    name = "ipallocator-repair-controller"
    process = "kube-apiserver"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.client = ctx.client("system:apiserver", "kube-apiserver", ("system:masters",))
        self.recorder = ctx.recorder(self.name, self.client)
        self.queue = self.new_queue(self.reconcile)
        self.services = ctx.informers.of("services")
        self.addresses = ctx.informers.of(_ADDRESSES)
        self.addresses.on(add=self._seen, update=lambda change: self._seen(change.new), delete=self._gone)

    def _seen(self, address: JSON) -> None:
        self.queue.add(address["metadata"]["name"])

    def _gone(self, address: JSON) -> None:
        if self._service_of(address) is not None:
            self._seen(address)

    def _service_of(self, address: JSON) -> JSON | None:
        parent = address["spec"].get("parentRef") or {}
        return (
            self.services.get(f"{parent.get('namespace')}/{parent.get('name')}")
            if is_of_service(address)
            else None
        )

    def _holder(self, ip: str, address: JSON | None) -> JSON | None:
        """The Service that has it: most often the one that the address names."""
        named = self._service_of(address) if address is not None else None
        services = self.services.list() if named is None or ip not in addresses(named) else [named]
        return next((service for service in services if ip in addresses(service)), None)

    def reconcile(self, key: str) -> None:
        address = self.addresses.get(key)
        holder = self._holder(key, address)
        repair = FINE
        if holder is not None:
            repair = of_service(holder, key, address)
        elif address is not None:
            repair = of_address(address, self._service_of(address), self.clock.now)
        about = holder if holder is not None else address
        if repair.reason and about is not None:
            self.recorder.event(about, "Warning", repair.reason, repair.message)
        if repair.remove and address is not None:
            self.client.delete(_ADDRESSES, key)
        if repair.make and holder is not None:
            self.client.create(_ADDRESSES, address_of(holder, key))
        if repair.again:
            self.queue.add_after(key, repair.again, background=True)


def of_service(service: JSON, ip: str, address: JSON | None) -> Repair:
    """What is wrong with an address that a Service has (syncService)."""
    meta = service["metadata"]
    if address is None:
        return Repair(_NOT_ALLOCATED, f"Cluster IP [IPv4]: {ip} is not allocated; repairing", make=True)
    wanted = address_of(service, ip)
    parent, right = address["spec"].get("parentRef") or {}, wanted["spec"]["parentRef"]
    if not is_of_service(address) or any(parent.get(part) != right[part] for part in right):
        name = f"{meta['namespace']}/{meta['name']}"
        told = f"the ClusterIP [IPv4]: {ip} for Service {name} has a wrong reference; repairing"
        return Repair(_NOT_ALLOCATED, told, remove=True, make=True)
    labels = address["metadata"].get("labels") or {}
    if any(labels.get(name) != value for name, value in wanted["metadata"]["labels"].items()):
        return Repair(remove=True, make=True)
    return FINE


def of_address(address: JSON, service: JSON | None, now: int) -> Repair:
    """What is wrong with an address that no Service has; ``service``: the one that it names (syncIPAddress)."""
    meta, parent = address["metadata"], address["spec"].get("parentRef") or {}
    name = meta["name"]
    if (meta.get("labels") or {}).get(MANAGED_BY) != ALLOCATOR:
        return FINE
    if not is_of_service(address):
        group, resource, namespace, of = (
            parent.get(part) or "" for part in ("group", "resource", "namespace", "name")
        )
        shown = f"&ParentReference{{Group:{group},Resource:{resource},Namespace:{namespace},Name:{of},}}"
        told = (
            f"IPAddress {name} appears to have been modified, not referencing a Service {shown}: cleaning up"
        )
        return Repair("IPAddressNotAllocated", told, remove=True)
    told = f"IPAddress: {name} for Service {parent.get('namespace') or ''}/{parent['name']}"
    if service is not None:
        return Repair("IPAddressWrongReference", f"{told} has a wrong reference; cleaning up", remove=True)
    left = parse_rfc3339(meta["creationTimestamp"]) + GRACE * SECOND - now
    if left >= 0:
        return Repair(again=left / SECOND + 0.001)
    return Repair("IPAddressNotAllocated", f"{told} appears to have leaked: cleaning up", remove=True)
