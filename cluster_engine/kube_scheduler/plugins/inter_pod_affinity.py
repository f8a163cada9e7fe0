"""Places Pods near to or away from other Pods. Models plugins/interpodaffinity."""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster_engine.apimachinery import labels
from cluster_engine.apimachinery.cow import JSON, get
from cluster_engine.kube_scheduler.framework import (
    SKIP,
    CycleState,
    Event,
    Handle,
    Interest,
    NodeInfo,
    Plugin,
    PodInfo,
    Refusal,
    Shape,
    Skip,
    Snapshot,
    resolvable,
    unresolvable,
)
from cluster_engine.kube_scheduler.framework.events import ADD, DELETE, NODE_LABEL, POD_LABEL

_AFFINITY = unresolvable("node(s) didn't match pod affinity rules")
_ANTI = resolvable("node(s) didn't match pod anti-affinity rules")
_EXISTING = resolvable("node(s) didn't satisfy existing pods anti-affinity rules")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
TERMS_KEPT = 4_096
"""Parsed lists of terms that are remembered; past it all are parsed anew."""

Pair = tuple[str, str]


class Term:
    """One affinity term, of a Pod in ``namespace`` with ``own`` labels."""

    __slots__ = ("key", "namespace_selector", "namespaces", "selector", "weight")

    def __init__(self, term: JSON, namespace: str, own: dict[str, str], weight: int = 0) -> None:
        self.key: str = term["topologyKey"]
        self.weight = weight
        selector = term.get("labelSelector")
        extra = [
            {"key": key, "operator": operator, "values": [own[key]]}
            for name, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
            for key in term.get(name) or ()
            if key in own
        ]
        if extra and selector is not None:
            selector = {**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *extra]}
        self.selector = labels.compile_selector(selector)
        self.namespaces = tuple(term.get("namespaces") or ())
        self.namespace_selector = (
            labels.compile_selector(term["namespaceSelector"])
            if term.get("namespaceSelector") is not None
            else None
        )
        if not self.namespaces and self.namespace_selector is None:
            self.namespaces = (namespace,)

    def matches(self, shape: Shape, snapshot: Snapshot) -> bool:
        """Whether the term speaks of Pods of that shape."""
        if shape.namespace not in self.namespaces:
            if self.namespace_selector is None:
                return False
            namespace = snapshot.informers.of("namespaces").get(shape.namespace)
            if namespace is None or not self.namespace_selector.matches(namespace["metadata"].get("labels")):
                return False
        return bool(self.selector.matches(shape.labels))


def required(shape: Shape, kind: str) -> list[Term]:
    """The required terms of ``podAffinity`` or ``podAntiAffinity``."""
    return [Term(t, shape.namespace, shape.labels) for t in get(shape.affinity, kind, _REQUIRED, default=())]


def preferred(shape: Shape, kind: str) -> list[Term]:
    """The preferred terms, with their weights."""
    return [
        Term(t["podAffinityTerm"], shape.namespace, shape.labels, t.get("weight") or 0)
        for t in get(shape.affinity, kind, _PREFERRED, default=())
    ]


@dataclass(slots=True)
class _Cycle:
    affinity: list[Term] = field(default_factory=list)
    anti: list[Term] = field(default_factory=list)
    near: dict[Pair, int] = field(default_factory=dict)
    """Topology pairs with Pods that match *all* affinity terms."""
    away: dict[Pair, int] = field(default_factory=dict)
    forbidden: dict[Pair, int] = field(default_factory=dict)
    """Topology pairs that placed Pods keep this one out of."""
    matches_itself: bool = False


