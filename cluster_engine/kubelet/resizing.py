"""A running Pod asks for other amounts: whether its node gives them, and how its containers get them. Pure.

What a Pod *asks for* stands in its spec, what its node has *allocated* to it in its record while that is something
else, what a container *has* is what the runtime gave it.

Models pkg/kubelet/allocation/allocation_manager.go (canResizePod) and kuberuntime_manager.go (computePodResizeAction).
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.requests import Amounts
from cluster_engine.container_runtime.container import RUNNING, Container

IN_PROGRESS, PENDING = "PodResizeInProgress", "PodResizePending"
_LISTS = ("containers", "initContainers")
_CHECKED = ("cpu", "memory")


def resources_of(spec: JSON) -> dict[str, JSON]:
    """The ``resources`` of each container, by its name."""
    return {c["name"]: c.get("resources") or {} for field in _LISTS for c in spec.get(field) or ()}


def with_resources(pod: JSON, resources: Mapping[str, JSON]) -> JSON:
    """The Pod as if its containers asked for those."""
    spec = dict(pod["spec"])
    for field in _LISTS:
        if field in spec:
            spec[field] = [
                {**c, "resources": resources[c["name"]]} if c["name"] in resources else c for c in spec[field]
            ]
    return {**pod, "spec": spec}


def refusal(allocatable: Amounts, used: Amounts, mine: Amounts, wanted: Amounts) -> tuple[str, str] | None:
    """(reason, message) why the node does not give what is wanted instead of ``mine``: never, or not now.

    None: it does.
    """
    for name in _CHECKED:
        if wanted.get(name, 0) > allocatable.get(name, 0):
            text = f"{name}, requested: {wanted[name]}, capacity: {allocatable.get(name, 0)}"
            return "Infeasible", f"Node didn't have enough capacity: {text}"
    for name in _CHECKED:
        others = used.get(name, 0) - mine.get(name, 0)
        if wanted.get(name, 0) > allocatable.get(name, 0) - others:
            text = f"{name}, requested: {wanted[name]}, used: {others}, capacity: {allocatable.get(name, 0)}"
            return "Deferred", f"Node didn't have enough resource: {text}"
    return None


def limits_of(resources: JSON) -> tuple[int | None, int]:
    """(bytes of memory or None, thousandths of a processor or 0) that a container may use."""
    limits = resources.get("limits") or {}
    return (
        quantity.value(limits["memory"]) if "memory" in limits else None,
        quantity.milli(limits["cpu"]) if "cpu" in limits else 0,
    )


def to_change(spec: JSON, container: Container) -> list[str]:
    """Of what a running container has not yet what it was allocated: ``cpu``, ``memory``."""
    memory, millis = limits_of(spec.get("resources") or {})
    return [
        name
        for name, differs in (("cpu", millis != container.millis), ("memory", memory != container.memory))
        if differs
    ]


def needs_restart(spec: JSON, container: Container) -> bool:
    """Whether one of those is given at a restart alone."""
    policies = spec.get("resizePolicy") or ()
    named = [p["resourceName"] for p in policies if p["restartPolicy"] == "RestartContainer"]
    return bool(named) and any(name in named for name in to_change(spec, container))


def had_by(resources: JSON, container: Container) -> JSON:
    """The ``resources`` that a container has: what it was allocated, with the limits that it was given."""
    limits = dict(resources.get("limits") or {})
    if (
        "memory" in limits
        and container.memory is not None
        and quantity.value(limits["memory"]) != container.memory
    ):
        limits["memory"] = quantity.from_bytes(container.memory)
    if "cpu" in limits and quantity.milli(limits["cpu"]) != container.millis:
        limits["cpu"] = quantity.canonical(f"{container.millis}m")
    return {**resources, "limits": limits} if limits else resources


def in_progress(spec: JSON, containers: Mapping[str, Container]) -> bool:
    """Whether a container that runs has not yet what it was allocated."""
    specs = {c["name"]: c for field in _LISTS for c in spec.get(field) or ()}
    return any(
        container.state == RUNNING and name in specs and to_change(specs[name], container)
        for name, container in containers.items()
    )


def details(pod: JSON, error: str = "") -> str:
    """What a resize is about, as its events tell it."""
    told: JSON = {
        field: [{"name": c["name"], "resources": c.get("resources") or {}} for c in pod["spec"][field]]
        for field in _LISTS
        if pod["spec"].get(field)
    }
    told["generation"] = pod["metadata"].get("generation", 0)
    if error:
        told["error"] = error
    return orjson.dumps(told).decode()
