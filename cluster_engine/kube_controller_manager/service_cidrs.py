"""The Service CIDR controller: a range is ready, and goes when no Service is left without one.

Models pkg/controller/servicecidrs.
"""

from __future__ import annotations

from ipaddress import IPv4Address

from cluster_engine.apimachinery.cow import JSON, with_meta
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers.conditions import condition_of, without_condition
from cluster_engine.component_helpers.service_cidrs import (
    ALLOCATOR,
    FINALIZER,
    MANAGED_BY,
    READY,
    containing,
    is_ready,
    is_terminating,
    networks,
)
from cluster_engine.sim import SECOND, parse_rfc3339, rfc3339

_CIDRS, _ADDRESSES = "servicecidrs.networking.k8s.io", "ipaddresses.networking.k8s.io"
_GRACE = 10
"""Seconds that a deleted range stays though nobody needs it: who gives addresses is to hear of it first."""


class ServiceCIDRController(Controller):
    """Keeps the finalizer and the condition ``Ready`` of each range."""

    name = "service-cidrs-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.cidrs = ctx.informers.of(_CIDRS)
        self.addresses = ctx.informers.of(_ADDRESSES)
        self.cidrs.on(add=self._look, update=lambda change: self._look(change.new), delete=self._freed)
        self.addresses.on(delete=self._freed)

    def _look(self, cidr: JSON) -> None:
        if not _is_settled(cidr):
            self.queue.add(cidr["metadata"]["name"])
        self._freed(cidr)

    def _freed(self, _obj: JSON) -> None:
        """Something is otherwise that may have kept a deleted range."""
        for cidr in self.cidrs.list():
            if "deletionTimestamp" in cidr["metadata"]:
                self.queue.add(cidr["metadata"]["name"])

    def reconcile(self, key: str) -> None:
        cidr = self.cidrs.get(key)
        if cidr is None or _is_settled(cidr):
            return
        meta, finalizers = cidr["metadata"], cidr["metadata"].get("finalizers") or []
        if "deletionTimestamp" not in meta:
            if FINALIZER not in finalizers:
                cidr = self.client.update(_CIDRS, with_meta(cidr, finalizers=[*finalizers, FINALIZER]))
            self._tell(cidr, is_ready(rfc3339(self.clock.now)))
            return
        if not may_go(cidr, self.cidrs.list(), self._in_use()):
            self._tell(cidr, is_terminating(rfc3339(self.clock.now)))
            return
        wait = parse_rfc3339(meta["deletionTimestamp"]) + _GRACE * SECOND - self.clock.now
        if wait > 0:
            self.queue.add_after(key, wait / SECOND)
        elif FINALIZER in finalizers:
            left = [name for name in finalizers if name != FINALIZER]
            self.client.update(_CIDRS, with_meta(cidr, finalizers=left or None))

    def _in_use(self) -> list[str]:
        """The addresses that the API server has given, or that somebody says it has."""
        return [
            address["metadata"]["name"]
            for address in self.addresses.list()
            if (address["metadata"].get("labels") or {}).get(MANAGED_BY) == ALLOCATOR
        ]

    def _tell(self, cidr: JSON, condition: JSON) -> None:
        old = condition_of(cidr, READY)
        if old is not None and (old["status"], old["reason"]) == (condition["status"], condition["reason"]):
            return
        others = without_condition((cidr.get("status") or {}).get("conditions") or (), READY)
        self.client.update_status(_CIDRS, {**cidr, "status": {"conditions": [*others, condition]}})


def may_go(cidr: JSON, cidrs: list[JSON], in_use: list[str]) -> bool:
    """Whether a range can be deleted: others have all of it, or no address in use lies in it alone (canDeleteCIDR)."""
    name = cidr["metadata"]["name"]
    others = [other for other in cidrs if other["metadata"]["name"] != name]
    ranges = [network for other in others for network in networks(other)]
    if all(any(mine.subnet_of(whole) for whole in ranges) for mine in networks(cidr)):
        return True
    alone = (containing(cidrs, IPv4Address(ip)) == [name] for ip in in_use if ip != "None" and ":" not in ip)
    return not any(alone)


def _is_settled(cidr: JSON) -> bool:
    """Whether there is nothing to write: it stays, is held and ready."""
    meta, condition = cidr["metadata"], condition_of(cidr, READY)
    held = FINALIZER in (meta.get("finalizers") or ()) and "deletionTimestamp" not in meta
    return held and condition is not None and condition["status"] == "True"
