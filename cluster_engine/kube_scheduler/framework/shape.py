"""The shape of a Pod: all that scheduling by shape depends on, and nothing else.

A shape is made from a *projection* of the Pod, and Pods of equal projections share one. What is not in the
projection cannot be read from a shape, so answers that were kept for a shape hold for each of its Pods.

Models the parts of a Pod that pkg/scheduler/framework/types.go (PodInfo) parses in advance.
"""

from __future__ import annotations

from typing import Any

import orjson

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.labels import SelectorError
from cluster_engine.component_helpers.host_ports import host_ports
from cluster_engine.component_helpers.node_affinity import PreferredNodeAffinity, RequiredNodeAffinity
from cluster_engine.component_helpers.requests import pod_requests

SHAPES_KEPT = 2_048
"""Shapes that are remembered; past it all are forgotten and parsed anew."""
RECENT = 4
"""Shapes that are looked at first: those of one template, before and after its Pods have the labels of their zones."""

_SPEC = (
    "affinity",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "resources",
    "tolerations",
    "topologySpreadConstraints",
)
_CONTAINER = ("ports", "resources", "restartPolicy")


def project(pod: JSON) -> JSON:
    """What of the Pod its shape may depend on, laid out as in a Pod."""
    meta, spec = pod["metadata"], pod["spec"]
    projected: JSON = {name: spec[name] for name in _SPEC if name in spec}
    for place in ("containers", "initContainers"):
        containers = spec.get(place)
        if containers:
            projected[place] = [{n: c[n] for n in _CONTAINER if n in c} for c in containers]
    volumes = spec.get("volumes")
    if volumes:
        claims = [v["persistentVolumeClaim"]["claimName"] for v in volumes if v.get("persistentVolumeClaim")]
        if claims:
            projected["claims"] = claims
    owner = None
    for reference in meta.get("ownerReferences") or ():
        if reference.get("controller"):
            owner = [reference["apiVersion"], reference["kind"], reference["name"]]
    return {
        "namespace": meta.get("namespace") or "",
        "labels": meta.get("labels") or {},
        "owner": owner,
        "spec": projected,
    }


def _parts(pod: JSON) -> list[Any]:
    """All that ``project`` reads, in one list: equal lists, equal projections."""
    meta, spec = pod["metadata"], pod["spec"]
    parts: list[Any] = [meta.get("namespace"), meta.get("labels"), meta.get("ownerReferences")]
    parts += map(spec.get, _SPEC)
    for place in ("containers", "initContainers"):
        containers = spec.get(place) or ()
        parts.append(len(containers))
        for container in containers:
            parts += map(container.get, _CONTAINER)
    for volume in spec.get("volumes") or ():
        if claim := volume.get("persistentVolumeClaim"):
            parts.append(claim)
    return parts


class Shape:
    """A projection, parsed."""

    __slots__ = (
        "affinity",
        "claims",
        "cpu",
        "host_ports",
        "id",
        "labels",
        "memory",
        "namespace",
        "nonzero_cpu",
        "nonzero_memory",
        "owner",
        "preemption_policy",
        "preferred_nodes",
        "preferred_problem",
        "priority",
        "requests",
        "required_nodes",
        "spread",
        "tolerations",
    )

    def __init__(self, number: int, projection: JSON) -> None:
        spec = projection["spec"]
        self.id = number
        self.namespace: str = projection["namespace"]
        self.labels: dict[str, str] = projection["labels"]
        self.owner: list[str] | None = projection["owner"]
        """The controller: API version, kind, name."""
        self.requests = pod_requests(spec)
        self.cpu = self.requests.get("cpu", 0)
        self.memory = self.requests.get("memory", 0)
        nonzero = pod_requests(spec, defaults=True)
        self.nonzero_cpu = nonzero.get("cpu", 0)
        self.nonzero_memory = nonzero.get("memory", 0)
        self.host_ports = host_ports(spec)
        self.required_nodes = RequiredNodeAffinity(spec)
        self.preferred_problem = ""
        """Why the preferred node affinity cannot be read."""
        try:
            self.preferred_nodes = PreferredNodeAffinity(spec)
        except SelectorError as error:
            self.preferred_nodes = PreferredNodeAffinity({})
            self.preferred_problem = str(error)
        self.affinity: JSON = spec.get("affinity") or {}
        self.tolerations: list[JSON] = spec.get("tolerations") or []
        self.spread: list[JSON] = spec.get("topologySpreadConstraints") or []
        self.priority: int = spec.get("priority") or 0
        self.preemption_policy: str = spec.get("preemptionPolicy") or "PreemptLowerPriority"
        self.claims: tuple[Any, ...] = tuple(spec.get("claims") or ())

    def __repr__(self) -> str:
        return f"Shape({self.id}, {self.namespace!r}, {self.labels!r})"


class Shapes:
    """Parses each distinct projection once. A pure cache: dropping it changes nothing but speed."""

    def __init__(self) -> None:
        self._shapes: dict[bytes, Shape] = {}
        self._next = 0
        self._recent: list[tuple[list[Any], Shape]] = []
        """Of the shapes that were found last: what the Pod was made of, as far as its shape depends on it."""

    def of(self, pod: JSON) -> Shape:
        """The shape of that Pod; Pods of equal projections give the same object."""
        parts = _parts(pod)
        # Replicas share their parts by reference, so equal ones are mostly told at a glance.
        for known, before in self._recent:
            if parts == known:
                return before
        projection = project(pod)
        signature = orjson.dumps(projection, option=orjson.OPT_SORT_KEYS)
        shape = self._shapes.get(signature)
        if shape is None:
            if len(self._shapes) >= SHAPES_KEPT:
                self._shapes.clear()
            self._next += 1
            shape = self._shapes[signature] = Shape(self._next, projection)
        self._recent = [(parts, shape), *self._recent[: RECENT - 1]]
        return shape
