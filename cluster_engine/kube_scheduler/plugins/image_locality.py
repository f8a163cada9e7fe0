"""Prefers nodes that already have the Pod's images. Models plugins/imagelocality."""

from __future__ import annotations

from cluster_engine.kube_scheduler.framework import CycleState, NodeInfo, Plugin, PodInfo, Snapshot

_MB = 1024 * 1024
_MIN = 23 * _MB
_MAX_PER_CONTAINER = 1000 * _MB


def normalized(image: str) -> str:
    """The image with a tag."""
    return image if ":" in image.rsplit("/", 1)[-1] or "@" in image else f"{image}:latest"


class ImageLocality(Plugin):
    """Bytes that need no pull, weighed by how many nodes have the image; nothing below 23 MB."""

    name = "ImageLocality"
    scope = "cluster"
    weight = 1
    filters = False

    def pre_score(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, nodes: list[NodeInfo]) -> bool:
        images = [
            normalized(c.get("image") or "")
            for c in [*(pod.pod["spec"].get("initContainers") or ()), *pod.pod["spec"]["containers"]]
        ]
        having: dict[str, dict[str, int]] = {}
        for node in snapshot.nodes:
            listed = (node.node.get("status") or {}).get("images")
            for image in listed or ():
                for name in image.get("names") or ():
                    having.setdefault(name, {})[node.name] = image.get("sizeBytes") or 0
        found = [(having[i], len(having[i]) / len(snapshot.nodes)) for i in images if i in having]
        if not found:
            return False
        state.slots[self.name] = (found, len(images))
        return True

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        found, containers = state.slots[self.name]
        total = sum(int(sizes[node.name] * spread) for sizes, spread in found if node.name in sizes)
        highest = _MAX_PER_CONTAINER * containers
        total = min(max(total, _MIN), highest)
        return int(100 * (total - _MIN) // (highest - _MIN))
