"""Claiming: a controller adopts matching orphans and releases what matches no more.

Models pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.apimachinery.cow import JSON, controller_of, owner_reference
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.labels import Selector
from cluster_engine.client_go import Client, Informer

ORPHANS = "orphans"


def orphans_by_namespace(obj: JSON) -> Sequence[str]:
    """Index function: the namespace of an object that has no controller."""
    if controller_of(obj) is not None:
        return ()
    return (obj["metadata"].get("namespace", ""),)


def resolve(informer: Informer, kind: str, obj: JSON) -> JSON | None:
    """The controller of an object, when it is of that kind and still the very one (resolveControllerRef).

    An owner that was deleted and made again under its name is another one.
    """
    reference = controller_of(obj)
    if reference is None or reference["kind"] != kind:
        return None
    owner = informer.get(f"{obj['metadata']['namespace']}/{reference['name']}")
    return owner if owner is not None and owner["metadata"]["uid"] == reference["uid"] else None


def adoption(obj: JSON, owner: JSON, finalizer: str = "") -> JSON:
    """The patch that makes ``owner`` the controller of the object (ownerRefControllerPatch)."""
    meta: JSON = {"ownerReferences": [owner_reference(owner)], "uid": obj["metadata"]["uid"]}
    return {"metadata": {**meta, "finalizers": [finalizer]} if finalizer else meta}


def release(obj: JSON, uid: str) -> JSON:
    """The patch that takes the reference to the owner of that uid away (GenerateDeleteOwnerRefStrategicMergeBytes)."""
    references = [{"$patch": "delete", "uid": uid}]
    return {"metadata": {"ownerReferences": references, "uid": obj["metadata"]["uid"]}}


def claim(
    client: Client, informer: Informer, owner: JSON, selector: Selector, resource: str, finalizer: str = ""
) -> list[JSON]:
    """What belongs to ``owner``: matching objects that it controls, after adoptions and releases.

    An owner that is being deleted only keeps what it has. ``finalizer``: what the adopted ones get.
    """
    uid, namespace = owner["metadata"]["uid"], owner["metadata"]["namespace"]
    deleting = bool(owner["metadata"].get("deletionTimestamp"))
    claimed = []
    for obj in informer.by_index("owner", uid):
        if selector.matches(obj["metadata"].get("labels")):
            claimed.append(obj)
        elif not deleting:
            _patch(client, resource, obj, release(obj, uid))
    if deleting:
        return claimed
    for obj in informer.by_index(ORPHANS, namespace):
        if obj["metadata"].get("deletionTimestamp") or not selector.matches(obj["metadata"].get("labels")):
            continue
        taken = _patch(client, resource, obj, adoption(obj, owner, finalizer))
        if taken is not None:
            claimed.append(taken)
    return claimed


def _patch(client: Client, resource: str, obj: JSON, patch: JSON) -> JSON | None:
    meta = obj["metadata"]
    try:
        return client.patch(resource, meta["name"], meta["namespace"], patch)
    except ApiError as error:
        # Gone meanwhile, or another one under that name: then there is nothing to claim.
        if error.code in (404, 409, 422):
            return None
        raise
