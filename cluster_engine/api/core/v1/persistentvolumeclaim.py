"""PersistentVolumeClaim.

Models pkg/registry/core/persistentvolumeclaim/strategy.go and pkg/apis/core/validation
(ValidatePersistentVolumeClaim, ValidatePersistentVolumeClaimUpdate).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, UNSET, age, doc
from cluster_engine.api.strategy import keep_status, same, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON, get, put
from cluster_engine.apimachinery.errors import FieldError, forbidden_field, required
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import validate_label_selector
from cluster_engine.component_helpers.storage import class_of

from .pod_diff import diff
from .volume_kinds import (
    check_access_modes,
    check_class_name,
    check_positive,
    check_volume_mode,
    modes_text,
)

_SIZE = ("spec", "resources", "requests", "storage")
_FROZEN = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"


def default(claim: JSON) -> JSON:
    """A file system, unless it says otherwise."""
    spec = claim.get("spec") or {}
    if spec.get("volumeMode"):
        return claim
    return {**claim, "spec": {**spec, "volumeMode": "Filesystem"}}


def prepare_create(claim: JSON) -> JSON:
    """A new claim is pending."""
    return {**claim, "status": {"phase": "Pending"}}


def check_claim_spec(spec: JSON, path: str) -> list[FieldError]:
    """The spec of a claim, or of a template for some (ValidatePersistentVolumeClaimSpec)."""
    problems: list[FieldError] = []
    modes = spec.get("accessModes") or []
    if not modes:
        problems.append(required(f"{path}.accessModes", "at least 1 access mode is required"))
    if spec.get("selector") is not None:
        problems += validate_label_selector(spec["selector"], f"{path}.selector")
    problems += check_access_modes(modes, f"{path}.accessModes")
    where, size = f"{path}.resources[storage]", get(spec, *_SIZE[1:])
    if size is None:
        problems.append(required(where))
    else:
        problems += check_positive(size, where)
    problems += check_class_name(spec.get("storageClassName"), f"{path}.storageClassName")
    return problems + check_volume_mode(spec.get("volumeMode"), f"{path}.volumeMode")


def validate(claim: JSON) -> list[FieldError]:
    """What is wrong with a new claim."""
    return check_meta(claim) + check_claim_spec(claim.get("spec") or {}, "spec")


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """A claim stays what it is; a bound one may ask for more, and one without a class may get the default one."""
    problems = check_claim_spec(new.get("spec") or {}, "spec")
    compared, was = new, old["spec"]
    if not was.get("volumeName"):
        was = {**was, "volumeName": new["spec"].get("volumeName")}
        if "storageClassName" not in was and "storageClassName" in new["spec"]:
            was = {**was, "storageClassName": new["spec"]["storageClassName"]}
    size, had = get(new, *_SIZE), get(old, *_SIZE)
    if get(new, "status", "phase") == "Bound":
        if size is not None and had is not None:
            compared = put(compared, _SIZE, had)
        if "volumeAttributesClassName" in new["spec"]:
            was = {**was, "volumeAttributesClassName": new["spec"]["volumeAttributesClassName"]}
    if not same(compared["spec"], was):
        told = diff(was, compared["spec"], "core.PersistentVolumeClaimSpec")
        problems.append(forbidden_field("spec", f"{_FROZEN}\n{told}"))
    if size is not None and had is not None and quantity.compare(size, had) < 0:
        least = get(old, "status", "capacity", "storage", default="0")
        if quantity.compare(size, least) <= 0:
            problems.append(forbidden_field(".".join(_SIZE), "field can not be less than status.capacity"))
    return problems + check_immutable(
        new["spec"].get("volumeMode"), old["spec"].get("volumeMode"), "volumeMode"
    )


def row(claim: JSON, now: int) -> list[Any]:
    """The cells of a claim."""
    spec, status = claim.get("spec") or {}, claim.get("status") or {}
    volume = spec.get("volumeName") or ""
    going = "deletionTimestamp" in claim["metadata"]
    return [
        claim["metadata"]["name"],
        "Terminating" if going else status.get("phase") or "",
        volume,
        (status.get("capacity") or {}).get("storage", "0") if volume else "",
        modes_text(status.get("accessModes")) if volume else "",
        class_of(claim),
        spec.get("volumeAttributesClassName") or UNSET,
        age(claim, now),
        spec.get("volumeMode") or UNSET,
    ]


KIND = Kind(
    group="",
    version="v1",
    kind="PersistentVolumeClaim",
    resource="persistentvolumeclaims",
    singular="persistentvolumeclaim",
    namespaced=True,
    short_names=("pvc",),
    subresources=STATUS,
    returns_deleted=True,
    columns=(
        NAME,
        Column("Status", description=doc("core.v1.PersistentVolumeClaimStatus", "phase")),
        Column("Volume", description=doc("core.v1.PersistentVolumeClaimSpec", "volumeName")),
        Column("Capacity", description=doc("core.v1.PersistentVolumeClaimStatus", "capacity")),
        Column("Access Modes", description=doc("core.v1.PersistentVolumeClaimStatus", "accessModes")),
        Column("StorageClass", description="StorageClass of the pvc"),
        Column("VolumeAttributesClass", description="VolumeAttributesClass of the pvc"),
        AGE,
        Column("VolumeMode", description=doc("core.v1.PersistentVolumeClaimSpec", "volumeMode"), priority=1),
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=keep_status,
    prepare_status=update_status,
    validate=validate,
    validate_update=validate_update,
)
