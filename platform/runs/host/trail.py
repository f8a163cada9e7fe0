"""A request's way through the API server, as the engine remembers it (`Cluster.request_trail`), and what followed."""

from __future__ import annotations

from typing import Any, TypedDict

from django.utils.translation import gettext as _

from cluster_engine.cluster import Cluster
from runs.host.errors import HostError
from runs.host.happening import Happening, matters, one

REQUESTS_TOLD = 50
"""Requests of a list, the newest."""
REQUESTS_KNOWN = 256
"""Those that are looked through for it."""
FOLLOWED_TOLD = 24
"""Writes that followed from a request, the first ones."""


class Asked(TypedDict):
    """A request in a list."""

    id: str
    at: str
    user: str
    method: str
    path: str
    code: int


class Trail(TypedDict):
    """One request."""

    request: dict[str, Any]
    """As `Cluster.request_trail` gives it, without `followed`."""
    followed: list[Happening]
    untold: int
    """Writes that followed and are more than can be told."""


def latest(cluster: Cluster, data: dict[str, Any]) -> list[Asked]:
    """The latest requests that changed something or went to a node, the newest first.

    With `resource`, `namespace` and `name` those to that object, and those that it follows from.
    """
    resource, namespace, name = (str(data.get(key) or "") for key in ("resource", "namespace", "name"))
    found = cluster.requests(REQUESTS_KNOWN, writes=True)
    if name:
        led = _led(cluster, resource, namespace, name)
        whole = {"resource": resource, "namespace": namespace, "name": name}
        found = [
            each
            for each in found
            if each["entry"] in led or all(each[key] == value for key, value in whole.items())
        ]
    return [
        Asked(
            id=each["id"],
            at=each["at"],
            user=each["user"].get("username", ""),
            method=each["method"],
            path=each["path"],
            code=each["code"],
        )
        for each in found[:REQUESTS_TOLD]
    ]


def _led(cluster: Cluster, resource: str, namespace: str, name: str) -> set[int]:
    """The numbers of the journal's entries that led to the object."""
    try:
        return {link.entry for link in cluster.why(resource, namespace, name) if link.entry is not None}
    except KeyError:
        return set()


def last(cluster: Cluster) -> str:
    """The audit id of the last request that changed something or went to a node. Raises HostError 404."""
    found = cluster.requests(1, writes=True)
    if not found:
        raise HostError(404, _("No request that changed something is remembered."))
    return str(found[0]["id"])


def follow(cluster: Cluster, ident: str) -> Trail:
    """One request by its audit id. Raises HostError 404."""
    try:
        found = dict(cluster.request_trail(ident))
    except KeyError:
        raise HostError(404, _("No request %(id)s is remembered.") % {"id": ident[:64]}) from None
    causes = cluster.clock.causes
    links = [
        link for each in found.pop("followed") if (link := causes.get(each["revision"])) and matters(link)
    ]
    return Trail(
        request=found,
        followed=[one(cluster, link) for link in links[:FOLLOWED_TOLD]],
        untold=max(len(links) - FOLLOWED_TOLD, 0),
    )
