"""Prefers nodes that already have the Pod's images. Models plugins/imagelocality."""

from __future__ import annotations

from functools import lru_cache

from cluster_engine.kube_scheduler.framework import (
    SKIP,
    CycleState,
    NodeInfo,
    Plugin,
    PodInfo,
    Skip,
    Snapshot,
)

_MB = 1024 * 1024
_MIN = 23 * _MB
_MAX_PER_CONTAINER = 1000 * _MB


@lru_cache(maxsize=512)
def full_name(image: str) -> str:
    """The image as nodes list it: with registry and tag."""
    first, slash, rest = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif not ("." in first or ":" in first or first == "localhost"):
        image = f"docker.io/{first}/{rest}"
    return image if ":" in image.rsplit("/", 1)[-1] or "@" in image else f"{image}:latest"


class ImageLocality(Plugin):
    """Bytes that need no pull, weighed by how many nodes have the image; nothing below 23 MB."""

    name = "ImageLocality"
    extends = ("score",)

    def pre_score(
        self, state: CycleState, pod: PodInfo, snapshot: Snapshot, nodes: list[NodeInfo]
    ) -> Skip | None:
        images = [
            c.get("image") or ""
            for c in [*(pod.pod["spec"].get("initContainers") or ()), *pod.pod["spec"]["containers"]]
        ]
        found = []
        for image in images:
            name = full_name(image)
            sizes = {node.name: node.images[name] for node in snapshot.nodes if name in node.images}
            if sizes:
                found.append((sizes, len(sizes) / len(snapshot.nodes)))
        if not found:
            return SKIP
        state.slots[self.name] = (found, len(images))
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        found, containers = state.slots[self.name]
        total = sum(int(sizes[node.name] * spread) for sizes, spread in found if node.name in sizes)
        highest = _MAX_PER_CONTAINER * containers
        total = min(max(total, _MIN), highest)
        return int(100 * (total - _MIN) // (highest - _MIN))
