"""A run's cluster as it was, beside what it is now. Reads only.

What store and causes remember (`HISTORY_LIMIT` writes of each resource, `LINKS_KEPT` in all, none of before it came to
this host) is had by undoing the store's changes since. What lies before is lived again (`host/pasts.py`).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.cluster import Cluster
from cluster_engine.release import release
from cluster_engine.serving import in_slices
from cluster_engine.sim import SECOND, Link, parse_rfc3339, rfc3339, rfc3339_micro
from runs.host.comparing import Change, change_of, resources
from runs.host.errors import HostError
from runs.host.happening import Happening, asked_for, one, told
from runs.host.map_channel import METADATA, RESOURCES
from runs.journal import Moment, Record

MARKS_TOLD = 200
"""Writes that came from outside, the last ones."""
OBJECTS_TOLD = 500
"""Objects of one resource at a moment, the first by their keys."""
CHANGES_TOLD = 60
"""Objects that were different, in the order in which they changed last."""
FIELDS_TOLD = 24
"""Fields of one object that were different, those that say most."""

SEARCHES = 32
"""Moments that are lived again, at most, to find the one at which a revision was written."""

UNITS = {"s": 1, "m": 60, "h": 3_600}
"""Of how long ago something was: seconds."""
DAY = 86_400 * SECOND


class Span(TypedDict):
    """How far one can look back."""

    begin: str
    now: str
    marks: list[Happening]
    """What came from outside: where to look first, oldest first."""


class Compared(TypedDict):
    """What is not the same at two moments."""

    at: str
    against: str
    """The moment that another one is compared with; "": it is now."""
    since: list[Change]
    """From the earlier one to the later one."""
    more: int
    """Changes that are more than can be told."""


class Then(Compared):
    """The cluster at a moment."""

    objects: dict[str, list[JSON]]
    """By the map's names; without managedFields."""
    hidden: int
    """Objects that are more than can be told."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A moment that somebody asks for, and what the cluster still knows of it."""

    moment: Moment
    revision: int | None
    """The last one of then; None: it is to be lived again."""


@dataclass(frozen=True, slots=True)
class View:
    """A cluster at a moment: right after the write of a revision that it remembers. It stands still meanwhile."""

    cluster: Cluster
    at_us: int
    revision: int
    now: bool = False

    def objects(self, resource: str) -> list[JSON]:
        """All there were, by their keys."""
        objects = {key_of(obj): obj for obj in self.cluster.store.range(resource)}
        changes = reversed(self.cluster.store.changes(resource))
        for event in takewhile(lambda event: event.revision > self.revision, changes):
            if event.previous is None:
                objects.pop(key_of(event.object), None)
            else:
                objects[key_of(event.object)] = event.previous
        return [objects[key] for key in sorted(objects)]

    def writes(self) -> Iterator[Link]:
        """Those before it that are remembered, in their order."""
        return (link for link in _known(self.cluster) if link.revision <= self.revision)


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
            raise _not_remembered(number)
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


@asynccontextmanager
async def views(
    cluster: Cluster, data: Mapping[str, Any], relive: Callable[[Moment], Awaitable[Cluster]]
) -> AsyncIterator[tuple[View, View]]:
    """The moment that is asked for (`at` or `revision`) and the one that it is compared with (`against` or
    `against_revision`; neither: now), as long as they are looked at. `relive` has what is not remembered.

    Raises HostError as `asked`.
    """
    fork = cluster.fork()

    async def view(at: object, revision: object) -> View:
        if revision and 0 < (number := _number(revision)) < _oldest(fork):
            return await _right_after(fork, number, relive)
        found = asked(fork, at, revision or None)
        if found.revision is not None:
            return View(fork, found.moment.at_us, found.revision)
        past = await relive(found.moment)
        return View(past, past.clock.now, past.store.revision)

    try:
        first = await view(data.get("at"), data.get("revision"))
        if data.get("against") or data.get("against_revision"):
            yield first, await view(data.get("against"), data.get("against_revision"))
        else:
            yield first, View(fork, fork.clock.now, fork.store.revision, now=True)
    finally:
        release(fork)


async def _right_after(cluster: Cluster, number: int, relive: Callable[[Moment], Awaitable[Cluster]]) -> View:
    """After the write of a revision from before the cluster's memory begins; revisions grow with the time.

    Raises HostError 410.
    """
    begin, end = parse_rfc3339(cluster.options.start), remembered_since(cluster)
    when = end
    for _try in range(SEARCHES):
        try:
            past = await relive(Moment(when))
        except HostError as error:
            if error.status != 410:
                raise
            begin = when
        else:
            found = next((link for link in _known(past) if link.revision == number), None)
            if found is not None:
                return View(past, found.at, number)
            if number > past.store.revision:
                begin = when
            elif number > _oldest(past):
                break
            else:
                end = remembered_since(past)
        if end - begin <= 1:
            break
        when = (begin + end) // 2
    raise _not_remembered(number)


async def seen(at: View, against: View) -> Then:
    """The cluster at a moment, and what is not the same at the other one."""
    objects, hidden = {}, 0
    for name, (_path, form) in RESOURCES.items():
        there = at.objects(at.cluster.kind_of(name).group_resource)
        hidden += max(len(there) - OBJECTS_TOLD, 0)
        objects[name] = [_plain(obj, form == METADATA) for obj in there[:OBJECTS_TOLD]]
    found = await compared(at, against)
    return Then(objects=objects, hidden=hidden, **found)


async def compared(at: View, against: View) -> Compared:
    """What changed from the earlier moment to the later one, each with the last write of it and its cause."""
    first, last = sorted((at, against), key=lambda view: (view.at_us, view.revision))
    changes = [each for each in await in_slices(_changes(first, last)) if each is not None]
    since = [change for _revision, change in sorted(changes, key=lambda each: each[0])]
    return Compared(
        at=rfc3339_micro(at.at_us),
        against="" if against.now else rfc3339_micro(against.at_us),
        since=since[:CHANGES_TOLD],
        more=max(len(since) - CHANGES_TOLD, 0),
    )


def _not_remembered(number: int) -> HostError:
    return HostError(410, _("No write of revision %(number)d is remembered.") % {"number": number})


def _oldest(cluster: Cluster) -> int:
    """The revision of the oldest write that it remembers."""
    return next((link.revision for link in _known(cluster)), cluster.store.revision + 1)


def _known(cluster: Cluster) -> list[Link]:
    """The writes since everything is remembered, in their order."""
    writes = [link for link in cluster.clock.causes.since(0) if link.revision > 0]
    floor = max((cluster.store.known_since(name) for name in resources(cluster)), default=0)
    return [link for link in writes if link.revision > floor]


def _changes(first: View, last: View) -> Iterator[tuple[int, Change] | None]:
    """What is not the same, with the revision of its last write (0: it is not known); None for an object that is."""
    writes = {(link.resource, link.key): link for link in last.writes()}
    for resource in resources(last.cluster):
        then = {key_of(obj): obj for obj in first.objects(resource)}
        later = {key_of(obj): obj for obj in last.objects(resource)}
        for key in sorted({*then, *later}):
            before, after = then.get(key), later.get(key)
            same = _same(before, after)
            change = None if same else change_of(last.cluster, resource, before, after, FIELDS_TOLD)
            link = writes.get((resource, key))
            if change is not None and link is not None:
                change["last"] = told(last.cluster, link)
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
