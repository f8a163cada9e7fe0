"""The quality-of-service class of a Pod. Models pkg/apis/core/v1/helper/qos (ComputePodQOS)."""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON


def qos_class(spec: JSON) -> str:
    """Guaranteed, Burstable or BestEffort."""
    return class_of(resources_that_count(spec))


def resources_that_count(spec: JSON) -> list[JSON]:
    """The ``resources`` that decide: the whole Pod's when it has any, else each container's."""
    whole = spec.get("resources") or {}
    if whole.get("requests") or whole.get("limits"):
        return [whole]
    return [
        container.get("resources") or {}
        for name in ("containers", "initContainers")
        for container in spec.get(name) or ()
    ]


def class_of(parts: list[JSON]) -> str:
    """The class that these ``resources`` make together."""
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    guaranteed = True
    for part in parts:
        mine = {n: v for n, v in (part.get("limits") or {}).items() if _counts(n, v)}
        asked = {n: v for n, v in (part.get("requests") or {}).items() if _counts(n, v)}
        if asked:
            requests = quantity.add_resources(requests, asked)
        if mine:
            limits = quantity.add_resources(limits, mine)
        if len(mine) != 2:
            guaranteed = False
    if not requests and not limits:
        return "BestEffort"
    equal = len(requests) == len(limits) and all(
        name in limits and quantity.compare(value, limits[name]) == 0 for name, value in requests.items()
    )
    return "Guaranteed" if guaranteed and equal else "Burstable"


def _counts(name: str, value: Any) -> bool:
    return name in ("cpu", "memory") and quantity.parse(value) > 0
