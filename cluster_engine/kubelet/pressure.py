"""Nodes that run short of memory or disk: conditions, images that are collected, Pods that are evicted.

Models pkg/kubelet/eviction/eviction_manager.go (synchronize) and pkg/kubelet/images/image_gc_manager.go. Pods alone
never fill a node here, so it is looked at while something else takes of it (the fault ``node/fill``), and as long as
it has a condition of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.requests import pod_requests
from cluster_engine.container_runtime.container import RUNNING
from cluster_engine.kubelet import eviction as rules
from cluster_engine.kubelet.core import ALLOCATABLE, ON, Core, Node
from cluster_engine.kubelet.node import Nodes
from cluster_engine.kubelet.record import SYNCING, PodRecord, is_critical
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.kubelet.storage import stored
from cluster_engine.sim import SECOND

PERIOD = 10.0
"""Seconds between two looks (evictionMonitoringPeriod)."""
_CLEANED = 2.0
"""Seconds after which it is looked again when a Pod was evicted: when it is gone (podCleanupPollFreq)."""
_COLLECTION = 300 * SECOND
"""Between two collections of images (ImageGCPeriod)."""
_SYSTEM = {"memory": 600 << 20, "disk": 4 << 30}
"""Bytes that a node's own programs and files take."""


class Pressure:
    """Of all nodes. ``evict`` has a Pod end, with the message why."""

    def __init__(
        self, core: Core, runtime: Runtime, nodes: Nodes, evict: Callable[[PodRecord, str], None]
    ) -> None:
        self.core = core
        self.clock = core.clock
        self.runtime = runtime
        self.nodes = nodes
        self._evict = evict

    def fill(self, node: Node, what: str, percent: int) -> None:
        """Something that is no Pod takes so much of the node's ``memory`` or ``disk``; 0: nothing does any more."""
        node.taken = {name: amount for name, amount in {**node.taken, what: percent}.items() if amount}
        if node.taken and not node.collects_at and node.power == ON:
            self._begin(node)

    def begin(self, node: Node) -> None:
        """Its kubelet has started: what it had seen of pressure is forgotten."""
        node.pressed, node.collects_at = {}, 0
        if node.taken:
            self._begin(node)

    def _begin(self, node: Node) -> None:
        node.collects_at = self.clock.now + _COLLECTION
        self.clock.call_later(PERIOD, "kubelet/pressure", *node.life)

    # ---- the eviction manager --------------------------------------------------------------------------

    def look(self, name: str) -> None:
        """Clock event: tells of what is short, and does something about it (synchronize)."""
        node, now = self.core.nodes[name], self.clock.now
        if now >= node.collects_at:
            node.collects_at += _COLLECTION
            self._collect(node)
        short = self._shortages(node)
        before = list(node.pressed)
        seen = {**node.pressed, **{each.condition: now for each in short}}
        node.pressed = {kind: at for kind, at in seen.items() if now - at < rules.TRANSITION}
        if list(node.pressed) != before:
            self.nodes.write(node)
        evicted = bool(short) and self._reclaim(node, short[0])
        if node.taken or node.pressed:
            pause = _CLEANED if evicted else PERIOD
            self.clock.call_later(pause, "kubelet/pressure", *node.life, background=True)
        else:
            node.collects_at = 0

    def _shortages(self, node: Node) -> list[rules.Shortage]:
        memory = sum(used.used for used in self._usages(node, rules.MEMORY))
        return rules.shortages(self._available(node, "memory", memory), self._disk(node))

    def _disk(self, node: Node) -> tuple[int, int]:
        """(available, capacity) of the node's disk, in bytes."""
        stored = sum(used.used for used in self._usages(node, rules.STORAGE))
        return self._available(node, "disk", stored + sum(map(self._size, node.images)))

    def _available(self, node: Node, what: str, used: int) -> tuple[int, int]:
        capacity = ALLOCATABLE[rules.MEMORY if what == "memory" else rules.STORAGE]
        taken = capacity * node.taken.get(what, 0) // 100
        return max(capacity - _SYSTEM[what] - used - taken, 0), capacity

    def _usages(self, node: Node, resource: str) -> Iterator[rules.Usage]:
        """What each Pod that runs there uses."""
        for record in self.core.records.all():
            pod = self.core.pod_of(record) if record.node == node.name and record.sandbox else None
            if pod is not None and record.state == SYNCING:
                yield self._usage(record, pod, resource)

    def _usage(self, record: PodRecord, pod: JSON, resource: str) -> rules.Usage:
        if resource == rules.MEMORY:
            containers = {
                name: self.runtime.usage(record, container)[1]
                for name, container in record.containers.items()
                if container.state == RUNNING
            }
            used = sum(containers.values())
        else:
            containers, volumes = stored(self.core.registry, record, pod, self.runtime.look_at(record))
            used = sum(containers.values()) + sum(volumes.values())
        spec = pod["spec"]
        requests = {c["name"]: (c.get("resources") or {}).get("requests") or {} for c in _containers(spec)}
        return rules.Usage(
            record.uid,
            int(spec.get("priority") or 0),
            used,
            pod_requests(spec).get(resource, 0),
            tuple(
                (name, amount, str(requests[name].get(resource, "0")))
                for name, amount in containers.items()
                if name in requests
            ),
        )

    def _reclaim(self, node: Node, short: rules.Shortage) -> bool:
        """Images go first, then one Pod; whether one was evicted."""
        self.nodes.event(node, "Warning", "EvictionThresholdMet", f"Attempting to reclaim {short.resource}")
        if short.resource == rules.STORAGE:
            self._remove_images(node, None)
            if not any(each.resource == rules.STORAGE for each in self._shortages(node)):
                return False
        for usage in rules.ranked(self._usages(node, short.resource)):
            record = self.core.records[usage.uid]
            pod = self.core.pod_of(record)
            if pod is not None and not is_critical(pod, record.static):
                self._evict(record, rules.message(short, usage))
                return True
        return False

    # ---- the image collector ---------------------------------------------------------------------------

    def _collect(self, node: Node) -> None:
        """Images go until the disk is as full as it may be (GarbageCollect)."""
        available, capacity = self._disk(node)
        percent = 100 - available * 100 // capacity
        high, low = node.flags.image_gc_high_threshold, node.flags.image_gc_low_threshold
        wanted = capacity * (100 - low) // 100 - available if percent >= high else 0
        freed = self._remove_images(node, wanted) if wanted > 0 else 0
        why = rules.failed_collection(percent, capacity, freed) if freed < wanted else ""
        if why:
            self.nodes.event(node, "Warning", "FreeDiskSpaceFailed", why)
            if not node.collected:
                self.nodes.event(node, "Warning", "ImageGCFailed", why)
        node.collected = not why

    def _remove_images(self, node: Node, wanted: int | None) -> int:
        """Removes unused images until so many bytes are free (None: all of them); the bytes."""
        used: set[str] = set()
        for record in self.core.records.all():
            if record.node == node.name and record.sandbox:
                used.update(container.image for container in record.containers.values())
        freed = 0
        before = self.clock.now - round(node.flags.minimum_image_ttl_duration * SECOND)
        for image in rules.collectable(node.images, used, before):
            if wanted is not None and freed >= wanted:
                break
            freed += self._size(image)
            del node.images[image]
        if freed:
            self.nodes.write(node)
        return freed

    def _size(self, reference: str) -> int:
        image, tag = self.core.registry.find(reference)
        return image.variants[tag].size

    # ---- saving ----------------------------------------------------------------------------------------

    def state(self) -> list[Any]:
        """Of the nodes of which there is something to say."""
        return [
            [node.name, dict(node.taken), list(node.pressed.items()), node.collected, node.collects_at]
            for node in self.core.nodes.values()
            if node.taken or node.collects_at or not node.collected
        ]

    def load(self, state: list[Any]) -> None:
        for node in self.core.nodes.values():
            node.taken, node.pressed, node.collected, node.collects_at = {}, {}, True, 0
        for name, taken, pressed, collected, collects_at in state:
            node = self.core.nodes[name]
            node.taken, node.collected, node.collects_at = dict(taken), collected, collects_at
            node.pressed = {kind: at for kind, at in pressed}  # noqa: C416  (pairs are lists after JSON)


def _containers(spec: Mapping[str, Any]) -> Iterator[JSON]:
    """Those that may ask for something."""
    for kind in ("containers", "initContainers"):
        yield from spec.get(kind) or ()
