"""Two states of a cluster side by side: which objects are in one alone, and which are not the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NotRequired, TypedDict

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.cluster import Cluster
from runs.host.differences import TOLD, Difference, differences
from runs.host.happening import EVENTS, LEASES, Happening


class Change(TypedDict):
    """An object that is not the same in two states of a cluster."""

    kind: str
    namespace: str
    name: str
    what: str
    """created, changed or deleted, from the one to the other."""
    changed: list[Difference]
    last: NotRequired[Happening]
    """The last write of it and what that follows from, if it is asked for and remembered."""


def resources(cluster: Cluster) -> Iterable[str]:
    """The group-resources that are compared: not Events and leases, of which there are many."""
    kinds = dict.fromkeys(kind.group_resource for kind in cluster.scheme.kinds)
    return (name for name in kinds if name not in (EVENTS, LEASES))


def change_of(
    cluster: Cluster, resource: str, before: JSON | None, after: JSON | None, most: int = TOLD
) -> Change | None:
    """What became of an object, `most` of its fields; None when it is the same, upkeep aside."""
    obj = after or before
    told = differences(before, after, most) if before is not None and after is not None else []
    if obj is None or (before is not None and after is not None and not told):
        return None
    kind = cluster.scheme.named(resource)
    meta = obj["metadata"]
    return Change(
        kind=kind.kind if kind is not None else resource,
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        what="created" if before is None else "deleted" if after is None else "changed",
        changed=told,
    )
