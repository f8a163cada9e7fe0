"""A run's cluster as it was: the store's changes since, undone. Reads only; nothing is run again.

How far back that reaches, the store and the causes say: both remember a bounded number of writes (`HISTORY_LIMIT` of
each resource, `LINKS_KEPT` in all), and a cluster that came from another host begins where it came up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from django.utils.translation import gettext as _

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.cluster import Cluster
from cluster_engine.etcd import WatchEvent
from cluster_engine.release import release
from cluster_engine.serving import in_slices
from cluster_engine.sim import Link, parse_rfc3339, rfc3339_micro
from runs.host.comparing import Change, change_of, resources
from runs.host.errors import HostError
from runs.host.happening import Happening, one
from runs.host.map_channel import METADATA, RESOURCES

MARKS_TOLD = 200
"""Writes that came from outside, the last ones."""
OBJECTS_TOLD = 500
"""Objects of one resource at a moment, the first by their keys."""
CHANGES_TOLD = 60
"""Objects that were different, in the order in which they changed last."""


class Span(TypedDict):
    """How far one can look back."""

    begin: str
    now: str
    marks: list[Happening]
    """What came from outside: where to look first, oldest first."""


class Moment(TypedDict):
    """The cluster then."""

    at: str
    objects: dict[str, list[JSON]]
    """By the map's names; without managedFields."""
    hidden: int
    """Objects that are more than can be told."""
    since: list[Change]
    more: int
    """Changes that are more than can be told."""


def span(cluster: Cluster) -> Span:
    """How far one can look back, and what happened on the way."""
    writes = _writes(cluster)
    floor = _floor(cluster, writes)
    marks = [link for link in writes if link.revision > floor and any(cause < 0 for cause in link.causes)]
    begin = next((link.at for link in writes if link.revision > floor), cluster.clock.now)
    return Span(
        begin=rfc3339_micro(begin),
        now=rfc3339_micro(cluster.clock.now),
        marks=[one(cluster, link) for link in marks[-MARKS_TOLD:]],
    )


async def moment(cluster: Cluster, at: object = None, revision: object = None) -> Moment:
    """The cluster at a time (RFC 3339), or right after the write of a revision.

    Raises HostError 400, and 410 for what is not remembered (any more).
    """
    fork = cluster.fork()  # which stands still meanwhile
    try:
        return await _moment(fork, at, revision)
    finally:
        release(fork)


async def _moment(cluster: Cluster, at: object, revision: object) -> Moment:
    writes = _writes(cluster)
    floor = _floor(cluster, writes)
    when, wanted = _at(writes, floor, at) if revision is None else _after(writes, floor, revision)
    objects, hidden = {}, 0
    for name, (_path, form) in RESOURCES.items():
        there = _then(cluster, cluster.kind_of(name).group_resource, wanted)
        hidden += max(len(there) - OBJECTS_TOLD, 0)
        objects[name] = [_plain(obj, form == METADATA) for obj in there[:OBJECTS_TOLD]]
    changes = [each for each in await in_slices(_since(cluster, wanted, writes)) if each is not None]
    since = [change for _revision, change in sorted(changes, key=lambda each: each[0])]
    return Moment(
        at=rfc3339_micro(min(when, cluster.clock.now)),
        objects=objects,
        hidden=hidden,
        since=since[:CHANGES_TOLD],
        more=max(len(since) - CHANGES_TOLD, 0),
    )


def _at(writes: list[Link], floor: int, at: object) -> tuple[int, int]:
    """A time, µs, and the revision that was the last one then."""
    try:
        when = parse_rfc3339(str(at))
    except ValueError:
        raise HostError(
            400,
            _("%(name)s: a time as 2026-01-01T00:00:00Z, found %(found)r")
            % {"name": "at", "found": str(at)[:40]},
        ) from None
    known = [link for link in writes if link.revision > floor]
    if known and when < known[0].at:
        raise HostError(
            410, _("Nothing before %(when)s is remembered.") % {"when": rfc3339_micro(known[0].at)}
        )
    return when, max((link.revision for link in known if link.at <= when), default=floor)


def _after(writes: list[Link], floor: int, revision: object) -> tuple[int, int]:
    """As ``_at``, of the write of that revision."""
    try:
        number = int(str(revision))
    except ValueError:
        raise HostError(
            400, _("%(name)s: a number, found %(found)r") % {"name": "revision", "found": str(revision)[:40]}
        ) from None
    found = next((link for link in writes if link.revision == number > floor), None)
    if found is None:
        raise HostError(410, _("No write of revision %(number)d is remembered.") % {"number": number})
    return found.at, number


def _writes(cluster: Cluster) -> list[Link]:
    """The writes whose cause is remembered, in their order."""
    return [link for link in cluster.clock.causes.since(0) if link.revision > 0]


def _floor(cluster: Cluster, writes: list[Link]) -> int:
    """The revision after which everything is remembered."""
    known = max((cluster.store.known_since(name) for name in resources(cluster)), default=0)
    return max(known, writes[0].revision - 1) if writes else cluster.store.revision


def _later(cluster: Cluster, resource: str, revision: int) -> list[WatchEvent]:
    return [event for event in cluster.store.changes(resource) if event.revision > revision]


def _then(cluster: Cluster, resource: str, revision: int) -> list[JSON]:
    objects = {key_of(obj): obj for obj in cluster.store.range(resource)}
    for event in reversed(_later(cluster, resource, revision)):
        if event.previous is None:
            objects.pop(key_of(event.object), None)
        else:
            objects[key_of(event.object)] = event.previous
    return [objects[key] for key in sorted(objects)]


def _since(cluster: Cluster, revision: int, writes: list[Link]) -> Iterator[tuple[int, Change] | None]:
    """What is not as it was, with the revision of its last write; None for an object that is."""
    last = {(link.resource, link.key): link for link in writes}
    for resource in resources(cluster):
        first: dict[str, WatchEvent] = {}
        final: dict[str, WatchEvent] = {}
        for event in _later(cluster, resource, revision):
            first.setdefault(key_of(event.object), event)
            final[key_of(event.object)] = event
        for key, event in final.items():
            after = None if event.type == "DELETED" else event.object
            change = change_of(cluster, resource, first[key].previous, after)
            if change is not None and (link := last.get((resource, key))) is not None:
                change["last"] = one(cluster, link)
            yield None if change is None else (event.revision, change)


def _plain(obj: JSON, metadata_only: bool) -> JSON:
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {"metadata": meta} if metadata_only else {**obj, "metadata": meta}
