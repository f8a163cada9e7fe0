"""Pods that wait for Pods to leave the node which was made free for them, and hold its room meanwhile.

Derived from ``status.nominatedNodeName`` of the Pods without a node; nothing here is saved.

Models pkg/scheduler/backend/queue/nominator.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.kube_scheduler.framework.types import PodInfo


def nominated_node(pod: JSON) -> str:
    """The node that was promised to the Pod; "" when none was."""
    name: str = (pod.get("status") or {}).get("nominatedNodeName") or ""
    return name


class Nominator:
    """Who waits for which node."""

    def __init__(self) -> None:
        self._node_of: dict[str, str] = {}
        self._by_node: dict[str, dict[str, PodInfo]] = {}

    def __bool__(self) -> bool:
        return bool(self._node_of)

    def update(self, info: PodInfo) -> None:
        """Takes over what the Pod's status says."""
        self.remove(info.key)
        name = nominated_node(info.pod)
        if name:
            self._node_of[info.key] = name
            self._by_node.setdefault(name, {})[info.key] = info

    def remove(self, key: str) -> None:
        """The Pod has a node, or is gone."""
        name = self._node_of.pop(key, None)
        if name is not None:
            pods = self._by_node[name]
            del pods[key]
            if not pods:
                del self._by_node[name]

    def on(self, node: str) -> list[PodInfo]:
        """The Pods that wait for that node, by key."""
        return [info for _key, info in sorted(self._by_node.get(node, {}).items())]

    def before(self, pod: PodInfo, node: str) -> list[PodInfo]:
        """Those whose claim on the node goes before that Pod's: of its priority or more."""
        priority = pod.shape.priority
        waiting = self._by_node.get(node)
        if not waiting:
            return []
        return [i for i in self.on(node) if i.key != pod.key and i.shape.priority >= priority]

    def share(self, other: Nominator) -> None:
        """Takes over what ``other`` knows."""
        self._node_of = other._node_of.copy()
        self._by_node = {node: pods.copy() for node, pods in other._by_node.items()}

    def clear(self) -> None:
        self._node_of.clear()
        self._by_node.clear()
