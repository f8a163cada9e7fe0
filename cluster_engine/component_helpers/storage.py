"""Claims, volumes and classes: what several components ask of them.

Models k8s.io/component-helpers/storage/volume, pkg/volume/util and pkg/controller/volume/persistentvolume.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.labels import compile_selector
from cluster_engine.component_helpers.classes import newest

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONER = "volume.kubernetes.io/storage-provisioner"
PROVISIONER_BETA = "volume.beta.kubernetes.io/storage-provisioner"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
CSI_DRIVER = "hostpath.csi.k8s.io"
"""The driver whose volumes every node here can mount, and that makes, grows and deletes them."""
PROTECTION = {
    "persistentvolumes": "kubernetes.io/pv-protection",
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
}
"""Group-resource -> the finalizer of what is in use."""
_DEFAULTS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def annotation(obj: JSON, name: str) -> str:
    """An annotation's value, or ""."""
    return str((obj["metadata"].get("annotations") or {}).get(name) or "")


def class_of(obj: JSON) -> str:
    """The storage class of a volume or claim; an old annotation goes before the field."""
    named = (obj["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)
    return str(named if named is not None else (obj.get("spec") or {}).get("storageClassName") or "")


def wants_default_class(claim: JSON) -> bool:
    """Whether a claim says nothing of its class; an empty name says that it wants none."""
    annotations = claim["metadata"].get("annotations") or {}
    return CLASS_ANNOTATION not in annotations and (claim.get("spec") or {}).get("storageClassName") is None


def is_default_class(storage_class: JSON) -> bool:
    """Whether claims that name no class get this one."""
    return any(annotation(storage_class, name) == "true" for name in _DEFAULTS)


def default_class(classes: Iterable[JSON]) -> JSON | None:
    """The default class: of several the newest, then the first by name (GetDefaultClass)."""
    return newest(each for each in classes if is_default_class(each))


def size_of_claim(claim: JSON) -> str:
    """What a claim asks for."""
    requests: JSON = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    return str(requests.get("storage", "0"))


def size_of_volume(volume: JSON) -> str:
    """How large a volume is."""
    return str(((volume.get("spec") or {}).get("capacity") or {}).get("storage", "0"))


def is_bound_to(volume: JSON, claim: JSON) -> bool:
    """Whether the volume is kept for this claim, by name and, where it says one, by uid (IsVolumeBoundToClaim)."""
    ref, meta = volume["spec"].get("claimRef"), claim["metadata"]
    return (
        ref is not None
        and (ref.get("namespace"), ref.get("name")) == (meta["namespace"], meta["name"])
        and ref.get("uid") in (None, "", meta["uid"])
    )


def mismatch(volume: JSON, claim: JSON) -> str:
    """Why a claim cannot have the volume that it names, or "" (checkVolumeSatisfyClaim)."""
    if "deletionTimestamp" in volume["metadata"]:
        return f'the volume is marked for deletion "{volume["metadata"]["name"]}"'
    if quantity.compare(size_of_volume(volume), size_of_claim(claim)) < 0:
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if volume["spec"].get("volumeMode") != claim["spec"].get("volumeMode"):
        return "incompatible volumeMode"
    if not set(claim["spec"].get("accessModes") or ()) <= set(volume["spec"].get("accessModes") or ()):
        return "incompatible accessMode"
    return ""


def best_volume(claim: JSON, volumes: Iterable[JSON]) -> JSON | None:
    """The volume that a claim shall have: one that is kept for it, or else the smallest that fits
    (FindMatchingVolume). Those with the fewest access modes are looked at first.
    """
    selector = compile_selector(claim["spec"]["selector"]) if claim["spec"].get("selector") else None
    fitting: list[JSON] = []
    for volume in volumes:
        if is_bound_to(volume, claim):
            if not mismatch(volume, claim):
                return volume
            continue
        if volume["spec"].get("claimRef") or (volume.get("status") or {}).get("phase") != "Available":
            continue
        if selector is not None and not selector.matches(volume["metadata"].get("labels") or {}):
            continue
        if not mismatch(volume, claim):
            fitting.append(volume)
    return min(fitting, key=_preference, default=None)


def _preference(volume: JSON) -> tuple[Any, ...]:
    modes = volume["spec"].get("accessModes") or ()
    return len(modes), quantity.parse(size_of_volume(volume)), volume["metadata"]["name"]


def claims_of(pod: JSON) -> Iterator[str]:
    """The names of the claims that a Pod's volumes use; an ephemeral volume's has the Pod's name in it."""
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            yield str(volume["persistentVolumeClaim"].get("claimName", ""))
        elif volume.get("ephemeral"):
            yield f"{pod['metadata']['name']}-{volume['name']}"


def named_claims(pod: JSON) -> list[str]:
    """The names of the claims that a Pod's volumes name; those of its ephemeral volumes are not among them."""
    return [
        str(volume["persistentVolumeClaim"].get("claimName", ""))
        for volume in pod["spec"].get("volumes") or ()
        if volume.get("persistentVolumeClaim")
    ]
