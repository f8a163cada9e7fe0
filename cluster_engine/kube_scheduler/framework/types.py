"""Pods and nodes as the scheduler sees them, kept up to date incrementally.

Models pkg/scheduler/framework/types.go (PodInfo, NodeInfo, Resource).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.client_go import SharedInformerFactory
from cluster_engine.component_helpers.host_ports import Port
from cluster_engine.component_helpers.requests import amounts
from cluster_engine.component_helpers.storage import claims_of
from cluster_engine.kube_scheduler.framework.shape import Shape, Shapes


class PodInfo:
    """One Pod: its object and its shape."""

    __slots__ = ("_claims", "_shape", "_shapes", "key", "leaving", "pod", "uid")

    def __init__(self, pod: JSON, shapes: Shapes) -> None:
        self.key = key_of(pod)
        self.pod = pod
        self._shapes = shapes
        self._shape: Shape | None = None
        self._claims: tuple[str, ...] | None = None
        self.uid: str = pod["metadata"].get("uid", "")
        self.leaving = "deletionTimestamp" in pod["metadata"]

    @property
    def shape(self) -> Shape:
        """Found when it is first asked for."""
        shape = self._shape
        if shape is None:
            shape = self._shape = self._shapes.of(self.pod)
        return shape

    @property
    def claims(self) -> tuple[str, ...]:
        """The names of the claims that its volumes use (``storage.claims_of``)."""
        claims = self._claims
        if claims is None:
            claims = self._claims = tuple(claims_of(self.pod))
        return claims

    def updated(self, pod: JSON) -> PodInfo:
        """Another version of the Pod, of the same shape."""
        new: PodInfo = object.__new__(PodInfo)
        new.key, new.uid, new.leaving = self.key, self.uid, self.leaving
        new._shapes, new._shape, new._claims = self._shapes, self._shape, self._claims
        new.pod = pod
        return new


class NodeInfo:
    """A node, what may be placed on it and what is."""

    __slots__ = (
        "allocatable",
        "allowed_pods",
        "cpu",
        "images",
        "index",
        "labels",
        "memory",
        "name",
        "node",
        "nonzero_cpu",
        "nonzero_memory",
        "pods",
        "priorities",
        "requested",
        "shapes",
        "taints",
        "unschedulable",
        "used_ports",
        "with_affinity",
    )

    def __init__(self, node: JSON) -> None:
        self.index = 0
        self.shapes: dict[int, list[Any]] = {}
        """[shape, how many Pods of it are here and not being deleted], by the shape's number."""
        self.with_affinity: dict[str, PodInfo] = {}
        """The Pods here that speak of other Pods."""
        self.pods: dict[str, PodInfo] = {}
        self.priorities: dict[int, int] = {}
        """How many Pods are here, by priority."""
        self.requested: dict[str, int] = {}
        self.nonzero_cpu = 0
        self.nonzero_memory = 0
        self.used_ports: dict[Port, int] = {}
        self.set_node(node)

    def set_node(self, node: JSON) -> None:
        """Takes over a new version of the Node object."""
        self.node = node
        self.name: str = node["metadata"]["name"]
        self.labels: dict[str, str] = node["metadata"].get("labels") or {}
        spec = node.get("spec") or {}
        self.taints: list[JSON] = spec.get("taints") or []
        self.unschedulable: bool = bool(spec.get("unschedulable"))
        status = node.get("status") or {}
        self.allocatable = amounts(status.get("allocatable") or status.get("capacity"))
        self.cpu = self.allocatable.get("cpu", 0)
        self.memory = self.allocatable.get("memory", 0)
        self.allowed_pods = self.allocatable.get("pods", 0)
        self.images: dict[str, int] = {
            name: image.get("sizeBytes") or 0
            for image in status.get("images") or ()
            for name in image.get("names") or ()
        }

    def add(self, info: PodInfo) -> None:
        """A Pod came."""
        self._count(info.shape, 1)
        self.pods[info.key] = info
        affinity = info.shape.affinity
        if affinity and ("podAffinity" in affinity or "podAntiAffinity" in affinity):
            self.with_affinity[info.key] = info
        if not info.leaving:
            self._tally(info.shape, 1)

    def replace(self, info: PodInfo) -> None:
        """Another version of a Pod here, of the same shape."""
        self.pods[info.key] = info
        if info.key in self.with_affinity:
            self.with_affinity[info.key] = info

    def remove(self, key: str) -> None:
        """A Pod left."""
        info = self.pods.pop(key)
        self._count(info.shape, -1)
        self.with_affinity.pop(key, None)
        if not info.leaving:
            self._tally(info.shape, -1)

    def _tally(self, shape: Shape, sign: int) -> None:
        entry = self.shapes.get(shape.id)
        if entry is None:
            entry = self.shapes[shape.id] = [shape, 0]
        entry[1] += sign
        if not entry[1]:
            del self.shapes[shape.id]

    def matching(self, matches: Callable[[Shape], bool]) -> int:
        """How many Pods, not being deleted, are of shapes that match."""
        total = 0
        for shape, count in self.shapes.values():
            if matches(shape):
                total += count
        return total

    def has_below(self, priority: int) -> bool:
        """Whether a Pod here matters less than that."""
        return any(each < priority for each in self.priorities)

    def _count(self, shape: Shape, sign: int) -> None:
        alike = self.priorities.get(shape.priority, 0) + sign
        if alike:
            self.priorities[shape.priority] = alike
        else:
            del self.priorities[shape.priority]
        requested = self.requested
        for name, amount in shape.requests.items():
            requested[name] = requested.get(name, 0) + sign * amount
        self.nonzero_cpu += sign * shape.nonzero_cpu
        self.nonzero_memory += sign * shape.nonzero_memory
        for port in shape.host_ports:
            left = self.used_ports.get(port, 0) + sign
            if left:
                self.used_ports[port] = left
            else:
                del self.used_ports[port]

    def copy(self) -> NodeInfo:
        """An independent copy."""
        copy = NodeInfo.__new__(NodeInfo)
        for name in NodeInfo.__slots__:
            setattr(copy, name, getattr(self, name))
        copy.shapes = {number: entry[:] for number, entry in self.shapes.items()}
        copy.with_affinity, copy.pods = self.with_affinity.copy(), self.pods.copy()
        copy.priorities = self.priorities.copy()
        copy.requested, copy.used_ports = self.requested.copy(), self.used_ports.copy()
        return copy

    def altered(self, without: Iterable[str] = (), added: Iterable[PodInfo] = ()) -> NodeInfo:
        """A copy without some Pods and with others, for a dry run; the node itself stays as it is."""
        copy = self.copy()
        for key in without:
            copy.remove(key)
        for info in added:
            if info.key not in copy.pods:
                copy.add(info)
        return copy


def placed(pod: JSON, node: str) -> JSON:
    """The Pod as it would be on that node."""
    return {**pod, "spec": {**pod["spec"], "nodeName": node}}


@dataclass(slots=True)
class Snapshot:
    """All nodes, ordered by name, and the informers for what else a plugin wants to read."""

    nodes: list[NodeInfo]
    informers: SharedInformerFactory
