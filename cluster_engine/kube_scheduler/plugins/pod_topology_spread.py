"""Spreads Pods over nodes and zones. Models plugins/podtopologyspread.

Pods without constraints of their own get the system's defaults, soft ones over hosts and zones, when a
Service or their controller tells which Pods belong together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cluster_engine.apimachinery import labels
from cluster_engine.component_helpers.tolerations import untolerated
from cluster_engine.kube_scheduler.framework import (
    CycleState,
    NodeInfo,
    Plugin,
    PodInfo,
    Refusal,
    Shape,
    Snapshot,
    resolvable,
    unresolvable,
)

HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
_REFUSAL = resolvable("node(s) didn't match pod topology spread constraints")
_NO_LABEL = unresolvable("node(s) didn't match pod topology spread constraints (missing required label)")
_OWNERS = {
    ("ReplicaSet", "apps/v1"): "replicasets.apps",
    ("StatefulSet", "apps/v1"): "statefulsets.apps",
    ("ReplicationController", "v1"): "replicationcontrollers",
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
    parsed = []
    for item in shape.spread:
        if (item.get("whenUnsatisfiable") == "DoNotSchedule") != hard:
            continue
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
        parsed.append(
            Constraint(
                item["topologyKey"],
                item.get("maxSkew", 1),
                labels.compile_selector(selector),
                item.get("minDomains") or 1,
                item.get("nodeAffinityPolicy", "Honor") == "Honor",
                item.get("nodeTaintsPolicy", "Ignore") == "Honor",
            )
        )
    return parsed


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
    if shape.owner is not None:
        resource = _OWNERS.get((shape.owner["kind"], shape.owner["apiVersion"]))
        owner = (
            snapshot.informers.of(resource).get(f"{shape.namespace}/{shape.owner['name']}")
            if resource
            else None
        )
        if owner is not None:
            selector = owner["spec"].get("selector")
            if resource == "replicationcontrollers":
                parts.append(labels.selector_of_map(selector))
            else:
                parts.append(labels.compile_selector(selector))
    return _Both(parts) if parts else None


class PodTopologySpread(Plugin):
    """DoNotSchedule constraints refuse, ScheduleAnyway constraints (and the defaults) score."""

    name = "PodTopologySpread"
    scope = "cluster"
    weight = 2
    normalized = True
    events = ("node/add", "node/labels", "node/taints", "pod/added", "pod/deleted", "pod/updated")

    def _eligible(self, pod: PodInfo, node: NodeInfo, constraint: Constraint) -> bool:
        shape = pod.shape
        if constraint.honor_affinity and not shape.required_nodes.matches(node.labels, node.name):
            return False
        if constraint.honor_taints:
            return untolerated(node.taints, shape.tolerations) is None
        return True

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> Refusal | None:
        hard: list[_Hard] = []
        state.slots[self.name] = hard
        if not pod.shape.spread:
            state.nothing[self.name] = None
            return None
        constraints = _parse(pod.shape, hard=True)
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

    def pre_score(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, nodes: list[NodeInfo]) -> bool:
        if len(nodes) < 2:
            return False
        shape = pod.shape
        require_all = True
        if shape.spread:
            constraints = _parse(shape, hard=False)
        else:
            selector = default_selector(shape, snapshot)
            if selector is None:
                return False
            constraints = [Constraint(HOST, 3, selector), Constraint(ZONE, 5, selector)]
            require_all = False
        if not constraints:
            return False
        keys = [c.key for c in constraints]
        ignored = {n.name for n in nodes if require_all and any(k not in n.labels for k in keys)}
        left = [n for n in nodes if n.name not in ignored]
        by_selector: dict[int, list[int]] = {}
        counts: list[tuple[str, int, dict[str, int]]] = []
        weights: list[float] = []
        for constraint in constraints:
            # Per node, once per selector: the defaults share theirs.
            selected = by_selector.get(id(constraint.selector))
            if selected is None:
                matches = matcher(shape.namespace, constraint.selector)
                selected = by_selector[id(constraint.selector)] = [
                    n.matching(matches) for n in snapshot.nodes
                ]
            pairs: dict[str, int] = {}
            if constraint.key == HOST:
                pairs = {n.labels[HOST]: selected[n.index] for n in left if HOST in n.labels}
                weights.append(math.log(len(left) + 2))
            else:
                pairs = dict.fromkeys(
                    [n.labels[constraint.key] for n in left if constraint.key in n.labels], 0
                )
                for node in snapshot.nodes:
                    value = node.labels.get(constraint.key)
                    if value not in pairs or (require_all and any(k not in node.labels for k in keys)):
                        continue
                    if selected[node.index] and self._eligible(pod, node, constraint):
                        pairs[value] += selected[node.index]
                weights.append(math.log(len(pairs) + 2))
            counts.append((constraint.key, constraint.max_skew - 1, pairs))
        state.slots[f"{self.name}/score"] = (list(zip(counts, weights, strict=True)), ignored)
        state.slots[f"{self.name}/names"] = [n.name for n in nodes]
        return True

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        counts, ignored = state.slots[f"{self.name}/score"]
        if node.name in ignored:
            return 0
        total = 0.0
        labels_of = node.labels
        for (key, skew, pairs), weight in counts:
            value = labels_of.get(key)
            if value is not None:
                total += pairs.get(value, 0) * weight + skew
        return round(total)

    def normalize(self, state: CycleState, scores: list[int]) -> list[int]:
        ignored = state.slots[f"{self.name}/score"][1]
        names: list[str] = state.slots[f"{self.name}/names"]
        kept = [s for s, name in zip(scores, names, strict=True) if name not in ignored]
        least, most = min(kept, default=0), max(kept, default=0)
        return [
            0 if name in ignored else 100 if most == 0 else 100 * (most + least - s) // most
            for s, name in zip(scores, names, strict=True)
        ]
