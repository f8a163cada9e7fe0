"""Lease.

Models pkg/registry/coordination/lease/strategy.go and pkg/apis/coordination/validation.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta, check_not_negative
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, forbidden_field, invalid_value, not_supported
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_qualified_name
from cluster_engine.sim import rfc3339, rfc3339_micro

_STRATEGIES = ("OldestEmulationVersion",)


def _check(lease: JSON) -> list[FieldError]:
    spec = lease.get("spec") or {}
    problems: list[FieldError] = []
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        problems.append(invalid_value("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    problems += check_not_negative(spec.get("leaseTransitions"), "spec.leaseTransitions")
    strategy = spec.get("strategy")
    if strategy is not None:
        problems += _strategy_problems(strategy)
    if spec.get("preferredHolder") and not strategy:
        text = "may only be specified if `strategy` is defined"
        problems.append(forbidden_field("spec.preferredHolder", text))
    return problems


def _strategy_problems(strategy: str) -> list[FieldError]:
    """A strategy of Kubernetes' own or a qualified name; upstream names the field twice."""
    path = "spec.strategy.strategy"
    if "/" not in strategy:
        return [] if strategy in _STRATEGIES else [not_supported(path, strategy, _STRATEGIES)]
    return [invalid_value(path, strategy, text) for text in is_qualified_name(strategy)]


def validate(lease: JSON) -> list[FieldError]:
    """What is wrong with a new lease."""
    return check_meta(lease) + _check(lease)


def renewed(lease: JSON, at: int, by: str) -> JSON:
    """The lease as its holder's component ``by`` renews it at that moment (virtual µs)."""
    meta, stamp = lease["metadata"], rfc3339(at)
    managed = [
        {**entry, "time": stamp} if entry.get("manager") == by and not entry.get("subresource") else entry
        for entry in meta.get("managedFields") or ()
    ]
    spec = {**lease["spec"], "renewTime": rfc3339_micro(at)}
    return {**lease, "metadata": {**meta, "managedFields": managed}, "spec": spec}


def row(lease: JSON, now: int) -> list[Any]:
    """The cells of a lease."""
    return [lease["metadata"]["name"], (lease.get("spec") or {}).get("holderIdentity") or "", age(lease, now)]


KIND = Kind(
    group="coordination.k8s.io",
    version="v1",
    kind="Lease",
    resource="leases",
    singular="lease",
    namespaced=True,
    columns=(NAME, Column("Holder", description=doc("coordination.v1.LeaseSpec", "holderIdentity")), AGE),
    row=row,
    default=lambda lease: lease if "spec" in lease else {**lease, "spec": {}},
    validate=validate,
    validate_update=lambda new, old: _check(new),
    create_on_update=True,
    unconditional_update=False,
)
