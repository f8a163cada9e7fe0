"""What if: something is done to a fork of a run's cluster, another fork stays as it is, and the two are compared.

The run itself is not touched. Both forks live for the same virtual time, as fast as they can, in slices.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.cluster import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.release import release
from cluster_engine.serving import Driver, in_slices
from cluster_engine.sim import SECOND, Entry
from labs.kit.picture import picture
from runs.host.comparing import Change, change_of, resources
from runs.host.errors import HostError
from runs.host.happening import EVENTS, Happening, matters, one
from runs.whatif import ACTIONS, SECONDS_LIMIT

STORY_TOLD = 24
"""Writes that are told, the first ones."""
CHANGES_TOLD = 60
"""Objects that would not be the same."""


class Forecast(TypedDict):
    """What would happen."""

    seconds: int
    story: list[Happening]
    """What would be written, from the cause on; Events are not told."""
    untold: int
    """Writes that are more than can be told."""
    changes: list[Change]
    """What would not be as it would be otherwise."""
    more: int
    maps: dict[str, Any]
    """Both clusters then (`labs.kit.picture`): `same`, left alone, and `other`, after the action."""


async def _delete(cluster: Cluster, data: Mapping[str, Any]) -> None:
    cluster.delete(str(data.get("resource")), str(data.get("name")), str(data.get("namespace") or "default"))


async def _apply(cluster: Cluster, data: Mapping[str, Any]) -> None:
    # Text of a megabyte is read for a second: in a thread, which the interpreter interrupts.
    documents = await asyncio.to_thread(yaml.load_all, str(data.get("manifest")))
    await in_slices(cluster.applying(documents, str(data.get("namespace") or "default")))


async def _power_off(cluster: Cluster, data: Mapping[str, Any]) -> None:
    cluster.fault("node/power", node=str(data.get("name")), up=False)


async def _cut_off(cluster: Cluster, data: Mapping[str, Any]) -> None:
    cluster.fault("node/partition", node=str(data.get("name")), cut=True)


async def _kill(cluster: Cluster, data: Mapping[str, Any]) -> None:
    cluster.fault(
        "container/kill", pod=str(data.get("name")), namespace=str(data.get("namespace") or "default")
    )


async def _drain(cluster: Cluster, data: Mapping[str, Any]) -> None:
    """As ``kubectl drain --ignore-daemonsets --delete-emptydir-data --force``, once: what a PodDisruptionBudget forbids
    stays."""
    node = str(data.get("name"))
    if cluster.get("nodes", node) is None:
        raise KeyError(_("There is no node %(name)s.") % {"name": node})
    _ask(cluster, "PATCH", f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})
    for pod in cluster.list("pods", field_selector=f"spec.nodeName={node}"):
        meta = pod["metadata"]
        owners = {owner["kind"] for owner in meta.get("ownerReferences") or ()}
        if owners & {"DaemonSet", "Node"}:
            continue
        about = {"name": meta["name"], "namespace": meta["namespace"]}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": about}
        path = f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}/eviction"
        _ask(cluster, "POST", path, body, 429)
        await asyncio.sleep(0)


def _ask(cluster: Cluster, method: str, path: str, body: Mapping[str, Any], *allowed: int) -> None:
    """As the cluster's administrator. Raises ApiError for a refusal whose code is not `allowed`."""
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    headers = {"content-type": kind, "accept": "application/json"}
    answer = cluster.request(Request(method, path, [], headers, json.dumps(body).encode("utf-8"), ADMIN))
    if answer.status >= 400 and answer.status not in allowed:
        raise ApiError(json.loads(answer.body))


PERFORMERS: dict[str, Callable[[Cluster, Mapping[str, Any]], Awaitable[None]]] = {
    "delete": _delete,
    "apply": _apply,
    "drain": _drain,
    "power-off": _power_off,
    "cut-off": _cut_off,
    "kill": _kill,
}
"""What each action does."""


async def forecast(cluster: Cluster, data: Mapping[str, Any]) -> Forecast:
    """What would be `seconds` after the action. Raises HostError 400, 404, and 503 when it is too much to compute."""
    other, same = cluster.fork(), cluster.fork()
    try:
        mark = other.clock.causes.mark
        seconds = await _tried(other, data)
        await _live(same, other.clock.now)
        links = [link for link in other.clock.causes.since(mark) if matters(link) and link.resource != EVENTS]
        changes = [change for change in await in_slices(compare(same, other)) if change is not None]
        return Forecast(
            seconds=seconds,
            story=[one(other, link) for link in links[:STORY_TOLD]],
            untold=max(len(links) - STORY_TOLD, 0),
            changes=changes[:CHANGES_TOLD],
            more=max(len(changes) - CHANGES_TOLD, 0),
            maps={"same": picture(same), "other": picture(other)},
        )
    finally:
        release(other)
        release(same)


async def lived(cluster: Cluster, data: Mapping[str, Any]) -> list[Entry]:
    """The entries that a journal goes on with when the action is kept, and its time with it. Raises as ``forecast``."""
    fork, known = cluster.fork(), cluster.journal.next_seq
    try:
        await _tried(fork, data)
        tail = [entry for entry in fork.journal if entry.seq >= known]
        return [*tail, Entry(fork.journal.next_seq, fork.clock.now, "clock")]
    finally:
        release(fork)


async def _tried(fork: Cluster, data: Mapping[str, Any]) -> int:
    """Does the action and lets the fork live; for how many seconds."""
    perform = PERFORMERS.get(str(data.get("action")))
    if perform is None:
        raise HostError(
            400,
            _("%(name)s: one of %(known)s, found %(found)r")
            % {"name": "action", "known": ", ".join(ACTIONS), "found": str(data.get("action"))[:40]},
        )
    seconds = data.get("seconds", 60)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 1 <= seconds <= SECONDS_LIMIT:
        raise HostError(
            400,
            _("%(name)s: a whole number from 1 to %(most)d, found %(found)r")
            % {"name": "seconds", "most": SECONDS_LIMIT, "found": str(seconds)[:40]},
        )
    until = fork.clock.now + seconds * SECOND
    try:
        await perform(fork, data)
    except ApiError as error:
        raise HostError(404 if error.code == 404 else 400, error.message) from error
    except (KeyError, ValueError) as error:
        raise HostError(400, str(error.args[0] if error.args else error)) from error
    await _live(fork, until)
    return seconds


def compare(one_: Cluster, other: Cluster) -> Iterator[Change | None]:
    """What is in the other that is not so in the one, by kind and name; None for an object that is the same."""
    for resource in resources(one_):
        before = {key_of(obj): obj for obj in one_.store.range(resource)}
        after = {key_of(obj): obj for obj in other.store.range(resource)}
        for key in sorted({*before, *after}):
            if before.get(key) is not after.get(key):
                yield change_of(other, resource, before.get(key), after.get(key))


async def _live(fork: Cluster, until: int) -> None:
    await Driver(fork).step(until, lambda link: False)
    if fork.clock.now < until:
        raise HostError(503, _("So much would happen that it cannot be computed now: ask for less time."))
