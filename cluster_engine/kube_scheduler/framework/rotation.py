"""How many nodes are looked at for one Pod, and with which the search begins.

Models pkg/scheduler/schedule_one.go (numFeasibleNodesToFind, nextStartNodeIndex) and backend/cache/node_tree.go.
"""

from __future__ import annotations

from itertools import zip_longest

from cluster_engine.kube_scheduler.framework.cache import Cache
from cluster_engine.kube_scheduler.framework.types import NodeInfo

MIN_FEASIBLE = 100
"""Nodes that can do which are enough at the least (minFeasibleNodesToFind)."""
MIN_PERCENTAGE = 5
"""Of a very large cluster's nodes, where nobody says how many are enough (minFeasibleNodesPercentageToFind)."""
_ZONE, _REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"


def enough(nodes: int, percentage: int) -> int:
    """How many nodes that can do end the search, of so many; 0 %: the larger the cluster, the smaller its part."""
    if nodes < MIN_FEASIBLE:
        return nodes
    percentage = percentage or max(50 - nodes // 125, MIN_PERCENTAGE)
    return max(nodes * percentage // 100, MIN_FEASIBLE)


def interleaved(nodes: list[NodeInfo]) -> list[int]:
    """The places of the nodes, from each zone in turn, so that a part of them is of all zones."""
    zones: dict[tuple[str, str], list[int]] = {}
    for place, node in enumerate(nodes):
        zones.setdefault((node.labels.get(_REGION, ""), node.labels.get(_ZONE, "")), []).append(place)
    return [place for row in zip_longest(*zones.values()) for place in row if place is not None]


class Rotation:
    """Where the next search begins, so that all nodes have their turn; one for all profiles."""

    def __init__(self) -> None:
        self.start = 0
        self._order: list[int] = []
        self._generation = -1

    def places(self, cache: Cache) -> list[int]:
        """All places of ``cache.snapshot.nodes``, beginning with the one whose turn it is."""
        if self._generation != cache.generation:
            self._order, self._generation = interleaved(cache.snapshot.nodes), cache.generation
        start = self.start % len(self._order)
        return self._order[start:] + self._order[:start]

    def advance(self, looked_at: int) -> None:
        """After a search that looked at so many."""
        self.start = (self.start + looked_at) % len(self._order)
