"""What a Pod has on its node's disk. Pure. Models pkg/kubelet/stats (the ephemeral storage of a Pod)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.registry import Registry
from cluster_engine.container_runtime.trees import image_tree
from cluster_engine.kubelet.record import PodRecord
from cluster_engine.linux.files import tree


def stored(
    registry: Registry, record: PodRecord, pod: JSON, look: Callable[[str], dict[str, Any] | None]
) -> tuple[dict[str, int], dict[str, int]]:
    """Bytes of each container (its own files and its log), and of each emptyDir that is not memory.

    ``look`` gives the tree of a volume, and as ``root/ID`` that of a container; None: nothing is there.
    """
    containers = {
        name: max(_bytes(look(f"root/{container.id}")) - _of_image(registry, container.image), 0)
        + container.log.size
        for name, container in record.containers.items()
    }
    empty = (volume for volume in pod["spec"].get("volumes") or () if volume.get("emptyDir") is not None)
    volumes = {
        volume["name"]: _bytes(look(volume["name"]))
        for volume in empty
        if volume["emptyDir"].get("medium") != "Memory"
    }
    return containers, volumes


def _bytes(root: dict[str, Any] | None) -> int:
    return tree.measure(root)[1] if root is not None else 0


@lru_cache(maxsize=256)
def _of_image(registry: Registry, reference: str) -> int:
    return tree.measure(image_tree(registry, reference))[1]
