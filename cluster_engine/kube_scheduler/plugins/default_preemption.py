"""Makes room for an important Pod by evicting less important ones.

Models plugins/defaultpreemption and pkg/scheduler/framework/preemption. What upstream does in the background
(evicting the victims) is done before the attempt ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cluster_engine.apimachinery import labels
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.component_helpers.pod_conditions import with_pod_condition
from cluster_engine.kube_scheduler.framework import (
    CycleState,
    Diagnosis,
    NodeInfo,
    Nomination,
    Plugin,
    PodInfo,
    Refusal,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.nominator import nominated_node
from cluster_engine.kube_scheduler.framework.runtime import tell
from cluster_engine.sim import parse_rfc3339

_NOT_HELPFUL = unresolvable("Preemption is not helpful for scheduling")
_NO_VICTIMS = unresolvable("No preemption victims found for incoming pod")
_BUDGETS = "poddisruptionbudgets.policy"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node and the Pods that would have to go from it, the most important first."""

    node: str
    victims: tuple[PodInfo, ...]
    violations: int = 0
    """Victims whose disruption budget does not allow it."""


class DefaultPreemption(Plugin):
    """Finds the node where the least is lost, evicts what must go and nominates the node for the Pod."""

    name = "DefaultPreemption"
    extends = ("preEnqueue", "postFilter")

    def post_filter(self, state: CycleState, pod: PodInfo, diagnosis: Diagnosis) -> Nomination:
        why_not = self._not_eligible(pod, diagnosis)
        if why_not:
            return Nomination("", f"preemption: {why_not}", keep=True)
        found = self.candidates(pod, diagnosis)
        if isinstance(found, str):
            return Nomination("", f"preemption: {found}")
        chosen = min(found, key=_cost)
        self._clear_lesser_nominations(pod, chosen.node)
        for victim in chosen.victims:
            self._evict(pod, victim, chosen.node)
        told = f"found a potential placement for pod on node {chosen.node}, preempting {len(chosen.victims)} victims"
        return Nomination(chosen.node, f"preemption: {told}")

    def _not_eligible(self, pod: PodInfo, diagnosis: Diagnosis) -> str:
        """Why the Pod may not preempt; "" when it may (PodEligibleToPreemptOthers)."""
        if pod.shape.preemption_policy == "Never":
            return "not eligible due to preemptionPolicy=Never."
        node = self.handle.cache.node(nominated_node(pod.pod))
        if node is None or diagnosis.everywhere is not None or not diagnosis.refusals[node.index].resolvable:
            return ""
        if any(i.shape.priority < pod.shape.priority and _is_preempted(i.pod) for i in node.pods.values()):
            return "not eligible due to a terminating pod on the nominated node."
        return ""

    def candidates(self, pod: PodInfo, diagnosis: Diagnosis) -> list[Candidate] | str:
        """The nodes where evicting makes room, or the text that says why there is none."""
        nodes = self.handle.cache.snapshot.nodes
        if diagnosis.everywhere is not None:
            return tell(len(nodes), [_NOT_HELPFUL] * len(nodes))
        budgets = self.handle.informers.of(_BUDGETS).list()
        possible = [node for node, r in zip(nodes, diagnosis.refusals, strict=True) if r.resolvable]
        refusals = [_NOT_HELPFUL] * (len(nodes) - len(possible))
        candidates: list[Candidate] = []
        enough = self._enough(len(possible))
        first = 0
        if enough < len(possible):
            first = self.handle.chance.of("preemption", pod.uid, self.handle.clock.now).randrange(
                len(possible)
            )
        for node in (*possible[first:], *possible[:first]):
            found = self._victims(pod, node, budgets)
            if isinstance(found, Refusal):
                refusals.append(found)
                continue
            candidates.append(found)
            if len(candidates) >= enough and not all(each.violations for each in candidates):
                break
        return candidates or tell(len(nodes), refusals)

    def _enough(self, nodes: int) -> int:
        """How many candidates of so many nodes end the search, once one breaks no budget (calculateNumCandidates)."""
        percentage, least = self.args["minCandidateNodesPercentage"], self.args["minCandidateNodesAbsolute"]
        return min(max(nodes * int(percentage) // 100, int(least)), nodes)

    def _victims(self, pod: PodInfo, node: NodeInfo, budgets: list[JSON]) -> Candidate | Refusal:
        """The fewest, least important Pods whose going makes room (SelectVictimsOnNode)."""
        dry_run, priority = self.handle.dry_run, pod.shape.priority
        if not node.has_below(priority):
            return _NO_VICTIMS
        lower = sorted((i for i in node.pods.values() if i.shape.priority < priority), key=_importance)
        gone = {info.key: None for info in lower}
        refusal = dry_run(pod, node.altered(without=gone))
        if refusal is not None:
            return refusal
        violating, others = by_budget(lower, budgets)
        victims: list[PodInfo] = []
        violations = 0
        # Reprieve as many as possible: those that a budget protects first, the most important first.
        for info in (*violating, *others):
            del gone[info.key]
            if dry_run(pod, node.altered(without=gone)) is not None:
                gone[info.key] = None
                victims.append(info)
                violations += info in violating
        return Candidate(node.name, tuple(sorted(victims, key=_importance)), violations)

    def _clear_lesser_nominations(self, pod: PodInfo, node: str) -> None:
        """Less important Pods that wait for this node must look for another one."""
        for info in self.handle.nominator.on(node):
            if info.shape.priority < pod.shape.priority and info.key != pod.key:
                present = self.handle.informers.of("pods").get(info.key)
                if present is not None and nominated_node(present):
                    status = {k: v for k, v in present["status"].items() if k != "nominatedNodeName"}
                    self.handle.client.update_status("pods", {**present, "status": status})

    def _evict(self, preemptor: PodInfo, victim: PodInfo, node: str) -> None:
        if self.handle.reject(victim.key, self.name, "preempted"):
            return
        pod = self.handle.informers.of("pods").get(victim.key)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        meta = pod["metadata"]
        name = preemptor.pod["spec"].get("schedulerName") or "default-scheduler"
        why = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": f"{name}: preempting to accommodate a higher priority pod",
        }
        try:
            status = with_pod_condition(pod, why, self.handle.clock.timestamp())
            self.handle.client.update_status("pods", {**pod, "status": status})
            self.handle.client.delete("pods", meta["name"], meta["namespace"])
        except ApiError as error:
            if error.code != 404:
                raise
        told = f"Preempted by pod {preemptor.uid} on node {node}"
        self.handle.recorder.event(pod, "Normal", "Preempted", told)


def by_budget(pods: Iterable[PodInfo], budgets: list[JSON]) -> tuple[list[PodInfo], list[PodInfo]]:
    """Those whose eviction breaks a PodDisruptionBudget, and the others (filterPodsWithPDBViolation)."""
    violating: list[PodInfo] = []
    others: list[PodInfo] = []
    allowed = [(budget.get("status") or {}).get("disruptionsAllowed") or 0 for budget in budgets]
    selectors = [labels.compile_selector((budget.get("spec") or {}).get("selector")) for budget in budgets]
    for info in pods:
        violates = False
        for index, budget in enumerate(budgets):
            if (
                budget["metadata"].get("namespace") != info.shape.namespace
                or not info.shape.labels
                or selectors[index].empty
                or not selectors[index].matches(info.shape.labels)
                or info.pod["metadata"]["name"] in ((budget.get("status") or {}).get("disruptedPods") or {})
            ):
                continue
            allowed[index] -= 1
            violates = violates or allowed[index] < 0
        (violating if violates else others).append(info)
    return violating, others


def _is_preempted(pod: JSON) -> bool:
    """Whether the Pod is being deleted because it was preempted (podTerminatingByPreemption)."""
    return "deletionTimestamp" in pod["metadata"] and any(
        c["type"] == "DisruptionTarget"
        and c["status"] == "True"
        and c.get("reason") == "PreemptionByScheduler"
        for c in (pod.get("status") or {}).get("conditions") or ()
    )


def _started(pod: JSON) -> int:
    stamp = (pod.get("status") or {}).get("startTime")
    return parse_rfc3339(stamp) if stamp else 0


def _importance(info: PodInfo) -> tuple[int, int, str]:
    return (-info.shape.priority, _started(info.pod), info.key)


def _cost(candidate: Candidate) -> tuple[int, int, int, int, int]:
    """Lower is better: broken budgets, highest priority, sum of priorities, number, then the latest start."""
    victims = candidate.victims
    if not victims:
        return (0, -(2**31), 0, 0, 0)
    highest = max(v.shape.priority for v in victims)
    starts = [_started(v.pod) for v in victims if v.shape.priority == highest]
    total = sum(v.shape.priority + 2**31 for v in victims)
    return (candidate.violations, highest, total, len(victims), -min(starts))
