"""Spreads Pods over nodes and zones. Models plugins/podtopologyspread.

Pods without constraints of their own get the profile's defaults, or the system's (soft ones over hosts and zones),
when a Service or their controller tells which Pods belong together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from cluster_engine.apimachinery import labels
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.client_go import Change
from cluster_engine.component_helpers.tolerations import untolerated
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
from cluster_engine.kube_scheduler.framework.cache import Cache
from cluster_engine.kube_scheduler.framework.events import (
    ADD,
    DELETE,
    NODE_LABEL,
    NODE_TAINT,
    POD_LABEL,
    POD_TOLERATION,
)

HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
COUNTS_KEPT = 512
"""Shapes whose counts are remembered; past it all are counted anew."""
_REFUSAL = resolvable("node(s) didn't match pod topology spread constraints")
_NO_LABEL = unresolvable("node(s) didn't match pod topology spread constraints (missing required label)")
_OWNERS = {
    ("apps/v1", "ReplicaSet"): "replicasets.apps",
    ("apps/v1", "StatefulSet"): "statefulsets.apps",
    ("v1", "ReplicationController"): "replicationcontrollers",
}


@dataclass(slots=True)
class Constraint:
    """One parsed constraint."""

    key: str
    max_skew: int
    selector: Any
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False


@dataclass(slots=True)
class _Hard:
    constraint: Constraint
    counts: dict[str, int] = field(default_factory=dict)
    least: int = 0
    matches_itself: int = 0


def _parse(shape: Shape, hard: bool) -> list[Constraint]:
    """The Pod's own constraints of a kind."""
    parsed = []
    for item in _of_kind(shape.spread, hard):
        selector = item.get("labelSelector")
        keys = [k for k in item.get("matchLabelKeys") or () if k in shape.labels]
        if keys:
            selector = {
                **(selector or {}),
                "matchLabels": {
                    **((selector or {}).get("matchLabels") or {}),
                    **{k: shape.labels[k] for k in keys},
                },
            }
        parsed.append(_constraint(item, labels.compile_selector(selector)))
    return parsed


def _of_kind(constraints: list[JSON], hard: bool) -> list[JSON]:
    return [each for each in constraints if (each.get("whenUnsatisfiable") == "DoNotSchedule") == hard]


def _constraint(item: JSON, selector: Any) -> Constraint:
    return Constraint(
        item["topologyKey"],
        item.get("maxSkew", 1),
        selector,
        item.get("minDomains") or 1,
        item.get("nodeAffinityPolicy", "Honor") == "Honor",
        item.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )


def matcher(namespace: str, selector: Any) -> Callable[[Shape], bool]:
    """Whether Pods of a shape count; each shape is looked at once."""
    known: dict[int, bool] = {}

    def matches(shape: Shape) -> bool:
        answer = known.get(shape.id)
        if answer is None:
            answer = known[shape.id] = shape.namespace == namespace and bool(selector.matches(shape.labels))
        return answer

    return matches


class _Both:
    """All of several selectors."""

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts

    def matches(self, labels_of: dict[str, str] | None) -> bool:
        return all(part.matches(labels_of) for part in self.parts)


def default_selector(shape: Shape, snapshot: Snapshot) -> Any:
    """What selects this Pod and its like: its Services and its controller (helper.DefaultSelector)."""
    parts: list[Any] = []
    for service in snapshot.informers.of("services").list(shape.namespace):
        wanted = (service.get("spec") or {}).get("selector")
        if wanted and all(shape.labels.get(k) == v for k, v in wanted.items()):
            parts.append(labels.selector_of_map(wanted))
    selector = _owner_selector(shape, snapshot)
    if selector is not None:
        simple = shape.owner is not None and shape.owner[1] == "ReplicationController"
        parts.append(labels.selector_of_map(selector) if simple else labels.compile_selector(selector))
    return _Both(parts) if parts else None


def _owner_selector(shape: Shape, snapshot: Snapshot) -> JSON | None:
    """The selector of the Pod's controller, as it stands in that object."""
    if shape.owner is None:
        return None
    version, kind, name = shape.owner
    resource = _OWNERS.get((version, kind))
    owner = snapshot.informers.of(resource).get(f"{shape.namespace}/{name}") if resource else None
    return owner["spec"].get("selector") if owner is not None else None


