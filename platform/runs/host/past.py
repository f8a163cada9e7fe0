"""A run's cluster as it was, beside what it is now. Reads only.

What store and causes remember (`HISTORY_LIMIT` writes of each resource, `LINKS_KEPT` in all, none of before it came to
this host) is had by undoing the store's changes since. What lies before is lived again (`host/pasts.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

from django.utils.translation import gettext as _

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.cluster import Cluster
from cluster_engine.release import release
from cluster_engine.serving import in_slices
from cluster_engine.sim import SECOND, Link, parse_rfc3339, rfc3339, rfc3339_micro
from runs.host.comparing import Change, change_of, resources
from runs.host.errors import HostError
from runs.host.happening import Happening, asked_for, one
from runs.host.map_channel import METADATA, RESOURCES
from runs.journal import Moment, Record

MARKS_TOLD = 200
"""Writes that came from outside, the last ones."""
OBJECTS_TOLD = 500
"""Objects of one resource at a moment, the first by their keys."""
CHANGES_TOLD = 60
"""Objects that were different, in the order in which they changed last."""

UNITS = {"s": 1, "m": 60, "h": 3_600}
"""Of how long ago something was: seconds."""
DAY = 86_400 * SECOND


class Span(TypedDict):
    """How far one can look back."""

    begin: str
    now: str
    marks: list[Happening]
    """What came from outside: where to look first, oldest first."""


class Then(TypedDict):
    """The cluster at a moment."""

    at: str
    objects: dict[str, list[JSON]]
    """By the map's names; without managedFields."""
    hidden: int
    """Objects that are more than can be told."""
    since: list[Change]
    more: int
    """Changes that are more than can be told."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A moment that somebody asks for, and what the cluster still knows of it."""

    moment: Moment
    revision: int | None
    """The last one of then; None: it is to be lived again."""


def span(cluster: Cluster, begin: int | None = None, before: Sequence[Record] = ()) -> Span:
    """How far one can look back, and what happened on the way.

    `begin`: the virtual time (µs) at which what is kept of the run begins; `before`: the journal's entries of before
    the cluster's memory begins.
    """
    known = _known(cluster)
    marks = [asked_for(record) for record in before]
    marks += [one(cluster, link) for link in known if any(cause < 0 for cause in link.causes)]
    since = remembered_since(cluster)
    return Span(
        begin=rfc3339_micro(since if begin is None else min(begin, since)),
        now=rfc3339_micro(cluster.clock.now),
        marks=marks[-MARKS_TOLD:],
    )


def remembered_since(cluster: Cluster) -> int:
    """From which virtual time on (µs) nothing needs to be lived again."""
    return next((link.at for link in _known(cluster)), cluster.clock.now)


def asked(cluster: Cluster, at: object = None, revision: object = None) -> Asked:
    """A time (RFC 3339, as `10:03:20`, or as `5m` ago), or right after the write of a revision, or right after an entry
    of the journal (its number, negative).

    Raises HostError 400, and 410 for a write that is not remembered (any more).
    """
    if revision is not None:
        number = _number(revision)
        if number < 0:
            return Asked(Moment(entry=-number), None)
        found = next((link for link in _known(cluster) if link.revision == number), None)
        if found is None:
            raise HostError(410, _("No write of revision %(number)d is remembered.") % {"number": number})
        return Asked(Moment(found.at), number)
    try:
        when = min(_time(str(at), cluster.clock.now), cluster.clock.now)
    except ValueError:
        raise HostError(
            400,
            _("%(name)s: a time as 2026-01-01T00:00:00Z, found %(found)r")
            % {"name": "at", "found": str(at)[:40]},
        ) from None
    if when < remembered_since(cluster):
        return Asked(Moment(when), None)
    last = max((link.revision for link in _known(cluster) if link.at <= when), default=cluster.store.revision)
    return Asked(Moment(when), last)


