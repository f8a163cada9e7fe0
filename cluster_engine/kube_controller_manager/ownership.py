"""Claiming: a controller adopts matching orphans and releases what matches no more.

Models pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.apimachinery.cow import JSON, controller_of, owner_reference, with_meta
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.labels import Selector
from cluster_engine.client_go import Client, Informer

ORPHANS = "orphans"


def orphans_by_namespace(obj: JSON) -> Sequence[str]:
    """Index function: the namespace of an object that has no controller."""
    if controller_of(obj) is not None:
        return ()
    return (obj["metadata"].get("namespace", ""),)


def changed_owner_or_labels(old: JSON, new: JSON) -> bool:
    """Whether an update may have changed whom the object belongs to."""
    before, after = old["metadata"], new["metadata"]
    return bool(
        before.get("ownerReferences") != after.get("ownerReferences")
        or before.get("labels") != after.get("labels")
    )


def adopted(obj: JSON, owner: JSON) -> JSON:
    """The object with ``owner`` as its controller."""
    references = [*(obj["metadata"].get("ownerReferences") or ()), owner_reference(owner)]
    return with_meta(obj, ownerReferences=references)


def released(obj: JSON, uid: str) -> JSON:
    """The object without its reference to the owner of that uid."""
    references = [ref for ref in obj["metadata"].get("ownerReferences") or () if ref["uid"] != uid]
    return with_meta(obj, ownerReferences=references or None)


def claim(client: Client, informer: Informer, owner: JSON, selector: Selector, resource: str) -> list[JSON]:
    """What belongs to ``owner``: matching objects that it controls, after adoptions and releases.

    An owner that is being deleted only keeps what it has.
    """
    uid, namespace = owner["metadata"]["uid"], owner["metadata"]["namespace"]
    deleting = bool(owner["metadata"].get("deletionTimestamp"))
    claimed = []
    for obj in informer.by_index("owner", uid):
        if selector.matches(obj["metadata"].get("labels")):
            claimed.append(obj)
        elif not deleting:
            _write(client, resource, released(obj, uid))
    if deleting:
        return claimed
    for obj in informer.by_index(ORPHANS, namespace):
        if obj["metadata"].get("deletionTimestamp") or not selector.matches(obj["metadata"].get("labels")):
            continue
        taken = _write(client, resource, adopted(obj, owner))
        if taken is not None:
            claimed.append(taken)
    return claimed


def _write(client: Client, resource: str, obj: JSON) -> JSON | None:
    try:
        return client.update(resource, obj)
    except ApiError as error:
        # Gone meanwhile, or not ours any more: then there is nothing to claim.
        if error.code in (404, 422):
            return None
        raise
