"""The lives of a cluster's Pods on its clock, as far back as its writes are remembered, its Events and its checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.cluster import Cluster
from cluster_engine.sim import rfc3339_micro
from runs.host.checker import Verdict

PODS = "pods"
PODS_TOLD = 60
"""Pods whose lives are told, those that changed last."""
STAGES_TOLD = 40
"""Stages of one life, the last ones."""
EVENTS_TOLD = 120
"""Events, the last ones."""
GONE = "gone"


class Stage(TypedDict):
    """From when on a Pod was like that."""

    at: str
    look: str
    """As the map draws it (`map/objects.ts`: Look), or `gone`."""


class Life(TypedDict):
    """One Pod; a Pod that took its name is another."""

    name: str
    namespace: str
    stages: list[Stage]


class Occurrence(TypedDict):
    """An Event."""

    at: str
    type: str
    reason: str
    about: str


class Timeline(TypedDict):
    """What is drawn; system Pods and their Events are left out."""

    pods: list[Life]
    more: int
    """Pods that are more than can be told."""
    events: list[Occurrence]
    checks: list[Verdict]


def timeline(cluster: Cluster, verdicts: Iterable[Verdict] = ()) -> Timeline:
    """As far back as store and causes remember; `verdicts`: what became of the run's checks, and when."""
    found = _lives(cluster)
    return Timeline(
        pods=found[-PODS_TOLD:],
        more=max(0, len(found) - PODS_TOLD),
        events=_events(cluster),
        checks=list(verdicts),
    )


def look_of(pod: JSON) -> str:
    """As `lookOf` of the map has it."""
    status = pod.get("status") or {}
    states = [each.get("state") or {} for each in status.get("containerStatuses") or ()]
    waits = [str((state.get("waiting") or {}).get("reason") or "") for state in states]
    phase = status.get("phase")
    if pod["metadata"].get("deletionTimestamp"):
        return "leaving"
    if phase == "Succeeded":
        return "done"
    if phase == "Failed" or any("BackOff" in reason or "Err" in reason for reason in waits):
        return "failed"
    if phase != "Running":
        return "pending"
    ready = any(
        each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ()
    )
    return "running" if ready else "unready"


def _is_system(obj: JSON) -> bool:
    return str(obj["metadata"].get("namespace", "")).startswith("kube-")


def _lives(cluster: Cluster) -> list[Life]:
    """In the order of their last changes; a Pod that did not change is as it is since the beginning."""
    times = {link.revision: link.at for link in cluster.clock.causes.since(0) if link.revision > 0}
    begin = rfc3339_micro(min(times.values(), default=cluster.clock.now))
    changes = [event for event in cluster.store.changes(PODS) if event.revision in times]
    changed = {event.object["metadata"]["uid"] for event in changes}
    lives: dict[str, Life] = {}
    for pod in cluster.list(PODS):
        if not _is_system(pod) and pod["metadata"]["uid"] not in changed:
            _note(lives, pod, begin, look_of(pod))
    for event in changes:
        if _is_system(event.object):
            continue
        if event.object["metadata"]["uid"] not in lives and event.previous is not None:
            _note(lives, event.previous, begin, look_of(event.previous))
        look = GONE if event.type == "DELETED" else look_of(event.object)
        _note(lives, event.object, rfc3339_micro(times[event.revision]), look)
    for life in lives.values():
        del life["stages"][:-STAGES_TOLD]
    return list(lives.values())


def _note(lives: dict[str, Life], pod: JSON, at: str, look: str) -> None:
    meta = pod["metadata"]
    life = lives.pop(meta["uid"], None)
    if life is None:
        life = Life(name=meta["name"], namespace=meta.get("namespace", ""), stages=[])
    if not life["stages"] or life["stages"][-1]["look"] != look:
        life["stages"].append(Stage(at=at, look=look))
    lives[meta["uid"]] = life


def _events(cluster: Cluster) -> list[Occurrence]:
    found = []
    for event in cluster.list("events"):
        at = event.get("lastTimestamp") or event.get("eventTime")
        if at and not _is_system(event):
            about = event.get("involvedObject") or {}
            found.append(
                Occurrence(
                    at=str(at),
                    type=str(event.get("type", "")),
                    reason=str(event.get("reason", "")),
                    about=f"{about.get('kind', '')} {about.get('name', '')}",
                )
            )
    return sorted(found, key=lambda each: each["at"])[-EVENTS_TOLD:]
