"""Runs the plugins for one Pod: which nodes will do, and which of them is best.

What a ShapePlugin says is kept per shape of Pod, so that the second replica of a Deployment asks again only
about the node that the first one went to.

Models pkg/scheduler/framework/runtime and pkg/scheduler/schedule_one.go (schedulePod, findNodesThatFitPod,
RunFilterPluginsWithNominatedPods, prioritizeNodes, selectHost).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from cluster_engine.kube_scheduler.framework.attempts import Scores, Tally
from cluster_engine.kube_scheduler.framework.handle import Handle
from cluster_engine.kube_scheduler.framework.interface import CycleState, Diagnosis, Plugin, ShapePlugin
from cluster_engine.kube_scheduler.framework.nominator import nominated_node
from cluster_engine.kube_scheduler.framework.profile import Profile
from cluster_engine.kube_scheduler.framework.rotation import enough
from cluster_engine.kube_scheduler.framework.shape import Shape
from cluster_engine.kube_scheduler.framework.types import NodeInfo, PodInfo, Snapshot
from cluster_engine.kube_scheduler.framework.verdicts import NodeNames, Nomination, Refusal, Skip

SHAPES_ANSWERED = 512
"""Shapes for which answers are kept; past it all are asked for anew."""


@dataclass(slots=True)
class Finding:
    """What came of looking at the nodes: the best of them, or why there is none."""

    state: CycleState
    tally: Tally
    node: NodeInfo | None = None
    diagnosis: Diagnosis | None = None


class _Answers:
    """What is known about one shape on each node."""

    __slots__ = ("asked", "filters", "generation", "position", "raw", "refusals", "scorers")

    def __init__(self, filters: list[ShapePlugin], scorers: list[ShapePlugin]) -> None:
        self.filters = filters
        self.scorers = scorers
        self.asked = tuple(plugin.name for plugin in filters)
        self.generation = -1
        self.position = 0
        self.refusals: list[Refusal | None] = []
        self.raw: list[list[int]] = []
        """Per scorer, a score per node."""


class _Narrowed(NamedTuple):
    """The nodes that all of these plugins named."""

    names: frozenset[str]
    plugins: tuple[str, ...]


def _not_named(narrowed: _Narrowed) -> Refusal:
    named = sorted(narrowed.plugins)
    return Refusal((f"node(s) didn't satisfy plugin(s) [{' '.join(named)}]",), False, " ".join(named))


def _nowhere(narrowed: _Narrowed) -> Refusal:
    """No node is left (RunPreFilterPlugins)."""
    named = sorted(narrowed.plugins)
    text = f"node(s) didn't satisfy plugin(s) [{' '.join(named)}] simultaneously"
    if len(named) == 1:
        text = f"node(s) didn't satisfy plugin {named[0]}"
    return Refusal((text,), False, " ".join(named))


class Framework:
    """The plugins of one profile over a cache of nodes."""

    def __init__(self, profile: Profile, handle: Handle) -> None:
        self.handle = handle
        self.cache = handle.cache
        self.plugins = tuple(kind(handle, profile.args.get(kind.name, {})) for kind in profile.plugins)
        self._weights = {
            plugin.name: profile.weights.get(plugin.name, plugin.weight) for plugin in self.plugins
        }
        self._percentage = profile.percentage
        handle.dry_run = self.dry_run
        by_name = {plugin.name: plugin for plugin in self.plugins}

        def at(method: str) -> tuple[Any, ...]:
            return tuple([by_name[name] for name in profile.acting[method]])

        self._shape_filters: tuple[ShapePlugin, ...] = at("filter_shape")
        self._shape_scorers: tuple[ShapePlugin, ...] = at("score_shape")
        self.pre_enqueues: tuple[Plugin, ...] = at("pre_enqueue")
        self._pre_filters: tuple[Plugin, ...] = at("pre_filter")
        self._filters: tuple[Plugin, ...] = at("filter")
        self._post_filters: tuple[Plugin, ...] = at("post_filter")
        self._pre_scores: tuple[Plugin, ...] = at("pre_score")
        self._scorers: tuple[Plugin, ...] = at("score")
        self._normalizers = frozenset(profile.acting["normalize"])
        self.reserves: tuple[Plugin, ...] = at("reserve")
        self.unreserves: tuple[Plugin, ...] = at("unreserve")[::-1]
        self.permits: tuple[Plugin, ...] = at("permit")
        self.pre_binds: tuple[Plugin, ...] = at("pre_bind")
        self.binds: tuple[Plugin, ...] = at("bind")
        self.post_binds: tuple[Plugin, ...] = at("post_bind")
        (sorter,) = at("queue_key")
        self.queue_key: Callable[[int, int], tuple[int, ...]] = sorter.queue_key
        self._answers: dict[int, _Answers] = {}

    # ---- one Pod ---------------------------------------------------------------------------------------

    def find(self, pod: PodInfo, attempt: int = 0) -> Finding:
        """The best node for the Pod, or why there is none. Raises SchedulingError.

        Among equals, chance by the Pod's uid and ``attempt``.
        """
        cache, nominator = self.cache, self.handle.nominator
        nodes = cache.snapshot.nodes
        finding = Finding(CycleState(), Tally(cache.names))
        state, tally = finding.state, finding.tally
        narrowed = self._pre_filter(state, pod, cache.snapshot)
        if isinstance(narrowed, Refusal):
            tally.everywhere = narrowed
            finding.diagnosis = Diagnosis(everywhere=narrowed, plugins=tuple(narrowed.plugin.split()))
            return finding
        if nominator:
            promised = cache.node(nominated_node(pod.pod))
            if promised is not None and self.dry_run(pod, promised) is None:
                finding.node = promised
                tally.nodes, tally.feasible, tally.refusals = (promised.name,), [0], [None]
                return finding
        asked = [plugin for plugin in self._filters if plugin.name not in state.skipped]
        if narrowed is not None:
            shaped = tuple(p.name for p in self._shape_filters if p.applies(pod.shape))
            tally.asked = (*shaped, *(plugin.name for plugin in asked))
            refusals = tally.refusals = self._filter_named(pod, narrowed)
        else:
            answers = self._current(pod.shape)
            tally.asked = (*answers.asked, *(plugin.name for plugin in asked)) if asked else answers.asked
            wanted = self._enough(len(nodes))
            if wanted < len(nodes):
                refusals, looked_at = self._search(state, pod, answers, asked, wanted)
                if len(looked_at) < len(nodes):
                    tally.looked_at = looked_at
            else:
                refusals = self._filter(state, pod, answers, asked)
            tally.refusals = refusals
        visited = range(len(nodes)) if tally.looked_at is None else tally.looked_at
        feasible = [nodes[i] for i in visited if refusals[i] is None]
        tally.feasible = [node.index for node in feasible]
        if not feasible:
            found = [refusal for refusal in refusals if refusal is not None]
            names = {name for refusal in found for name in refusal.plugin.split()}
            finding.diagnosis = Diagnosis(found, plugins=tuple(sorted(names)))
        else:
            finding.node = feasible[0]
            if len(feasible) > 1:
                ties = self._best(state, pod, self._current(pod.shape), feasible, tally.scores)
                finding.node = (
                    ties[0]
                    if len(ties) == 1
                    else self.handle.chance.of("node", pod.uid, attempt).choice(ties)
                )
        return finding

    def post_filter(self, state: CycleState, pod: PodInfo, diagnosis: Diagnosis) -> Nomination | None:
        """What the first plugin that can do something did; else what the last one told."""
        told = None
        for plugin in self._post_filters:
            found = plugin.post_filter(state, pod, diagnosis)
            if found is not None:
                told = found
                if found.node:
                    break
        return told

    def dry_run(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """What the filters say of that node as it is given, with and without the room that is promised."""
        promised = self.handle.nominator.before(pod, node.name)
        if promised:
            refusal = self._filters_on(pod, node.altered(added=promised))
            if refusal is not None:
                return refusal
        return self._filters_on(pod, node)

    def _filters_on(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        for kept in self._shape_filters:
            if kept.applies(pod.shape):
                refusal = kept.filter_shape(pod.shape, node)
                if refusal is not None:
                    return _named(refusal, kept)
        present = self.cache.snapshot
        nodes = [node if other.name == node.name else other for other in present.nodes]
        state = CycleState()
        narrowed = self._pre_filter(state, pod, Snapshot(nodes, present.informers))
        if isinstance(narrowed, Refusal):
            return narrowed
        if narrowed is not None and node.name not in narrowed.names:
            return _not_named(narrowed)
        for plugin in self._filters:
            if plugin.name not in state.skipped:
                refusal = plugin.filter(state, pod, node)
                if refusal is not None:
                    return _named(refusal, plugin)
        return None

    def _pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Refusal | _Narrowed | None:
        narrowed: _Narrowed | None = None
        for plugin in self._pre_filters:
            answer = plugin.pre_filter(state, pod, snapshot)
            if isinstance(answer, Skip):
                state.skipped[plugin.name] = None
            elif isinstance(answer, NodeNames):
                known = narrowed or _Narrowed(answer.names, ())
                narrowed = _Narrowed(known.names & answer.names, (*known.plugins, plugin.name))
                if not narrowed.names:
                    return _nowhere(narrowed)
            elif answer is not None:
                return _named(answer, plugin)
        return narrowed

    def _filter_named(self, pod: PodInfo, narrowed: _Narrowed) -> list[Refusal | None]:
        """Only the nodes that can do are looked at: a DaemonSet's Pod costs one node, however many there are."""
        absent = _not_named(narrowed)
        refusals: list[Refusal | None] = [absent] * len(self.cache.snapshot.nodes)
        for name in sorted(narrowed.names):
            node = self.cache.node(name)
            if node is not None:
                refusals[node.index] = self.dry_run(pod, node)
        return refusals

    def _enough(self, nodes: int) -> int:
        """How many nodes that can do end the search; where nothing scores, the first one does."""
        if not self._shape_scorers and not self._scorers:
            return min(nodes, 1)
        return enough(nodes, self._percentage)

    def _search(
        self, state: CycleState, pod: PodInfo, answers: _Answers, asked: list[Plugin], wanted: int
    ) -> tuple[list[Refusal | None], list[int]]:
        """What is said of the nodes, one after the other, until enough can do; and at which places that was."""
        nodes, rotation, kept = self.cache.snapshot.nodes, self.handle.rotation, answers.refusals
        known = not asked and not self.handle.nominator
        refusals: list[Refusal | None] = [None] * len(nodes)
        looked_at: list[int] = []
        found = 0
        for place in rotation.places(self.cache):
            refusal = kept[place] if known else self._verdict(state, pod, nodes[place], kept[place], asked)
            looked_at.append(place)
            if refusal is not None:
                refusals[place] = refusal
                continue
            found += 1
            if found == wanted:
                break
        rotation.advance(len(looked_at))
        return refusals, looked_at

    def _filter(
        self, state: CycleState, pod: PodInfo, answers: _Answers, asked: list[Plugin]
    ) -> list[Refusal | None]:
        """What is said of every node."""
        if not asked and not self.handle.nominator:
            return list(answers.refusals)
        nodes = self.cache.snapshot.nodes
        kept = zip(nodes, answers.refusals, strict=True)
        return [self._verdict(state, pod, node, refusal, asked) for node, refusal in kept]

    def _verdict(
        self, state: CycleState, pod: PodInfo, node: NodeInfo, kept: Refusal | None, asked: list[Plugin]
    ) -> Refusal | None:
        """What is said of one node, of which this is known from its shape."""
        promised = self.handle.nominator.before(pod, node.name)
        if promised:
            refusal = self._filters_on(pod, node.altered(added=promised))
            if refusal is not None:
                return refusal
        if kept is not None:
            return kept
        for plugin in asked:
            refusal = plugin.filter(state, pod, node)
            if refusal is not None:
                return _named(refusal, plugin)
        return None

    def _best(
        self,
        state: CycleState,
        pod: PodInfo,
        answers: _Answers,
        feasible: list[NodeInfo],
        scores: list[Scores],
    ) -> list[NodeInfo]:
        snapshot = self.cache.snapshot
        skipped = {
            plugin.name
            for plugin in self._pre_scores
            if isinstance(plugin.pre_score(state, pod, snapshot, feasible), Skip)
        }
        places = [node.index for node in feasible]
        totals = [0] * len(feasible)
        for shaped, row in zip(answers.scorers, answers.raw, strict=True):
            totals = self._count(state, shaped, feasible, [row[place] for place in places], totals, scores)
        for plugin in self._scorers:
            if plugin.name not in skipped:
                raw = plugin.scores(state, pod, feasible)
                totals = self._count(state, plugin, feasible, raw, totals, scores)
        best = max(totals)
        return [node for node, total in zip(feasible, totals, strict=True) if total == best]

    def _count(
        self,
        state: CycleState,
        plugin: Plugin,
        feasible: list[NodeInfo],
        raw: list[int],
        totals: list[int],
        scores: list[Scores],
    ) -> list[int]:
        """The sums with what one plugin gives, which is noted too."""
        normalized = plugin.normalize(state, feasible, raw) if plugin.name in self._normalizers else raw
        weight = self._weights[plugin.name]
        scores.append(Scores(plugin.name, weight, raw, normalized))
        return [total + weight * score for total, score in zip(totals, normalized, strict=True)]

    # ---- kept answers ----------------------------------------------------------------------------------

    def _current(self, shape: Shape) -> _Answers:
        cache = self.cache
        answers = self._answers.get(shape.id)
        if answers is None:
            if len(self._answers) >= SHAPES_ANSWERED:
                self._answers.clear()
            answers = self._answers[shape.id] = _Answers(
                [plugin for plugin in self._shape_filters if plugin.applies(shape)],
                [plugin for plugin in self._shape_scorers if plugin.applies(shape)],
            )
        if answers.generation != cache.generation:
            count = len(cache.snapshot.nodes)
            answers.refusals = [None] * count
            answers.raw = [[0] * count for _ in answers.scorers]
        stale = cache.changes(answers.generation, answers.position)
        # Only answers that are complete count as such: a plugin may raise.
        answers.generation = -1
        for index in stale:
            _ask(answers, shape, cache.snapshot.nodes[index])
        answers.generation = cache.generation
        answers.position = cache.position
        return answers


def _ask(answers: _Answers, shape: Shape, node: NodeInfo) -> None:
    index = node.index
    answers.refusals[index] = None
    for plugin in answers.filters:
        refusal = plugin.filter_shape(shape, node)
        if refusal is not None:
            answers.refusals[index] = _named(refusal, plugin)
            return
    for plugin, row in zip(answers.scorers, answers.raw, strict=True):
        row[index] = plugin.score_shape(shape, node)


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
