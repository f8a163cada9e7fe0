"""Prefers nodes whose CPU and memory fill evenly. Models plugins/noderesources/balanced_allocation.go."""

from __future__ import annotations

import math

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.framework import Handle, NodeInfo, Shape, ShapePlugin
from cluster_engine.kube_scheduler.plugins.node_resources_fit import usage


class NodeResourcesBalancedAllocation(ShapePlugin):
    """100 when the same share of each resource is requested, less the further they are apart."""

    name = "NodeResourcesBalancedAllocation"
    extends = ("preScore", "score")

    def __init__(self, handle: Handle, args: JSON) -> None:
        super().__init__(handle, args)
        self._resources: tuple[str, ...] = tuple(each["name"] for each in args["resources"])

    def applies(self, shape: Shape) -> bool:
        return any(shape.requests.get(name) for name in self._resources)

    def score_shape(self, shape: Shape, node: NodeInfo) -> int:
        shares = []
        for name in self._resources:
            have, used = usage(shape, node, name, as_asked=True)
            if have:
                shares.append(min(used / have, 1.0))
        return int((1 - _deviation(shares)) * 100)


def _deviation(shares: list[float]) -> float:
    """The standard deviation; of two fractions it is half their distance."""
    if len(shares) < 2:
        return 0.0
    if len(shares) == 2:
        return abs(shares[0] - shares[1]) / 2
    mean = sum(shares) / len(shares)
    return math.sqrt(sum((share - mean) * (share - mean) for share in shares) / len(shares))
