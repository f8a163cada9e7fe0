"""The scheduler's view of the nodes, kept up to date by informer events.

Nothing here is saved: ``rebuild`` makes the same view from the store. Models pkg/scheduler/backend/cache.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.component_helpers.pod_phase import is_finished
from cluster_engine.kube_scheduler.framework.shape import Shapes
from cluster_engine.kube_scheduler.framework.types import NodeInfo, PodInfo, Snapshot

LOG_KEPT = 4_096
"""Changes of nodes that are remembered; whoever asks after more than that starts anew."""


class Cache:
    """Nodes ordered by name, the Pods on each, and a log of which node changed when."""

    def __init__(self, informers: SharedInformerFactory) -> None:
        self.informers = informers
        self.shapes = Shapes()
        self.snapshot = Snapshot([], informers)
        self.names: tuple[str, ...] = ()
        """The names of ``snapshot.nodes``; the same tuple until the list changes."""
        self._by_name: dict[str, NodeInfo] = {}
        self._homeless: dict[str, dict[str, PodInfo]] = {}
        """Pods bound to nodes that are not there (yet)."""
        self.generation = 0
        """Counts changes of the list of nodes or of a Node object; kept answers about nodes end with it."""
        self.log: list[int] = []
        """Indexes of nodes whose Pods changed, in order."""
        self.log_start = 0

    @property
    def position(self) -> int:
        """How many changes of Pods there have been."""
        return self.log_start + len(self.log)

    def changes(self, generation: int, position: int) -> Sequence[int]:
        """The nodes whose Pods changed since; every node when the nodes changed, or it is too long ago."""
        if generation != self.generation or position < self.log_start:
            return range(len(self.names))
        return list(dict.fromkeys(self.log[position - self.log_start :]))

    def rebuild(self) -> None:
        """Reads everything anew from the informers."""
        self._by_name.clear()
        self._homeless.clear()
        self.snapshot.nodes = []
        self._renumber()
        for node in self.informers.of("nodes").list():
            self.add_node(node)
        for pod in self.informers.of("pods").list():
            if pod["spec"].get("nodeName"):
                self.add_pod(pod)

    def share(self, other: Cache) -> None:
        """Takes over the view of ``other``: Pods and shapes by reference, they are replaced and never changed."""
        self.shapes = other.shapes
        self.snapshot.nodes = [node.copy() for node in other.snapshot.nodes]
        self._by_name = {node.name: node for node in self.snapshot.nodes}
        self._homeless = {name: pods.copy() for name, pods in other._homeless.items()}
        self._renumber()

    def info(self, pod: JSON) -> PodInfo:
        """That Pod with its shape."""
        return PodInfo(pod, self.shapes)

    def node(self, name: str) -> NodeInfo | None:
        """The node of that name."""
        return self._by_name.get(name)

    def add_node(self, node: JSON) -> None:
        info = self._by_name[node["metadata"]["name"]] = NodeInfo(node)
        insort(self.snapshot.nodes, info, key=lambda n: n.name)
        for pod in self._homeless.pop(info.name, {}).values():
            info.add(pod)
        self._renumber()

    def remove_node(self, name: str) -> None:
        info = self._by_name.pop(name, None)
        if info is not None:
            self.snapshot.nodes.remove(info)
            if info.pods:
                self._homeless[name] = dict(info.pods)
            self._renumber()

    def update_node(self, new: JSON) -> None:
        """Takes over a new Node object."""
        info = self._by_name[new["metadata"]["name"]]
        before = info.labels, info.taints, info.unschedulable, info.allocatable
        info.set_node(new)
        if before != (info.labels, info.taints, info.unschedulable, info.allocatable):
            self.generation += 1

    def add_pod(self, pod: JSON) -> bool:
        """Counts a Pod on its node; False when it holds nothing there."""
        if is_finished(pod):
            return False
        info = self.info(pod)
        name = pod["spec"]["nodeName"]
        node = self._by_name.get(name)
        if node is None:
            self._homeless.setdefault(name, {})[info.key] = info
            return True
        if info.key in node.pods:
            node.remove(info.key)
        node.add(info)
        self._changed(node)
        return True

    def remove_pod(self, pod: JSON) -> bool:
        """Takes a Pod off its node; False when it was not counted."""
        key, name = key_of(pod), pod["spec"]["nodeName"]
        node = self._by_name.get(name)
        if node is None:
            homeless = self._homeless.get(name, {})
            found = homeless.pop(key, None) is not None
            if not homeless:
                self._homeless.pop(name, None)
            return found
        if key not in node.pods:
            return False
        node.remove(key)
        self._changed(node)
        return True

    def update_pod(self, old: JSON, new: JSON) -> bool:
        """Takes over a new version of a placed Pod; False when it holds nothing on its node any more."""
        if is_finished(new):
            self.remove_pod(new)
            return False
        meta, was = new["metadata"], old["metadata"]
        if (
            old["spec"] is new["spec"]
            and meta.get("labels") == was.get("labels")
            and ("deletionTimestamp" in meta) == ("deletionTimestamp" in was)
        ):
            node = self._by_name.get(new["spec"]["nodeName"])
            info = node.pods.get(key_of(new)) if node is not None else None
            if node is not None and info is not None:
                node.replace(info.updated(new))
                return True
        return self.add_pod(new)

    def _changed(self, node: NodeInfo) -> None:
        self.log.append(node.index)
        if len(self.log) > LOG_KEPT:
            # Whoever is further behind than this starts anew.
            drop = len(self.log) // 2
            del self.log[:drop]
            self.log_start += drop

    def _renumber(self) -> None:
        for index, info in enumerate(self.snapshot.nodes):
            info.index = index
        self.names = tuple(info.name for info in self.snapshot.nodes)
        self.generation += 1
