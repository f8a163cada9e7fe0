"""Refuses nodes without room; prefers those with the most, or the least, as the scoring strategy says.

Models plugins/noderesources/{fit,least_allocated,most_allocated,requested_to_capacity_ratio}.go.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.requests import amounts
from cluster_engine.kube_scheduler.framework import (
    Event,
    Handle,
    Interest,
    NodeInfo,
    PodInfo,
    Refusal,
    Shape,
    ShapePlugin,
)
from cluster_engine.kube_scheduler.framework.events import ADD, DELETE, NODE_ALLOCATABLE, POD_SCALE_DOWN

_TOO_MANY = "Too many pods"


@lru_cache(maxsize=512)
def _refusal(reasons: tuple[str, ...], can_help: bool) -> Refusal:
    return Refusal(reasons, can_help)


class NodeResourcesFit(ShapePlugin):
    """Requests must fit into what is allocatable; scored by LeastAllocated over CPU and memory by default."""

    name = "NodeResourcesFit"
    extends = ("preFilter", "filter", "preScore", "score")

    def __init__(self, handle: Handle, args: JSON) -> None:
        super().__init__(handle, args)
        self._ignored = frozenset(args.get("ignoredResources") or ())
        self._ignored_groups = frozenset(args.get("ignoredResourceGroups") or ())
        strategy = args["scoringStrategy"]
        self._resources = tuple((each["name"], each["weight"]) for each in strategy["resources"])
        self._score = _SCORES[strategy["type"]](strategy)
        self._of_scored_only = strategy["type"] == RATIO

    def events(self) -> tuple[Interest, ...]:
        return (
            Interest("Pod", (DELETE, POD_SCALE_DOWN), _frees_room),
            Interest("Node", (ADD, NODE_ALLOCATABLE), _has_room_now),
        )

    def filter_shape(self, shape: Shape, node: NodeInfo) -> Refusal | None:
        reasons: list[str] = []
        can_help = True
        if len(node.pods) + 1 > node.allowed_pods:
            reasons.append(_TOO_MANY)
        allocatable, requested = node.allocatable, node.requested
        for name, amount in shape.requests.items():
            if amount <= 0 or ("/" in name and self._is_ignored(name)):
                continue
            have = allocatable.get(name, 0)
            if amount > have - requested.get(name, 0):
                reasons.append(f"Insufficient {name}")
                # More than the whole node holds: no eviction makes room.
                can_help = can_help and amount <= have
        return _refusal(tuple(reasons), can_help) if reasons else None

    def _is_ignored(self, name: str) -> bool:
        """Whether somebody else looks after that extended resource."""
        return name in self._ignored or name.split("/", 1)[0] in self._ignored_groups

    def score_shape(self, shape: Shape, node: NodeInfo) -> int:
        total = weights = 0
        for name, weight in self._resources:
            have, used = usage(shape, node, name)
            if not have:
                continue
            score = self._score(used, have)
            if score or not self._of_scored_only:
                total += score * weight
                weights += weight
        if not weights:
            return 0
        return (2 * total + weights) // (2 * weights) if self._of_scored_only else total // weights


LEAST, MOST, RATIO = "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"


def _least_allocated(used: int, have: int) -> int:
    return (have - used) * 100 // have if used <= have else 0


def _most_allocated(used: int, have: int) -> int:
    return min(used, have) * 100 // have


def _ratio(shape: list[tuple[int, int]], used: int, have: int) -> int:
    """The score at that utilization on the line through the points."""
    share = min(used * 100 // have, 100)
    before = shape[0]
    for point in shape:
        if share <= point[0]:
            width, height = point[0] - before[0], point[1] - before[1]
            if not width:
                return point[1]
            # As Go divides: towards zero.
            step = abs(height) * (share - before[0]) // width
            return before[1] + (step if height >= 0 else -step)
        before = point
    return before[1]


def _ratio_of(strategy: JSON) -> Callable[[int, int], int]:
    points = strategy["requestedToCapacityRatio"]["shape"]
    # The configuration scores from 0 to 10, nodes from 0 to 100.
    return partial(_ratio, [(p.get("utilization") or 0, 10 * (p.get("score") or 0)) for p in points])


_SCORES: dict[str, Callable[[JSON], Callable[[int, int], int]]] = {
    LEAST: lambda _strategy: _least_allocated,
    MOST: lambda _strategy: _most_allocated,
    RATIO: _ratio_of,
}
"""Every type of scoring strategy: what becomes of (used, allocatable)."""


def usage(shape: Shape, node: NodeInfo, name: str, as_asked: bool = False) -> tuple[int, int]:
    """What the node has of a resource, and what would be used with the Pod; (0, 0) of one that does not concern it.

    A container that asks for no CPU or no memory counts with the usual small amounts, unless ``as_asked``.
    """
    if name == "cpu":
        return node.cpu, node.requested.get(
            name, 0
        ) + shape.cpu if as_asked else node.nonzero_cpu + shape.nonzero_cpu
    if name == "memory":
        return (
            node.memory,
            node.requested.get(name, 0) + shape.memory
            if as_asked
            else node.nonzero_memory + shape.nonzero_memory,
        )
    asked = shape.requests.get(name, 0)
    if not asked and name != "ephemeral-storage":
        return 0, 0
    return node.allocatable.get(name, 0), node.requested.get(name, 0) + asked


def _frees_room(pod: PodInfo, event: Event) -> bool:
    """A Pod that held room is gone; or the Pod itself, or one on a node, asks for less."""
    return event.new is not None or bool(event.old and event.old["spec"].get("nodeName"))


def _has_room_now(pod: PodInfo, event: Event) -> bool:
    """The node, were it empty, would hold the Pod; and it grew, if it is not new."""
    if event.new is None:
        return False
    have = _allocatable(event.new)
    if have.get("pods", 0) < 1 or any(have.get(n, 0) < wanted for n, wanted in pod.shape.requests.items()):
        return False
    if event.old is None:
        return True
    had = _allocatable(event.old)
    grown = have.get("pods", 0) > had.get("pods", 0)
    return grown or any(have.get(n, 0) > had.get(n, 0) for n, wanted in pod.shape.requests.items() if wanted)


def _allocatable(node: JSON) -> dict[str, int]:
    status = node.get("status") or {}
    return amounts(status.get("allocatable") or status.get("capacity"))
