"""Whom a node lets go so that a critical Pod fits. Pure. Models pkg/kubelet/preemption/preemption.go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.qos import qos_class
from cluster_engine.component_helpers.requests import Amounts
from cluster_engine.kubelet.record import is_critical

_QOS = ("BestEffort", "Burstable", "Guaranteed")

Needs = Mapping[str, int]
"""How much is missing of each resource, ``pods`` among them."""


class NobodyGoes(Exception):
    """No Pods can go that would make enough room; str() says so."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Pod that may go."""

    uid: str
    qos: str
    asked: Amounts

    def gives(self, resource: str) -> int:
        """What is free when it has gone."""
        return 1 if resource == "pods" else self.asked.get(resource, 0)

    def size(self) -> tuple[int, int]:
        """Of two that give as much, the smaller goes (smallerResourceRequest)."""
        return self.asked.get("memory", 0), self.asked.get("cpu", 0)


def preemptable(preemptor: JSON, static: bool, other: JSON, other_static: bool) -> bool:
    """Whether a Pod may push another one out (Preemptable)."""
    if is_critical(preemptor, static) and not is_critical(other, other_static):
        return True
    ours, theirs = (int(pod["spec"].get("priority") or 0) for pod in (preemptor, other))
    return ours > theirs


def candidate(uid: str, pod: JSON, asked: Amounts) -> Candidate:
    """A Pod as one that may go."""
    return Candidate(uid, qos_class(pod["spec"]), asked)


def victims(needs: Needs, candidates: Sequence[Candidate]) -> list[str]:
    """The uids of those that go, fewest and least important ones (getPodsToPreempt). Raises NobodyGoes."""
    by_qos = {qos: [each for each in candidates if each.qos == qos] for qos in _QOS}
    best_effort, burstable, guaranteed = by_qos.values()
    if left := still_needed(needs, candidates):
        raise NobodyGoes(f"no set of running pods found to reclaim resources: {_text(left)}")
    first = _nearest(guaranteed, still_needed(needs, [*best_effort, *burstable]))
    second = _nearest(burstable, still_needed(needs, [*best_effort, *first]))
    third = _nearest(best_effort, still_needed(needs, [*second, *first]))
    return [each.uid for each in (*third, *second, *first)]


def still_needed(needs: Needs, gone: Sequence[Candidate]) -> dict[str, int]:
    """What is still missing when they have gone."""
    left = {name: amount - sum(each.gives(name) for each in gone) for name, amount in needs.items()}
    return {name: amount for name, amount in left.items() if amount > 0}


def _nearest(candidates: Sequence[Candidate], needs: Needs) -> list[Candidate]:
    """Those that come nearest to what is missing, one after the other (getPodsToPreemptByDistance)."""
    left, found = [*candidates], []
    while needs:
        if not left:
            raise NobodyGoes(f"no set of running pods found to reclaim resources: {_text(needs)}")
        best = min(left, key=lambda each: (_distance(needs, each), each.size()))
        left.remove(best)
        found.append(best)
        needs = still_needed(needs, [best])
    return found


def _distance(needs: Needs, each: Candidate) -> float:
    """Which part of what is missing would be missing still, each resource alike."""
    missing = ((amount, amount - each.gives(name)) for name, amount in needs.items())
    return sum((left / amount) ** 2 for amount, left in missing if left > 0)


def _text(needs: Needs) -> str:
    return "[" + "".join(f"(res: {name}, q: {amount}), " for name, amount in needs.items()) + "]"
