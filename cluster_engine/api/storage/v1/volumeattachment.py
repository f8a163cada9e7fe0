"""VolumeAttachment.

Models pkg/registry/storage/volumeattachment/strategy.go and pkg/apis/storage/validation (ValidateVolumeAttachment).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.api.strategy import keep_status, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON, get
from cluster_engine.apimachinery.errors import FieldError, forbidden_field, required
from cluster_engine.apimachinery.scheme import Column, Kind

from .csidriver import check_driver_name


def _check(attachment: JSON) -> list[FieldError]:
    spec = attachment.get("spec") or {}
    attacher, source = spec.get("attacher") or "", spec.get("source") or {}
    problems = check_driver_name(attacher, "spec.attacher")
    named, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    if named is None and inline is None:
        text = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        problems.append(required("spec.source", text))
    elif named is not None and inline is not None:
        text = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        problems.append(forbidden_field("spec.source", text))
    elif named == "":
        problems.append(
            required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName")
        )
    if not spec.get("nodeName"):
        problems.append(required("spec.nodeName"))
    return problems


def row(attachment: JSON, now: int) -> list[Any]:
    """The cells of an attachment."""
    spec = attachment.get("spec") or {}
    return [
        attachment["metadata"]["name"],
        spec.get("attacher") or "",
        get(spec, "source", "persistentVolumeName", default=""),
        spec.get("nodeName") or "",
        bool((attachment.get("status") or {}).get("attached")),
        age(attachment, now),
    ]


_SPEC = "storage.v1.VolumeAttachmentSpec"
KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    kind="VolumeAttachment",
    resource="volumeattachments",
    singular="volumeattachment",
    namespaced=False,
    subresources=STATUS,
    returns_deleted=True,
    columns=(
        NAME,
        Column("Attacher", format="name", description=doc(_SPEC, "attacher")),
        Column("PV", description=doc("storage.v1.VolumeAttachmentSource", "persistentVolumeName")),
        Column("Node", description=doc(_SPEC, "nodeName")),
        Column("Attached", "boolean", description=doc("storage.v1.VolumeAttachmentStatus", "attached")),
        AGE,
    ),
    row=row,
    prepare_create=lambda attachment: {**attachment, "status": {"attached": False}},
    prepare_update=keep_status,
    prepare_status=update_status,
    validate=lambda attachment: check_meta(attachment, namespaced=False) + _check(attachment),
    validate_update=lambda new, old: check_immutable(new.get("spec"), old.get("spec"), "spec"),
)
