"""PersistentVolume.

Models pkg/registry/core/persistentvolume/strategy.go and pkg/apis/core/validation (ValidatePersistentVolume).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, UNSET, age, doc
from cluster_engine.api.strategy import keep_status, same, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, forbidden_field, not_supported, required
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.component_helpers.storage import class_of

from .pod_diff import diff
from .pod_spec.scheduling import check_node_selector
from .pod_spec.volumes import VOLUME_SOURCES
from .volume_kinds import (
    check_access_modes,
    check_class_name,
    check_positive,
    check_volume_mode,
    modes_text,
)

SOURCES = (
    *(
        "hostPath",
        "gcePersistentDisk",
        "awsElasticBlockStore",
        "glusterfs",
        "flocker",
        "nfs",
        "rbd",
        "quobyte",
    ),
    *("cephfs", "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk"),
    *("portworxVolume", "azureDisk", "scaleIO", "local", "storageos", "csi"),
)
"""The kinds of storage that a volume may be of, in upstream's order."""
_RECLAIM = ("Delete", "Recycle", "Retain")


def default(volume: JSON) -> JSON:
    """The reclaim policy, the mode and the type of a host's path."""
    spec = volume.get("spec") or {}
    add: JSON = {}
    if not spec.get("persistentVolumeReclaimPolicy"):
        add["persistentVolumeReclaimPolicy"] = "Retain"
    if not spec.get("volumeMode"):
        add["volumeMode"] = "Filesystem"
    path = spec.get("hostPath")
    if path is not None and path.get("type") is None:
        add["hostPath"] = {**path, "type": ""}
    return {**volume, "spec": {**spec, **add}} if add else volume


def prepare_create(volume: JSON) -> JSON:
    """A new volume is pending."""
    since = volume["metadata"].get("creationTimestamp")
    return {**volume, "status": {"phase": "Pending", "lastPhaseTransitionTime": since}}


def _sources(spec: JSON) -> JSON:
    return {name: spec[name] for name in SOURCES if spec.get(name) is not None}


def _check_sources(volume: JSON, has_affinity: bool) -> list[FieldError]:
    spec = volume.get("spec") or {}
    problems: list[FieldError] = []
    given = _sources(spec)
    for index, (name, source) in enumerate(given.items()):
        path = f"spec.{name}"
        if index:
            problems.append(forbidden_field(path, "may not specify more than 1 volume type"))
        elif name == "local":
            if not source.get("path"):
                problems.append(required(f"{path}.path"))
            if not has_affinity:
                text = "Local volume requires node affinity"
                problems.append(required("metadata.annotations", text))
        else:
            problems += VOLUME_SOURCES[name](source, path)
            if name == "csi" and not source.get("volumeHandle"):
                problems.append(required(f"{path}.volumeHandle"))
    return problems if given else [required("spec", "must specify a volume type")]


def _check(volume: JSON) -> list[FieldError]:
    spec = volume.get("spec") or {}
    problems: list[FieldError] = []
    modes = spec.get("accessModes") or []
    if not modes:
        problems.append(required("spec.accessModes"))
    problems += check_access_modes(modes, "spec.accessModes")
    capacity = spec.get("capacity") or {}
    if not capacity:
        problems.append(required("spec.capacity"))
    if "storage" not in capacity or len(capacity) > 1:
        problems.append(not_supported("spec.capacity", capacity, ("storage",)))
    for name, amount in capacity.items():
        problems += check_positive(amount, f"spec.capacity[{name}]")
    policy = spec.get("persistentVolumeReclaimPolicy") or ""
    if policy and policy not in _RECLAIM:
        problems.append(not_supported("spec.persistentVolumeReclaimPolicy", policy, _RECLAIM))
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        where = "spec.nodeAffinity.required"
        if affinity.get("required") is None:
            problems.append(required(where, "must specify required node constraints"))
        else:
            problems += check_node_selector(affinity["required"], where)
    problems += _check_sources(volume, bool((affinity or {}).get("required")))
    if policy == "Recycle" and ((spec.get("hostPath") or {}).get("path") or "-").strip("/") == "":
        text = "may not be 'recycle' for a hostPath mount of '/'"
        problems.append(forbidden_field("spec.persistentVolumeReclaimPolicy", text))
    problems += check_class_name(spec.get("storageClassName"), "spec.storageClassName")
    return problems + check_volume_mode(spec.get("volumeMode"), "spec.volumeMode")


def validate(volume: JSON) -> list[FieldError]:
    """What is wrong with a new volume."""
    return check_meta(volume, namespaced=False) + _check(volume)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """Where the data lies stays."""
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    problems = _check(new)
    now, before = _sources(spec), _sources(was)
    if not same(now, before):
        told = diff(before, now, "core.PersistentVolumeSource")
        text = f"spec.persistentvolumesource is immutable after creation\n{told}"
        problems.append(forbidden_field("spec.persistentvolumesource", text))
    problems += check_immutable(spec.get("volumeMode"), was.get("volumeMode"), "volumeMode")
    if was.get("nodeAffinity") is not None:
        problems += check_immutable(spec.get("nodeAffinity"), was["nodeAffinity"], "nodeAffinity")
    return problems


def row(volume: JSON, now: int) -> list[Any]:
    """The cells of a volume."""
    spec, status = volume.get("spec") or {}, volume.get("status") or {}
    claim = spec.get("claimRef") or {}
    going = "deletionTimestamp" in volume["metadata"]
    return [
        volume["metadata"]["name"],
        (spec.get("capacity") or {}).get("storage", "0"),
        modes_text(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy") or "",
        "Terminating" if going else status.get("phase") or "",
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        class_of(volume),
        spec.get("volumeAttributesClassName") or UNSET,
        status.get("reason") or "",
        age(volume, now),
        spec.get("volumeMode") or UNSET,
    ]


KIND = Kind(
    group="",
    version="v1",
    kind="PersistentVolume",
    resource="persistentvolumes",
    singular="persistentvolume",
    namespaced=False,
    short_names=("pv",),
    subresources=STATUS,
    returns_deleted=True,
    columns=(
        NAME,
        Column("Capacity", description=doc("core.v1.PersistentVolumeSpec", "capacity")),
        Column("Access Modes", description=doc("core.v1.PersistentVolumeSpec", "accessModes")),
        Column(
            "Reclaim Policy", description=doc("core.v1.PersistentVolumeSpec", "persistentVolumeReclaimPolicy")
        ),
        Column("Status", description=doc("core.v1.PersistentVolumeStatus", "phase")),
        Column("Claim", description=doc("core.v1.PersistentVolumeSpec", "claimRef")),
        Column("StorageClass", description="StorageClass of the pv"),
        Column("VolumeAttributesClass", description="VolumeAttributesClass of the pv"),
        Column("Reason", description=doc("core.v1.PersistentVolumeStatus", "reason")),
        AGE,
        Column("VolumeMode", description=doc("core.v1.PersistentVolumeSpec", "volumeMode"), priority=1),
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=keep_status,
    prepare_status=update_status,
    validate=validate,
    validate_update=validate_update,
)
