"""What happened in a cluster: links of `Cluster.why` as people name things, with what they changed."""

from __future__ import annotations

from bisect import bisect_left
from typing import TypedDict

from cluster_engine.cluster import Cluster
from cluster_engine.sim import Link, rfc3339
from runs.host.differences import Difference, differences
from runs.journal import Record

LEASES, EVENTS = "leases.coordination.k8s.io", "events"
PULSE = frozenset({(LEASES, "create"), (LEASES, "update"), (EVENTS, "update"), (EVENTS, "delete")})
"""Writes that only say that all goes on, or was long ago: a step passes over them, and over the nodes' heartbeats."""
TEXT_LIMIT = 300
"""Characters of an Event's message that are told."""


class Happening(TypedDict, total=False):
    """Who did what to which object."""

    component: str
    verb: str
    kind: str
    name: str
    namespace: str
    text: str
    """The message of an Event; of a journal entry the request's path."""
    at: str
    """The cluster's time, RFC 3339."""
    revision: int
    """Of a write; of a journal entry its number, negative."""
    changed: list[Difference]
    """Of an update whose object before it is still known: what it changed."""
    because: Happening | None
    """What it follows from."""


def matters(link: Link) -> bool:
    """Whether a learner wants to see it: a write that is more than the cluster's pulse."""
    if link.revision < 0:
        return False
    heartbeat = (link.component, link.resource, link.verb) == ("kubelet", "nodes", "update")
    return not heartbeat and (link.resource, link.verb) not in PULSE


def told(cluster: Cluster, link: Link) -> Happening:
    """A link with what it follows from."""
    last = max((number for number in link.causes if number > 0), default=None)
    number = last if last is not None else next(iter(link.causes), None)
    cause = cluster.clock.causes.get(number) if number is not None else None
    return {**one(cluster, link), "because": one(cluster, cause) if cause is not None else None}


def one(cluster: Cluster, link: Link) -> Happening:
    """A link by itself."""
    if link.entry is not None:
        # A request, or another journal entry: it changed nothing by itself.
        return {
            "component": link.component,
            "verb": link.verb,
            "kind": "",
            "text": link.about,
            "at": rfc3339(link.at),
            "revision": link.revision,
        }
    kind = cluster.scheme.named(link.resource)
    namespace, _slash, name = link.key.rpartition("/")
    happening: Happening = {
        "component": link.component,
        "verb": link.verb,
        "kind": kind.kind if kind is not None else link.resource,
        "name": name,
        "namespace": namespace,
        "text": "",
        "at": rfc3339(link.at),
        "revision": link.revision,
        "changed": _changed(cluster, link),
    }
    if link.resource == EVENTS and (event := cluster.get("events", name, namespace)) is not None:
        about = event.get("involvedObject") or {}
        happening |= {
            "kind": str(about.get("kind", "")),
            "name": str(about.get("name", "")),
            "text": str(event.get("message", ""))[:TEXT_LIMIT],
        }
    return happening


def asked_for(record: Record) -> Happening:
    """An entry of the journal, by itself; `seq` as the engine counts."""
    payload = record.payload
    about = payload.get("path") or payload.get("node") or payload.get("pod") or payload.get("host") or ""
    return {
        "component": (payload.get("user") or {}).get("username", ""),
        "verb": payload.get("method", record.kind),
        "kind": "",
        "text": str(about),
        "at": rfc3339(record.at_us),
        "revision": -record.seq,
    }


def _changed(cluster: Cluster, link: Link) -> list[Difference]:
    if link.verb != "update" or link.resource == EVENTS:
        return []
    changes = cluster.store.changes(link.resource)
    place = bisect_left(changes, link.revision, key=lambda change: change.revision)
    if place == len(changes) or changes[place].revision != link.revision:
        return []
    before = changes[place].previous
    return differences(before, changes[place].object) if before is not None else []
