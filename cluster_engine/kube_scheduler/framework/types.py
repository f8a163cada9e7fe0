"""Pods and nodes as the scheduler sees them: parsed once, kept up to date incrementally.

Pods of one template have the same *shape*; everything that plugins read from a Pod's spec is parsed once
per shape. Models pkg/scheduler/framework/types.go (PodInfo, NodeInfo, Resource).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.apimachinery.labels import SelectorError
from cluster_engine.component_helpers.node_affinity import PreferredNodeAffinity, RequiredNodeAffinity
from cluster_engine.component_helpers.requests import amounts, pod_requests

_SHAPES_KEPT = 2_048

Port = tuple[str, str, int]  # host IP, protocol, port


def _host_ports(spec: JSON) -> tuple[Port, ...]:
    ports: list[Port] = []
    containers = [
        *(spec.get("containers") or ()),
        *(c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"),
    ]
    for container in containers:
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                ports.append(
                    (port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", port["hostPort"])
                )
    return tuple(ports)


class Shape:
    """Everything about a Pod that scheduling depends on, apart from its name."""

    __slots__ = (
        "affinity",
        "best_effort",
        "claims",
        "cpu",
        "host_ports",
        "id",
        "labels",
        "memory",
        "namespace",
        "node_name",
        "nonzero_cpu",
        "nonzero_memory",
        "owner",
        "preemption_policy",
        "preferred_nodes",
        "priority",
        "requests",
        "required_nodes",
        "spec",
        "spread",
        "tolerations",
    )

    def __init__(self, number: int, pod: JSON) -> None:
        meta, spec = pod["metadata"], pod["spec"]
        self.id = number
        self.spec = spec
        self.namespace: str = meta.get("namespace", "")
        self.labels: dict[str, str] = meta.get("labels") or {}
        self.owner: JSON | None = next(
            (o for o in meta.get("ownerReferences") or () if o.get("controller")), None
        )
        self.requests = pod_requests(spec)
        self.cpu = self.requests.get("cpu", 0)
        self.memory = self.requests.get("memory", 0)
        nonzero = pod_requests(spec, defaults=True)
        self.nonzero_cpu = nonzero.get("cpu", 0)
        self.nonzero_memory = nonzero.get("memory", 0)
        self.best_effort = not self.requests and not any(
            (c.get("resources") or {}).get("limits") for c in spec.get("containers") or ()
        )
        self.host_ports = _host_ports(spec)
        self.node_name: str = spec.get("nodeName") or ""
        self.required_nodes = RequiredNodeAffinity(spec)
        try:
            self.preferred_nodes = PreferredNodeAffinity(spec)
        except SelectorError:
            self.preferred_nodes = PreferredNodeAffinity({})
        self.affinity: JSON = spec.get("affinity") or {}
        self.tolerations: list[JSON] = spec.get("tolerations") or []
        self.spread: list[JSON] = spec.get("topologySpreadConstraints") or []
        self.priority: int = spec.get("priority") or 0
        self.preemption_policy: str = spec.get("preemptionPolicy") or "PreemptLowerPriority"
        self.claims = tuple(
            v["persistentVolumeClaim"]["claimName"]
            for v in spec.get("volumes") or ()
            if v.get("persistentVolumeClaim")
        )


class PodInfo:
    """One Pod: its object and its shape."""

    __slots__ = ("key", "leaving", "pod", "shape")

    def __init__(self, pod: JSON, shape: Shape) -> None:
        self.key = key_of(pod)
        self.pod = pod
        self.shape = shape
        self.leaving = "deletionTimestamp" in pod["metadata"]


class Shapes:
    """Parses each distinct shape once. A pure cache: dropping it changes nothing but speed."""

    def __init__(self) -> None:
        self._shapes: dict[bytes, Shape] = {}
        self._next = 0

    def of(self, pod: JSON) -> Shape:
        """The shape of that Pod; equal Pods give the same object."""
        meta, spec = pod["metadata"], pod["spec"]
        signature = orjson.dumps(
            [
                meta.get("namespace"),
                meta.get("labels"),
                meta.get("ownerReferences"),
                spec.get("nodeName"),  # a bound Pod must not lend its node to the next one of its kind
                [[c.get("resources"), c.get("ports")] for c in spec.get("containers") or ()],
                [
                    [c.get("resources"), c.get("ports"), c.get("restartPolicy")]
                    for c in spec.get("initContainers") or ()
                ],
                [
                    spec.get(name)
                    for name in (
                        "nodeSelector",
                        "affinity",
                        "tolerations",
                        "topologySpreadConstraints",
                        "overhead",
                        "resources",
                        "priority",
                        "preemptionPolicy",
                    )
                ],
                [
                    v["persistentVolumeClaim"]
                    for v in spec.get("volumes") or ()
                    if "persistentVolumeClaim" in v
                ],
            ],
            option=orjson.OPT_SORT_KEYS,
        )
        shape = self._shapes.get(signature)
        if shape is None:
            if len(self._shapes) >= _SHAPES_KEPT:
                self._shapes.clear()
            self._next += 1
            shape = self._shapes[signature] = Shape(self._next, pod)
        return shape


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

    def _count(self, shape: Shape, sign: int) -> None:
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
        copy.requested, copy.used_ports = self.requested.copy(), self.used_ports.copy()
        return copy

    def without(self, keys: Iterable[str]) -> NodeInfo:
        """A copy without some Pods, for the dry run of a preemption."""
        copy = NodeInfo(self.node)
        copy.index = self.index
        gone = set(keys)
        for key, info in self.pods.items():
            if key not in gone:
                copy.add(info)
        return copy


def is_terminal(pod: JSON) -> bool:
    """Whether the Pod has ended and holds no resources any more."""
    phase: Any = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed")