class _Counts:
    """How many Pods of each node the system's defaults count for one shape, up to some change of the cache.

    The defaults spread softly over hosts (maxSkew 3) and zones (maxSkew 5), whatever the nodes' taints.
    """

    __slots__ = (
        "_eligible",
        "_generation",
        "_hosts",
        "_position",
        "_zones",
        "counts",
        "matches",
        "selector",
        "shape",
        "source",
    )

    def __init__(self, source: tuple[int, JSON | None], selector: Any, shape: Shape) -> None:
        self.source = source
        """What the selector was made of: the Services' version, the owner's selector."""
        self.selector = selector
        self.shape = shape
        self.matches = matcher(shape.namespace, selector)
        self.counts: list[int] = []
        self._hosts: list[bool] = []
        self._zones: list[str | None] = []
        self._eligible: list[bool] = []
        """Whether the Pods of that node count in its zone: the Pod's node affinity is honoured."""
        self._generation = -1
        self._position = 0

    def refresh(self, cache: Cache) -> None:
        """Counts anew on the nodes that changed."""
        nodes = cache.snapshot.nodes
        if self._generation != cache.generation:
            self.counts = [0] * len(nodes)
            self._hosts = [HOST in node.labels for node in nodes]
            self._zones = [node.labels.get(ZONE) for node in nodes]
            required = self.shape.required_nodes
            self._eligible = [required.matches(node.labels, node.name) for node in nodes]
        for index in cache.changes(self._generation, self._position):
            self.counts[index] = nodes[index].matching(self.matches)
        self._generation, self._position = cache.generation, cache.position

    def totals(self, nodes: list[NodeInfo]) -> list[float]:
        """The raw score of each node of the cluster; ``nodes`` are those that are left."""
        weight = _log(len(nodes) + 2)
        totals = [
            count * weight + 2 if host else 0.0 for count, host in zip(self.counts, self._hosts, strict=True)
        ]
        zones = dict.fromkeys([self._zones[node.index] for node in nodes], 0)
        zones.pop(None, None)
        if zones:
            for count, zone, counts in zip(self.counts, self._zones, self._eligible, strict=True):
                if count and counts and zone in zones:
                    zones[zone] += count
            weight = _log(len(zones) + 2)
            for index, zone in enumerate(self._zones):
                if zone in zones:
                    totals[index] += zones[zone] * weight + 4
        return totals


@lru_cache(maxsize=1024)
def _log(number: int) -> float:
    """The natural logarithm, the same on every machine."""
    return float(Decimal(number).ln())


def _labels(obj: JSON) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