def _time(text: str, now: int) -> int:
    """µs. Raises ValueError."""
    if ago := re.fullmatch(r"([0-9]{1,9})([smh])", text):
        return now - int(ago[1]) * UNITS[ago[2]] * SECOND
    if re.fullmatch(r"[0-9]{2}:[0-9]{2}:[0-9]{2}", text):
        today = parse_rfc3339(f"{rfc3339(now)[:10]}T{text}Z")
        return today if today <= now else today - DAY
    return parse_rfc3339(text)


def _number(revision: object) -> int:
    try:
        return int(str(revision))
    except ValueError:
        raise HostError(
            400, _("%(name)s: a number, found %(found)r") % {"name": "revision", "found": str(revision)[:40]}
        ) from None


async def remembered(cluster: Cluster, at_us: int, revision: int) -> Then:
    """The cluster right after the write of a revision that it remembers."""
    fork = cluster.fork()  # which stands still meanwhile
    try:
        return await _then(fork, at_us, lambda resource: _undone(fork, resource, revision))
    finally:
        release(fork)


async def lived(cluster: Cluster, past: Cluster) -> Then:
    """The cluster as it was in `past`, which is the same one at a moment before."""
    fork = cluster.fork()
    try:
        return await _then(fork, past.clock.now, past.store.range)
    finally:
        release(fork)


async def _then(cluster: Cluster, at_us: int, range_: Callable[[str], Sequence[JSON]]) -> Then:
    objects, hidden = {}, 0
    for name, (_path, form) in RESOURCES.items():
        there = range_(cluster.kind_of(name).group_resource)
        hidden += max(len(there) - OBJECTS_TOLD, 0)
        objects[name] = [_plain(obj, form == METADATA) for obj in there[:OBJECTS_TOLD]]
    changes = [each for each in await in_slices(_since(cluster, range_)) if each is not None]
    since = [change for _revision, change in sorted(changes, key=lambda each: each[0])]
    return Then(
        at=rfc3339_micro(at_us),
        objects=objects,
        hidden=hidden,
        since=since[:CHANGES_TOLD],
        more=max(len(since) - CHANGES_TOLD, 0),
    )


def _known(cluster: Cluster) -> list[Link]:
    """The writes since everything is remembered, in their order."""
    writes = [link for link in cluster.clock.causes.since(0) if link.revision > 0]
    floor = max((cluster.store.known_since(name) for name in resources(cluster)), default=0)
    return [link for link in writes if link.revision > floor]


def _undone(cluster: Cluster, resource: str, revision: int) -> list[JSON]:
    objects = {key_of(obj): obj for obj in cluster.store.range(resource)}
    later = (event for event in reversed(cluster.store.changes(resource)) if event.revision > revision)
    for event in later:
        if event.previous is None:
            objects.pop(key_of(event.object), None)
        else:
            objects[key_of(event.object)] = event.previous
    return [objects[key] for key in sorted(objects)]


def _since(cluster: Cluster, range_: Callable[[str], Sequence[JSON]]) -> Iterator[tuple[int, Change] | None]:
    """What is not as it was, with the revision of its last write (0: it is not known); None for an object that is."""
    last = {(link.resource, link.key): link for link in _known(cluster)}
    for resource in resources(cluster):
        then = {key_of(obj): obj for obj in range_(resource)}
        now = {key_of(obj): obj for obj in cluster.store.range(resource)}
        for key in sorted({*then, *now}):
            before, after = then.get(key), now.get(key)
            change = None if _same(before, after) else change_of(cluster, resource, before, after)
            link = last.get((resource, key))
            if change is not None and link is not None:
                change["last"] = one(cluster, link)
            yield None if change is None else (link.revision if link is not None else 0, change)


def _same(before: JSON | None, after: JSON | None) -> bool:
    if before is None or after is None:
        return before is after
    return before is after or all(
        before["metadata"].get(name) == after["metadata"].get(name) for name in ("uid", "resourceVersion")
    )


def _plain(obj: JSON, metadata_only: bool) -> JSON:
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {"metadata": meta} if metadata_only else {**obj, "metadata": meta}
