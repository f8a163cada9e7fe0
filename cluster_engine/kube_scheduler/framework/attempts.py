"""Why each Pod went where it went: every attempt to schedule as data, for the latest of them.

An attempt keeps references to the lists that it was decided with; they are laid out as JSON only when somebody
asks. The record tells and decides nothing, so it is no part of the cluster's state: a fork takes it over, a
replay makes it again, and a cluster that is restored from a snapshot begins with none.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.framework.verdicts import Refusal
from cluster_engine.sim import rfc3339_micro

KEPT_PER_POD = 8
"""Attempts of one Pod that are kept."""
KEPT = 256
"""Attempts of all Pods that are kept."""
KEPT_VERDICTS = 20_000
"""Verdicts on nodes that are kept, over all attempts: some hundred bytes each."""

SCHEDULED, WAITING, UNSCHEDULABLE, ERROR = "Scheduled", "Waiting", "Unschedulable", "SchedulerError"


class Scores(NamedTuple):
    """What one plugin gave to the nodes that passed every filter, in their order."""

    plugin: str
    weight: int
    raw: list[int]
    normalized: list[int]


@dataclass(slots=True)
class Tally:
    """All that was found out about the nodes in one attempt."""

    nodes: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    """The plugins that could refuse, in the order in which they were asked."""
    refusals: list[Refusal | None] = field(default_factory=list)
    """One per node; empty when ``everywhere`` is set."""
    everywhere: Refusal | None = None
    looked_at: list[int] | None = None
    """Places in ``nodes``, where the search ended before it had come to all of them."""
    feasible: list[int] = field(default_factory=list)
    """Places in ``nodes`` that passed; scored when there are several."""
    scores: list[Scores] = field(default_factory=list)
    chosen: str = ""
    """The node that was taken, whatever came of it."""


class Attempt(NamedTuple):
    """One attempt to find a node for one Pod."""

    at: int
    pod: str
    uid: str
    number: int
    result: str
    node: str
    message: str
    tally: Tally

    def as_data(self) -> JSON:
        """JSON: the outcome, and for each node who said what.

        ``unvisited`` names the nodes that nobody was asked about, since enough had been found. Each of ``nodes`` has
        ``feasible`` and ``filters`` (plugin to "Success" or its reasons); where it was refused ``resolvable``; where
        it was scored ``scores`` (plugin to ``raw``, ``normalized`` and ``weighted``) and their ``total``.
        """
        tally = self.tally
        place_of = {place: i for i, place in enumerate(tally.feasible)}
        nodes = []
        visited = range(len(tally.nodes)) if tally.looked_at is None else sorted(tally.looked_at)
        for place in visited:
            name = tally.nodes[place]
            refusal = tally.everywhere or (tally.refusals[place] if tally.refusals else None)
            told: JSON = {
                "name": name,
                "feasible": place in place_of,
                "filters": _filters(tally.asked, refusal),
            }
            if refusal is not None:
                told["resolvable"] = refusal.resolvable
            scored = place_of.get(place)
            if scored is not None and tally.scores:
                told["scores"] = {
                    s.plugin: {
                        "raw": s.raw[scored],
                        "normalized": s.normalized[scored],
                        "weighted": s.normalized[scored] * s.weight,
                    }
                    for s in tally.scores
                }
                told["total"] = sum(one["weighted"] for one in told["scores"].values())
            nodes.append(told)
        return {
            "time": rfc3339_micro(self.at),
            "pod": self.pod,
            "uid": self.uid,
            "attempt": self.number,
            "result": self.result,
            "node": self.node,
            "message": self.message,
            "nodes": nodes,
            "unvisited": [] if tally.looked_at is None else _others(tally.nodes, tally.looked_at),
        }


def _others(nodes: tuple[str, ...], places: list[int]) -> list[str]:
    taken = frozenset(places)
    return [name for place, name in enumerate(nodes) if place not in taken]


def _filters(asked: tuple[str, ...], refusal: Refusal | None) -> JSON:
    if refusal is None:
        return dict.fromkeys(asked, "Success")
    told: JSON = {}
    for name in asked:
        if name == refusal.plugin:
            break
        told[name] = "Success"
    told[refusal.plugin] = ", ".join(refusal.reasons)
    return told


def _share_parts(tally: Tally, before: Tally) -> None:
    """Has equal lists of two tallies stored once: Pods of one kind find much the same."""
    if tally.refusals == before.refusals:
        tally.refusals = before.refusals
    if tally.feasible == before.feasible:
        tally.feasible = before.feasible
    known = {scores.plugin: scores for scores in before.scores}
    for place, scores in enumerate(tally.scores):
        if scores == known.get(scores.plugin):
            tally.scores[place] = known[scores.plugin]


class Attempts:
    """The latest attempts, by Pod."""

    def __init__(self) -> None:
        self._by_pod: dict[str, deque[Attempt]] = {}
        self._order: deque[Attempt] = deque()
        self._verdicts = 0

    def add(self, attempt: Attempt) -> None:
        """Records it; the oldest ones go when there are too many."""
        if self._order:
            _share_parts(attempt.tally, self._order[-1].tally)
        mine = self._by_pod.setdefault(attempt.pod, deque(maxlen=KEPT_PER_POD))
        mine.append(attempt)
        self._order.append(attempt)
        self._verdicts += len(attempt.tally.nodes)
        while len(self._order) > KEPT or (self._verdicts > KEPT_VERDICTS and len(self._order) > 1):
            oldest = self._order.popleft()
            self._verdicts -= len(oldest.tally.nodes)
            others = self._by_pod[oldest.pod]
            if others[0] is oldest:  # else the Pod's own limit has dropped it already
                others.popleft()
                if not others:
                    del self._by_pod[oldest.pod]

    def share(self, other: Attempts) -> None:
        """Takes over the record of ``other``."""
        self._by_pod = {pod: attempts.copy() for pod, attempts in other._by_pod.items()}
        self._order, self._verdicts = other._order.copy(), other._verdicts

    def of(self, key: str) -> list[JSON]:
        """The attempts of the Pod ``namespace/name``, the oldest first."""
        return [attempt.as_data() for attempt in self._by_pod.get(key, ())]