class PodTopologySpread(Plugin):
    """DoNotSchedule constraints refuse, ScheduleAnyway constraints (and the defaults) score."""

    name = "PodTopologySpread"
    weight = 2

    def __init__(self, handle: Handle, args: JSON) -> None:
        super().__init__(handle, args)
        self._defaults: list[JSON] = args.get("defaultConstraints") or []
        self._system: bool = args["defaultingType"] == "System"
        self._services = 0
        """Counts changes of Services."""
        self._kept: dict[int, _Counts] = {}
        handle.informers.of("services").on(
            self._service_changed, self._service_changed, self._service_changed
        )

    def _service_changed(self, _what: JSON | Change) -> None:
        self._services += 1

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest("Pod", (ADD, POD_LABEL, POD_TOLERATION, DELETE), self._pod_matters),
            Interest("Node", (ADD, DELETE, NODE_LABEL, NODE_TAINT), self._node_matters),
        )

    def _pod_matters(self, pod: PodInfo, event: Event) -> bool:
        """A placed Pod of the namespace whose coming, going or labels change what a constraint counts."""
        shape = pod.shape
        changed = [obj for obj in (event.old, event.new) if obj is not None]
        own = any(obj["metadata"]["uid"] == pod.uid for obj in changed)
        if not own and any(
            not obj["spec"].get("nodeName") or obj["metadata"].get("namespace") != shape.namespace
            for obj in changed
        ):
            return False
        constraints = self._constraints(shape, hard=True)
        if own:
            # Its own labels are counted, and its tolerations where constraints honour taints.
            return any(
                c.honor_taints or len({bool(c.selector.matches(_labels(obj))) for obj in changed}) > 1
                for c in constraints
            )
        if event.old is not None and event.new is not None:
            return any(
                bool(c.selector.matches(_labels(event.old))) != bool(c.selector.matches(_labels(event.new)))
                for c in constraints
            )
        return any(c.selector.matches(_labels(changed[0])) for c in constraints)

    def _node_matters(self, pod: PodInfo, event: Event) -> bool:
        """A node that has all the keys, before or after: its Pods begin or cease to count."""
        constraints = self._constraints(pod.shape, hard=True)
        old, new = (
            all(c.key in _labels(obj) for c in constraints) if obj is not None else False
            for obj in (event.old, event.new)
        )
        if event.old is None or event.new is None or old != new:
            return old or new
        if not new:
            return False
        return any(
            _labels(event.old)[c.key] != _labels(event.new)[c.key] or c.honor_taints for c in constraints
        )

    def _constraints(self, shape: Shape, hard: bool) -> list[Constraint]:
        """The Pod's own constraints; the profile's for the Pods of its Services and its controller, if it has none."""
        if shape.spread:
            return _parse(shape, hard)
        defaults = _of_kind(self._defaults, hard)
        selector = default_selector(shape, self.handle.cache.snapshot) if defaults else None
        return [_constraint(each, selector) for each in defaults] if selector is not None else []

    def _eligible(self, pod: PodInfo, node: NodeInfo, constraint: Constraint) -> bool:
        shape = pod.shape
        if constraint.honor_affinity and not shape.required_nodes.matches(node.labels, node.name):
            return False
        if constraint.honor_taints:
            return untolerated(node.taints, shape.tolerations) is None
        return True

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Skip | None:
        constraints = self._constraints(pod.shape, hard=True)
        if not constraints:
            return SKIP
        hard: list[_Hard] = []
        state.slots[self.name] = hard
        for constraint in constraints:
            entry = _Hard(constraint)
            matches = matcher(pod.shape.namespace, constraint.selector)
            for node in snapshot.nodes:
                # A node counts only when it has the keys of all constraints.
                if any(c.key not in node.labels for c in constraints) or not self._eligible(
                    pod, node, constraint
                ):
                    continue
                value = node.labels[constraint.key]
                count = node.matching(matches)
                entry.counts[value] = entry.counts.get(value, 0) + count
            entry.least = min(entry.counts.values(), default=0)
            if len(entry.counts) < constraint.min_domains:
                entry.least = 0
            entry.matches_itself = int(constraint.selector.matches(pod.shape.labels))
            hard.append(entry)
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        for entry in state.slots[self.name]:
            value = node.labels.get(entry.constraint.key)
            if value is None:
                return _NO_LABEL
            skew = entry.counts.get(value, 0) + entry.matches_itself - entry.least
            if skew > entry.constraint.max_skew:
                return _REFUSAL
        return None

    # ---- scores ----------------------------------------------------------------------------------------

    def pre_score(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, nodes: list[NodeInfo]
    ) -> Skip | None:
        shape = pod.shape
        if self._system and not shape.spread:
            kept = self._default(shape, snapshot)
            if kept is None:
                return SKIP
            state.slots[f"{self.name}/score"] = (kept.totals(nodes), ())
            return None
        constraints = self._constraints(shape, hard=False)
        if not constraints:
            return SKIP
        keys = [c.key for c in constraints]
        ignored = {n.name for n in nodes if any(k not in n.labels for k in keys)}
        left = [n for n in nodes if n.name not in ignored]
        totals = [0.0] * len(snapshot.nodes)
        for constraint in constraints:
            matches = matcher(shape.namespace, constraint.selector)
            counts: dict[str, int] = {}
            if constraint.key == HOST:
                counts = {n.labels[HOST]: n.matching(matches) for n in left}
                weight = _log(len(left) + 2)
            else:
                counts = dict.fromkeys([n.labels[constraint.key] for n in left], 0)
                for node in snapshot.nodes:
                    value = node.labels.get(constraint.key)
                    if value not in counts or any(k not in node.labels for k in keys):
                        continue
                    if self._eligible(pod, node, constraint):
                        counts[value] += node.matching(matches)
                weight = _log(len(counts) + 2)
            for node in left:
                count = counts[node.labels[constraint.key]]
                totals[node.index] += count * weight + constraint.max_skew - 1
        state.slots[f"{self.name}/score"] = (totals, ignored)
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        totals, ignored = state.slots[f"{self.name}/score"]
        return 0 if node.name in ignored else round(totals[node.index])

    def scores(self, state: CycleState, pod: PodInfo, nodes: list[NodeInfo]) -> list[int]:
        totals, ignored = state.slots[f"{self.name}/score"]
        if ignored:
            return [self.score(state, pod, node) for node in nodes]
        return [round(totals[node.index]) for node in nodes]

    def _default(self, shape: Shape, snapshot: Snapshot) -> _Counts | None:
        """What the system's defaults count for that shape: its Services' and its controller's Pods."""
        source = (self._services, _owner_selector(shape, snapshot))
        kept = self._kept.get(shape.id)
        if kept is None or kept.source[0] != source[0] or kept.source[1] is not source[1]:
            if len(self._kept) >= COUNTS_KEPT:
                self._kept.clear()
            kept = self._kept[shape.id] = _Counts(source, default_selector(shape, snapshot), shape)
        if kept.selector is None:
            return None
        kept.refresh(self.handle.cache)
        return kept

    def normalize(self, state: CycleState, nodes: list[NodeInfo], scores: list[int]) -> list[int]:
        ignored = state.slots[f"{self.name}/score"][1]
        if not ignored and scores:
            least, most = min(scores), max(scores)
            return [100 * (most + least - s) // most for s in scores] if most else [100] * len(scores)
        names = [node.name for node in nodes]
        kept = [s for s, name in zip(scores, names, strict=True) if name not in ignored]
        least, most = min(kept, default=0), max(kept, default=0)
        return [
            0 if name in ignored else 100 if most == 0 else 100 * (most + least - s) // most
            for s, name in zip(scores, names, strict=True)
        ]
