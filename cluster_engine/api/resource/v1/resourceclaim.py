"""ResourceClaim: devices that somebody asks for, and those that he was given.

Models pkg/registry/resource/resourceclaim and pkg/apis/resource/validation.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.api.resource.allocations import check_status
from cluster_engine.api.resource.claims import check_spec, default_spec
from cluster_engine.api.strategy import keep_status, update_status, without_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind


def default(claim: JSON) -> JSON:
    """The claim with how many devices each request is for."""
    spec = claim.get("spec") or {}
    made = default_spec(spec)
    return claim if made is spec else {**claim, "spec": made}


def state(claim: JSON) -> str:
    """The cell STATE (resourceClaimState)."""
    status, deleted = claim.get("status") or {}, "deletionTimestamp" in claim["metadata"]
    words = ["deleted"] if deleted else []
    if status.get("allocation") is not None:
        words.append("allocated")
        if status.get("reservedFor"):
            words.append("reserved")
    elif not deleted:
        words.append("pending")
    return ",".join(words)


def row(claim: JSON, now: int) -> list[Any]:
    """The cells of a claim."""
    return [claim["metadata"]["name"], state(claim), age(claim, now)]


KIND = Kind(
    group="resource.k8s.io",
    version="v1",
    kind="ResourceClaim",
    resource="resourceclaims",
    singular="resourceclaim",
    namespaced=True,
    subresources=STATUS,
    columns=(
        NAME,
        Column("State", description="A summary of the current state (allocated, pending, reserved, etc.)."),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=without_status,
    prepare_update=keep_status,
    prepare_status=update_status,
    validate=lambda claim: check_meta(claim) + check_spec(claim.get("spec") or {}, "spec"),
    validate_update=lambda new, old: check_immutable(new.get("spec"), old.get("spec"), "spec"),
    validate_status=check_status,
)
