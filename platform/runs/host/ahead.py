"""How long a cluster stays as it is while nobody acts in it: a fork of it lives ahead, and is watched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cluster_engine.cluster import Cluster
from cluster_engine.serving import in_slices
from cluster_engine.sim import Link
from runs.host.happening import matters

EVENTS = 200
"""Things that a fork does at most: a cluster that has more to do is not known to be still for longer."""
CONTAINERS = "sandbox/"
"""Begins the names of what the clock calls for processes in containers."""


async def still_until(fork: Cluster, limit: int) -> int:
    """The virtual time (µs), `limit` at most, until which nothing happens that is told, graded or to be seen in a
    container. The fork is used up; others have their turns meanwhile."""
    found = await in_slices(_times(fork, limit))
    return found[-1]


def _times(fork: Cluster, limit: int) -> Iterator[int]:
    """Up to when it is known by now; ends where something happens."""
    clock = fork.clock
    for _ in range(EVENTS):
        due = clock.next_due()
        if due is None or due > limit:
            yield limit
            return
        yield due
        if clock.next_handler().startswith(CONTAINERS):
            return
        mark = clock.causes.mark
        clock.step()
        if any(_tells(fork, link) for link in clock.causes.since(mark)):
            return


def _tells(fork: Cluster, link: Link) -> bool:
    """Whether it is more than a sign of life."""
    if link.resource != "nodes" or matters(link):
        return matters(link)
    change = fork.store.change(link.resource, link.revision)
    return change is None or change.previous is None or _said(change.previous) != _said(change.object)


def _said(node: dict[str, Any]) -> Any:
    """What a Node says but for when it said so."""
    status = node.get("status") or {}
    conditions = [{**each, "lastHeartbeatTime": ""} for each in status.get("conditions") or ()]
    return node.get("spec"), {**status, "conditions": conditions}
