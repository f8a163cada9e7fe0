"""Prefers nodes whose CPU and memory fill evenly. Models plugins/noderesources/balanced_allocation.go."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import NodeInfo, Shape, ShapePlugin


class NodeResourcesBalancedAllocation(ShapePlugin):
    """100 when the same share of CPU and of memory is requested, less the further they are apart."""

    name = "NodeResourcesBalancedAllocation"

    def applies(self, shape: Shape) -> bool:
        return not shape.best_effort

    def score_shape(self, shape: Shape, node: NodeInfo) -> int:
        if not node.cpu or not node.memory:
            return 0
        requested = node.requested
        cpu = min((requested.get("cpu", 0) + shape.cpu) / node.cpu, 1.0)
        memory = min((requested.get("memory", 0) + shape.memory) / node.memory, 1.0)
        # The standard deviation of two fractions is half their distance.
        return int((1 - abs(cpu - memory) / 2) * 100)
