"""ResourceQuota: nothing is made that a namespace's quotas have no room for.

Models k8s.io/apiserver/pkg/admission/plugin/resourcequota. What a write adds is charged to ``status.used`` in the same
instant; the controller counts anew when something goes.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster_engine.apimachinery import errors, quantity
from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.component_helpers import quota as rules
from cluster_engine.component_helpers.quota import Usage

from .plugin import CREATE, UPDATE, Attributes, Plugin

_QUOTAS = "resourcequotas"
_UPDATED = ("services", "persistentvolumeclaims")
"""Whose updates are charged too, as are Pods through the subresource resize."""


class ResourceQuota(Plugin):
    """Refuses what exceeds a quota, charges what does not."""

    name = "ResourceQuota"
    needs = _QUOTAS
    operations = (CREATE, UPDATE)
    subresources = True
    validates = True

    def concerns(self, resource: str, operation: str, subresource: str) -> bool:
        if operation == UPDATE:
            return (resource in _UPDATED and not subresource) or (resource, subresource) == ("pods", "resize")
        return operation == CREATE and not subresource

    def validate(self, attributes: Attributes) -> None:
        obj = attributes.obj
        if obj is None or not attributes.namespace:
            return
        now, resource = attributes.store.clock.now, attributes.resource
        asked = rules.usage_of(resource, obj, now)
        old = attributes.old
        charged: list[tuple[JSON, Usage]] = []
        for quota in attributes.store.range(_QUOTAS, attributes.namespace):
            if not rules.concerns(quota, resource, obj):
                continue
            status = quota["status"]
            names = sorted(name for name in status["hard"] if rules.counts(resource, name))
            _check_said(attributes, quota, obj, names)
            used = status.get("used") or {}
            if any(name not in used for name in names):
                why = f"status unknown for quota: {quota['metadata']['name']}, resources: {','.join(names)}"
                raise errors.forbidden(resource, attributes.name, why)
            before = (
                rules.usage_of(resource, old, now) if old and rules.concerns(quota, resource, old) else {}
            )
            more = {
                name: amount
                for name, amount in rules.increase(asked, before).items()
                if name in status["hard"]
            }
            if more:
                _check_room(attributes, quota, more)
                charged.append((quota, more))
        if attributes.ctx.dry_run:
            return
        for quota, more in charged:
            used = {**quota["status"]["used"], **_sums(quota["status"]["used"], more)}
            new = {**quota, "status": {**quota["status"], "used": used}}
            attributes.store.put(
                _QUOTAS, key_of(quota), new, expect=int(quota["metadata"]["resourceVersion"])
            )


def _sums(used: Usage, more: Usage) -> Usage:
    return {name: quantity.add(used.get(name, "0"), amount) for name, amount in more.items()}


def _check_said(attributes: Attributes, quota: JSON, obj: JSON, names: Iterable[str]) -> None:
    if attributes.resource != "pods":
        return
    unsaid = rules.unsaid(obj, names)
    if unsaid:
        why = f"failed quota: {quota['metadata']['name']}: must specify {unsaid}"
        raise errors.forbidden(attributes.resource, attributes.name, why)


def _check_room(attributes: Attributes, quota: JSON, more: Usage) -> None:
    """Refuses what does not fit, and says of each resource how much was asked, is used, and is allowed."""
    status = quota["status"]
    hard, used = status["hard"], status["used"]
    exceeded = [
        name for name, total in sorted(_sums(used, more).items()) if quantity.compare(total, hard[name]) > 0
    ]
    if exceeded:
        told = [
            ",".join(f"{name}={quantity.canonical(amounts.get(name, '0'))}" for name in exceeded)
            for amounts in (more, used, hard)
        ]
        why = (
            f"exceeded quota: {quota['metadata']['name']}, "
            f"requested: {told[0]}, used: {told[1]}, limited: {told[2]}"
        )
        raise errors.forbidden(attributes.resource, attributes.name, why)