class InterPodAffinity(Plugin):
    """podAffinity and podAntiAffinity, required and preferred; placed Pods' anti-affinity too."""

    name = "InterPodAffinity"
    weight = 2

    def __init__(self, handle: Handle, args: JSON) -> None:
        super().__init__(handle, args)
        self._hard_weight: int = args["hardPodAffinityWeight"]
        self._ignores_others: bool = args.get("ignorePreferredTermsOfExistingPods") or False
        # Pure caches of parsed terms, by shape.
        self._terms: dict[tuple[int, str, bool], list[Term]] = {}

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest("Pod", (ADD, POD_LABEL, DELETE), self._pod_matters),
            Interest("Node", (ADD, NODE_LABEL), self._node_matters),
        )

    def _pod_matters(self, pod: PodInfo, event: Event) -> bool:
        """A placed Pod that came, went or got other labels changes what the Pod's terms, or its own, select."""
        shape, cache = pod.shape, self.handle.cache
        own = event.new is not None and event.new["metadata"]["uid"] == pod.uid
        placed = [obj for obj in (event.old, event.new) if obj is not None and obj["spec"].get("nodeName")]
        if own or not placed:
            return own
        near = self._parsed(shape, "podAffinity", True) if shape.affinity else []
        away = self._parsed(shape, "podAntiAffinity", True) if shape.affinity else []
        snapshot = cache.snapshot
        before, after = (cache.shapes.of(obj) if obj is not None else None for obj in (event.old, event.new))

        def selected(terms: list[Term], other: Shape | None) -> bool:
            return other is not None and bool(terms) and all(t.matches(other, snapshot) for t in terms)

        def hit(terms: list[Term], other: Shape | None) -> bool:
            return other is not None and any(t.matches(other, snapshot) for t in terms)

        if selected(near, after) and not selected(near, before):
            return True
        if selected(near, before) and not selected(near, after) and selected(near, shape):
            return True  # who selects itself may go anywhere when the others are gone
        if hit(away, before) and not hit(away, after):
            return True
        # One that kept this Pod out went, or speaks of other Pods now.
        return (
            before is not None
            and (after is None or after.labels != before.labels)
            and hit(self._parsed(before, "podAntiAffinity", True), shape)
        )

    def _node_matters(self, pod: PodInfo, event: Event) -> bool:
        """A node that has, or has got, other values of the keys that the Pod's terms speak of."""
        shape = pod.shape
        new = ((event.new or {}).get("metadata") or {}).get("labels") or {}
        terms = [t for kind in ("podAffinity", "podAntiAffinity") for t in self._parsed(shape, kind, True)]
        if event.old is None or not terms:
            return True
        old = event.old["metadata"].get("labels") or {}
        return any(old.get(t.key) != new.get(t.key) for t in terms)

    def _parsed(self, shape: Shape, kind: str, hard: bool) -> list[Term]:
        key = (shape.id, kind, hard)
        terms = self._terms.get(key)
        if terms is None:
            if len(self._terms) >= TERMS_KEPT:
                self._terms.clear()
            terms = self._terms[key] = required(shape, kind) if hard else preferred(shape, kind)
        return terms

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Skip | None:
        shape = pod.shape
        if not shape.affinity and _nobody_speaks(snapshot):
            return SKIP  # nobody speaks of others
        cycle = _Cycle()
        state.slots[self.name] = cycle
        if shape.affinity:
            cycle.affinity = self._parsed(shape, "podAffinity", True)
            cycle.anti = self._parsed(shape, "podAntiAffinity", True)
            cycle.matches_itself = bool(cycle.affinity) and all(
                t.matches(shape, snapshot) for t in cycle.affinity
            )
        speaks = bool(cycle.affinity or cycle.anti)
        for node in snapshot.nodes:
            for info in (node.pods if speaks else node.with_affinity).values():
                other = info.shape
                if cycle.affinity and all(t.matches(other, snapshot) for t in cycle.affinity):
                    _count(cycle.near, cycle.affinity, node)
                for term in cycle.anti:
                    if term.matches(other, snapshot):
                        _count(cycle.away, [term], node)
                if other.affinity and "podAntiAffinity" in other.affinity:
                    for term in self._parsed(other, "podAntiAffinity", True):
                        if term.matches(shape, snapshot):
                            _count(cycle.forbidden, [term], node)
        return None if speaks or cycle.forbidden else SKIP

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        cycle: _Cycle = state.slots[self.name]
        if cycle.affinity:
            if any(t.key not in node.labels for t in cycle.affinity):
                return _AFFINITY
            # The first of a group that wants to be together may go anywhere.
            first = not cycle.near and cycle.matches_itself
            if not first and any(not cycle.near.get((t.key, node.labels[t.key])) for t in cycle.affinity):
                return _AFFINITY
        for term in cycle.anti:
            if cycle.away.get((term.key, node.labels.get(term.key, ""))):
                return _ANTI
        if cycle.forbidden and any((k, v) in cycle.forbidden for k, v in node.labels.items()):
            return _EXISTING
        return None

    # ---- scores ----------------------------------------------------------------------------------------

    def pre_score(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, nodes: list[NodeInfo]
    ) -> Skip | None:
        shape = pod.shape
        near = self._parsed(shape, "podAffinity", False) if shape.affinity else []
        away = self._parsed(shape, "podAntiAffinity", False) if shape.affinity else []
        speaks = bool(near or away)
        if not speaks and (self._ignores_others or _nobody_speaks(snapshot)):
            return SKIP
        topology: dict[Pair, int] = {}
        for node in snapshot.nodes:
            for info in (node.pods if speaks else node.with_affinity).values():
                other = info.shape
                for term in near:
                    if term.matches(other, snapshot):
                        _weigh(topology, term, node, term.weight)
                for term in away:
                    if term.matches(other, snapshot):
                        _weigh(topology, term, node, -term.weight)
                if not other.affinity:
                    continue
                for term in self._parsed(other, "podAffinity", True) if self._hard_weight else ():
                    if term.matches(shape, snapshot):
                        _weigh(topology, term, node, self._hard_weight)
                for term in self._parsed(other, "podAffinity", False):
                    if term.matches(shape, snapshot):
                        _weigh(topology, term, node, term.weight)
                for term in self._parsed(other, "podAntiAffinity", False):
                    if term.matches(shape, snapshot):
                        _weigh(topology, term, node, -term.weight)
        if not topology:
            return SKIP
        state.slots[f"{self.name}/score"] = topology
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        topology: dict[Pair, int] = state.slots[f"{self.name}/score"]
        return sum(topology.get(pair, 0) for pair in node.labels.items())

    def normalize(self, state: CycleState, nodes: list[NodeInfo], scores: list[int]) -> list[int]:
        least, most = min(scores, default=0), max(scores, default=0)
        spread = most - least
        return [100 * (s - least) // spread if spread else 0 for s in scores]


def _nobody_speaks(snapshot: Snapshot) -> bool:
    """Whether no placed Pod has terms of its own."""
    for node in snapshot.nodes:  # noqa: SIM110  (asked for each Pod: a generator takes three times as long)
        if node.with_affinity:
            return False
    return True


def _count(pairs: dict[Pair, int], terms: list[Term], node: NodeInfo) -> None:
    for term in terms:
        value = node.labels.get(term.key)
        if value is not None:
            pairs[term.key, value] = pairs.get((term.key, value), 0) + 1


def _weigh(pairs: dict[Pair, int], term: Term, node: NodeInfo, weight: int) -> None:
    value = node.labels.get(term.key)
    if value is not None:
        pairs[term.key, value] = pairs.get((term.key, value), 0) + weight
