"""Runs the plugins for one Pod: which nodes will do, and which of them is best.

Answers that depend on the node alone, or on it and its Pods, are kept per shape of Pod, so that the second
replica of a Deployment asks again only about the node that the first one went to.

Models pkg/scheduler/schedule_one.go (schedulePod, findNodesThatFitPod, prioritizeNodes, selectHost).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster_engine.kube_scheduler.framework.cache import Cache
from cluster_engine.kube_scheduler.framework.interface import CycleState, Plugin, Refusal
from cluster_engine.kube_scheduler.framework.types import NodeInfo, PodInfo, Shape
from cluster_engine.sim import Chance

_KEPT = 512


@dataclass(slots=True)
class Diagnosis:
    """Why no node will do."""

    refusals: list[Refusal] = field(default_factory=list)
    """One per node, in the order of the nodes; empty when ``everywhere`` is set."""
    everywhere: Refusal | None = None
    plugins: tuple[str, ...] = ()


class _Answers:
    """What is known about one shape on each node."""

    __slots__ = ("generation", "plugins", "position", "raw", "refusals", "scores")

    def __init__(self, plugins: list[Plugin]) -> None:
        self.plugins = plugins
        self.generation = -1
        self.position = 0
        self.refusals: list[Refusal | None] = []
        self.scores: list[int] = []
        self.raw: list[tuple[int, ...]] = []


class Framework:
    """The plugins over a cache of nodes."""

    def __init__(self, plugins: tuple[Plugin, ...], cache: Cache, chance: Chance) -> None:
        self.plugins = plugins
        self.cache = cache
        self._chance = chance
        self._answers: dict[int, _Answers] = {}

    # ---- one Pod ---------------------------------------------------------------------------------------

    def schedule(self, pod: PodInfo, attempt: int = 0) -> NodeInfo | Diagnosis:
        """The best node for the Pod, or why there is none. Among equals, chance by its uid and ``attempt``."""
        nodes = self.cache.snapshot.nodes
        state = CycleState()
        answers = self._current(pod, state)
        cluster = [p for p in self.plugins if p.scope == "cluster" and p.applies(pod.shape)]
        for plugin in cluster:
            refusal = plugin.pre_filter(state, pod, self.cache.snapshot)
            if refusal is not None:
                return Diagnosis(everywhere=_named(refusal, plugin), plugins=(plugin.name,))
        refusals = self._filter(
            state, pod, answers, [p for p in cluster if p.filters and p.name not in state.nothing]
        )
        feasible = [nodes[i] for i, refusal in enumerate(refusals) if refusal is None]
        if not feasible:
            found = [r for r in refusals if r is not None]
            return Diagnosis(found, plugins=tuple(sorted({r.plugin for r in found})))
        if len(feasible) == 1:
            return feasible[0]
        ties = self._best(state, pod, answers, cluster, feasible)
        return (
            ties[0]
            if len(ties) == 1
            else self._chance.of("node", pod.pod["metadata"]["uid"], attempt).choice(ties)
        )

    def fits(self, pod: PodInfo, node: NodeInfo) -> bool:
        """Whether the Pod would fit on that node as it is given (a dry run of preemption)."""
        state = CycleState()
        nodes = [node if other.name == node.name else other for other in self.cache.snapshot.nodes]
        snapshot = type(self.cache.snapshot)(nodes, self.cache.informers)
        for plugin in self.plugins:
            if not plugin.filters or not plugin.applies(pod.shape):
                continue
            if plugin.scope == "cluster" and plugin.pre_filter(state, pod, snapshot) is not None:
                return False
            if plugin.filter(state, pod, node) is not None:
                return False
        return True

    def _filter(
        self, state: CycleState, pod: PodInfo, answers: _Answers, cluster: list[Plugin]
    ) -> list[Refusal | None]:
        if not cluster:
            return answers.refusals
        refusals = list(answers.refusals)
        for index, node in enumerate(self.cache.snapshot.nodes):
            if refusals[index] is not None:
                continue
            for plugin in cluster:
                refusal = plugin.filter(state, pod, node)
                if refusal is not None:
                    refusals[index] = _named(refusal, plugin)
                    break
        return refusals

    def _best(
        self,
        state: CycleState,
        pod: PodInfo,
        answers: _Answers,
        cluster: list[Plugin],
        feasible: list[NodeInfo],
    ) -> list[NodeInfo]:
        totals = [answers.scores[node.index] for node in feasible]
        kept = [p for p in answers.plugins if p.weight and p.normalized]
        for place, plugin in enumerate(kept):
            raw = [answers.raw[node.index][place] for node in feasible]
            if any(raw):
                for i, score in enumerate(plugin.normalize(state, raw)):
                    totals[i] += plugin.weight * score
        for plugin in cluster:
            if not plugin.weight or not plugin.pre_score(state, pod, self.cache.snapshot, feasible):
                continue
            scores = [plugin.score(state, pod, node) for node in feasible]
            if plugin.normalized:
                scores = plugin.normalize(state, scores)
            for i, score in enumerate(scores):
                totals[i] += plugin.weight * score
        best = max(totals)
        return [node for node, total in zip(feasible, totals, strict=True) if total == best]

    # ---- kept answers ----------------------------------------------------------------------------------

    def _current(self, pod: PodInfo, state: CycleState) -> _Answers:
        shape, cache = pod.shape, self.cache
        answers = self._answers.get(shape.id)
        if answers is None:
            if len(self._answers) >= _KEPT:
                self._answers.clear()
            answers = self._answers[shape.id] = _Answers(self._kept_plugins(shape))
        if answers.generation != cache.generation or answers.position < cache.log_start:
            count = len(cache.snapshot.nodes)
            answers.refusals = [None] * count
            answers.scores = [0] * count
            answers.raw = [()] * count
            stale: list[int] = list(range(count))
            answers.generation = cache.generation
        else:
            stale = list(dict.fromkeys(cache.log[answers.position - cache.log_start :]))
        answers.position = cache.log_start + len(cache.log)
        for index in stale:
            self._ask(answers, state, pod, cache.snapshot.nodes[index])
        return answers

    def _kept_plugins(self, shape: Shape) -> list[Plugin]:
        return [p for p in self.plugins if p.scope != "cluster" and p.applies(shape)]

    def _ask(self, answers: _Answers, state: CycleState, pod: PodInfo, node: NodeInfo) -> None:
        total = 0
        raw: list[int] = []
        refused: Refusal | None = None
        for plugin in answers.plugins:
            if plugin.filters and refused is None:
                refusal = plugin.filter(state, pod, node)
                if refusal is not None:
                    refused = _named(refusal, plugin)
        if refused is None:
            for plugin in answers.plugins:
                if plugin.weight:
                    score = plugin.score(state, pod, node)
                    if plugin.normalized:
                        raw.append(score)
                    else:
                        total += plugin.weight * score
        answers.refusals[node.index] = refused
        answers.scores[node.index] = total
        answers.raw[node.index] = tuple(raw)


def _named(refusal: Refusal, plugin: Plugin) -> Refusal:
    return Refusal(refusal.reasons, refusal.resolvable, plugin.name)


def tell(total: int, refusals: list[Refusal], everywhere: Refusal | None = None) -> str:
    """Why none of ``total`` nodes will do, as FitError tells it."""
    text = f"0/{total} nodes are available"
    if everywhere is not None:
        return f"{text}: {', '.join(everywhere.reasons)}."
    counts: dict[str, int] = {}
    for refusal in refusals:
        for reason in refusal.reasons:
            counts[reason] = counts.get(reason, 0) + 1
    return f"{text}: {', '.join(sorted(f'{n} {reason}' for reason, n in counts.items()))}."
