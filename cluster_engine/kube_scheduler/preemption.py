"""Makes room for an important Pod by evicting less important ones.

PodDisruptionBudgets are not looked at. Models pkg/scheduler/framework/preemption and
plugins/defaultpreemption.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.framework.cache import Cache
from cluster_engine.kube_scheduler.framework.interface import unresolvable
from cluster_engine.kube_scheduler.framework.runtime import Diagnosis, Framework, tell
from cluster_engine.kube_scheduler.framework.types import NodeInfo, PodInfo
from cluster_engine.sim import parse_rfc3339

_NOT_HELPFUL = unresolvable("Preemption is not helpful for scheduling")
_NO_VICTIMS = unresolvable("No preemption victims found for incoming pod")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node and the Pods that would have to go from it, the most important first."""

    node: str
    victims: tuple[PodInfo, ...]


def _started(pod: JSON) -> int:
    stamp = (pod.get("status") or {}).get("startTime")
    return parse_rfc3339(stamp) if stamp else 0


def _importance(info: PodInfo) -> tuple[int, int, str]:
    return (-info.shape.priority, _started(info.pod), info.key)


def _victims(framework: Framework, pod: PodInfo, node: NodeInfo) -> tuple[PodInfo, ...] | None:
    """The fewest, least important Pods whose going makes room; None when no eviction does."""
    lower = sorted(
        (i for i in node.pods.values() if i.shape.priority < pod.shape.priority and not i.leaving),
        key=_importance,
    )
    if not lower:
        return None
    gone = {info.key for info in lower}
    if not framework.fits(pod, node.without(gone)):
        return None
    victims: list[PodInfo] = []
    for info in lower:  # reprieve as many as possible, the most important first
        gone.discard(info.key)
        if not framework.fits(pod, node.without(gone)):
            gone.add(info.key)
            victims.append(info)
    return tuple(victims)


def _cost(candidate: Candidate) -> tuple[int, int, int, int]:
    """Lower is better: highest victim priority, sum of priorities, number, then the latest start."""
    victims = candidate.victims
    highest = max(v.shape.priority for v in victims)
    starts = [_started(v.pod) for v in victims if v.shape.priority == highest]
    return (highest, sum(v.shape.priority + 2**31 for v in victims), len(victims), -min(starts))


def find(framework: Framework, cache: Cache, pod: PodInfo, diagnosis: Diagnosis) -> Candidate | str:
    """The cheapest candidate, or the text that says why preemption does not help."""
    nodes = cache.snapshot.nodes
    if pod.shape.preemption_policy == "Never":
        return "not eligible due to preemptionPolicy=Never."
    nominated = cache.node((pod.pod.get("status") or {}).get("nominatedNodeName") or "")
    if nominated is not None and any(
        i.leaving and i.shape.priority < pod.shape.priority for i in nominated.pods.values()
    ):
        return "not eligible due to a terminating pod on the nominated node."
    if diagnosis.everywhere is not None:
        return tell(len(nodes), [_NOT_HELPFUL] * len(nodes))
    refusals = []
    candidates: list[Candidate] = []
    for node, refusal in zip(nodes, diagnosis.refusals, strict=True):
        if not refusal.resolvable:
            refusals.append(_NOT_HELPFUL)
            continue
        victims = _victims(framework, pod, node)
        if victims:
            candidates.append(Candidate(node.name, victims))
        else:
            refusals.append(_NO_VICTIMS)
    if not candidates:
        return tell(len(nodes), refusals)
    return min(candidates, key=_cost)
