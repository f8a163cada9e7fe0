"""When a node is short of something, and which of its Pods has to go. Pure.

Models pkg/kubelet/eviction (helpers.go, eviction_manager.go) and pkg/kubelet/images/image_gc_manager.go with the
default thresholds, on nodes whose images, containers and volumes lie on one disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.qos import qos_class
from cluster_engine.component_helpers.tolerations import untolerated
from cluster_engine.kubelet.record import is_critical
from cluster_engine.sim import SECOND

MEMORY_PRESSURE, DISK_PRESSURE = "MemoryPressure", "DiskPressure"
MEMORY, STORAGE = "memory", "ephemeral-storage"
"""What is reclaimed."""
TRANSITION = 300 * SECOND
"""A condition stays for so long after its reason was last seen (evictionPressureTransitionPeriod)."""
_MEMORY_AVAILABLE = 100 << 20
_DISK_AVAILABLE = 0.15
_MEMORY_TAINT = {"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"}
_LOW = "The node was low on resource: "


@dataclass(frozen=True, slots=True)
class Shortage:
    """There is less of something than has to be. Bytes."""

    condition: str
    resource: str
    threshold: int
    available: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a Pod, and each of its containers, uses and asks for, in bytes of what is short."""

    uid: str
    priority: int
    used: int
    requested: int
    containers: tuple[tuple[str, int, str], ...] = ()
    """(name, used, requested as it was written)."""


def shortages(memory: tuple[int, int], disk: tuple[int, int]) -> list[Shortage]:
    """What is short, memory first, by (available, capacity) of both."""
    found = []
    if memory[0] < _MEMORY_AVAILABLE:
        found.append(Shortage(MEMORY_PRESSURE, MEMORY, _MEMORY_AVAILABLE, memory[0]))
    threshold = int(disk[1] * _DISK_AVAILABLE)
    if disk[0] < threshold:
        found.append(Shortage(DISK_PRESSURE, STORAGE, threshold, disk[0]))
    return found


def ranked(usages: Iterable[Usage]) -> list[Usage]:
    """Who goes first: who uses more than asked for, then of less priority, then who uses most beyond its requests."""
    return sorted(
        usages, key=lambda each: (each.used <= each.requested, each.priority, each.requested - each.used)
    )


def message(short: Shortage, usage: Usage) -> str:
    """Why that Pod was evicted (evictionMessage)."""
    threshold, available = quantity.from_bytes(short.threshold), quantity.from_bytes(short.available)
    text = f"{_LOW}{short.resource}. Threshold quantity: {threshold}, available: {available}. "
    for name, used, requested in usage.containers:
        if used > quantity.value(requested):
            text += (
                f"Container {name} was using {quantity.from_bytes(used)}, request is {requested}, "
                f"has larger consumption of {short.resource}. "
            )
    return text


def by_pressure(why: str) -> bool:
    """Whether a Pod was evicted for its node's sake, not for its own limits'."""
    return why.startswith(_LOW)


def refusal(pod: JSON, pressed: Iterable[str], static: bool) -> tuple[str, str] | None:
    """(reason, message) why a node that is short of something does not take the Pod (Admit)."""
    conditions = sorted(pressed)
    if not conditions or is_critical(pod, static):
        return None
    if conditions == [MEMORY_PRESSURE]:
        spec = pod["spec"]
        if qos_class(spec) != "BestEffort":
            return None
        if not untolerated([_MEMORY_TAINT], spec.get("tolerations") or (), ("NoSchedule",)):
            return None
    return "Evicted", f"The node had condition: [{' '.join(conditions)}]. "


def over_limit(
    pod: JSON, containers: Mapping[str, int], volumes: Mapping[str, int], limits: Mapping[str, str]
) -> str:
    """Why a Pod goes that has more on its node's disk than it may; "": it has not (localStorageEviction).

    Bytes of each container's own files and log, and of each emptyDir; ``limits``: of those that have a sizeLimit.
    """
    for name, limit in limits.items():
        if volumes.get(name, 0) > quantity.value(limit):
            return f'Usage of EmptyDir volume "{name}" exceeds the limit "{limit}". '
    own = storage_limits(pod)
    if own:
        total = sum(quantity.value(limit) for limit in own.values())
        if sum(containers.values()) + sum(volumes.values()) > total:
            return f"Pod ephemeral local storage usage exceeds the total limit of containers {_total(own)}. "
    for name, limit in own.items():
        if quantity.value(limit) and containers.get(name, 0) > quantity.value(limit):
            return f'Container {name} exceeded its local ephemeral storage limit "{limit}". '
    return ""


def storage_limits(pod: JSON) -> dict[str, str]:
    """The limit of ephemeral storage of each container that has one, as it was written."""
    found = {}
    for container in pod["spec"]["containers"]:
        limit = ((container.get("resources") or {}).get("limits") or {}).get(STORAGE)
        if limit is not None:
            found[container["name"]] = str(limit)
    return found


def _total(limits: Mapping[str, str]) -> str:
    total, *rest = limits.values()
    for limit in rest:
        total = quantity.add(total, limit)
    return total


def collectable(images: Mapping[str, int], used: Iterable[str], before: int) -> list[str]:
    """The images that may go, in the order in which they do: those longest on the node first.

    ``images``: since when they are there; ``before``: younger ones stay.
    """
    kept = set(used)
    old = [name for name, since in images.items() if name not in kept and since <= before]
    return sorted(old, key=lambda name: images[name])


def failed_collection(percent: int, capacity: int, freed: int) -> str:
    """What is told of a collection that freed too little."""
    return (
        f"Insufficient free disk space on the node's image filesystem ({percent}% of {capacity / 2**30:.1f} GiB used). "
        f"Failed to free sufficient space by deleting unused images (freed {freed} bytes). "
        "Investigate disk usage, as it could be used by active images, logs, volumes, or other data."
    )
