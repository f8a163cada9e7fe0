"""What a Pod asks of a node, as integers: milli-CPU, bytes, counts.

Models k8s.io/component-helpers/resource (PodRequests) without in-place resizing, which is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON

DEFAULT_CPU = 100
"""Milli-CPU that a container without a request counts as when nodes are scored."""
DEFAULT_MEMORY = 200 * 1024 * 1024
"""Bytes that a container without a request counts as when nodes are scored."""
_HUGE = "hugepages-"

Amounts = dict[str, int]


def amounts(resources: Mapping[str, str] | None) -> Amounts:
    """A resource list (requests, allocatable, …) as integers."""
    if not resources:
        return {}
    return {
        name: quantity.milli(amount) if name == "cpu" else quantity.value(amount)
        for name, amount in resources.items()
    }


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _greatest(total: Amounts, other: Amounts) -> None:
    for name, amount in other.items():
        if amount > total.get(name, 0):
            total[name] = amount


def pod_requests(spec: JSON, defaults: bool = False) -> Amounts:
    """The effective requests of a Pod spec.

    Containers and sidecars (init containers that restart always) add up. Each other init container runs
    beside the sidecars that were started before it, and the greatest such moment counts when it is more.
    Pod-level requests replace the sums of CPU, memory and huge pages. The overhead comes on top. With
    ``defaults``, a container that asks for no CPU or no memory counts with the usual small amounts.
    """

    def of(container: JSON) -> Amounts:
        asked = amounts((container.get("resources") or {}).get("requests"))
        if defaults:
            asked.setdefault("cpu", DEFAULT_CPU)
            asked.setdefault("memory", DEFAULT_MEMORY)
        return asked

    total: Amounts = {}
    for container in spec.get("containers") or ():
        _add(total, of(container))
    sidecars: Amounts = {}
    init: Amounts = {}
    for container in spec.get("initContainers") or ():
        asked = of(container)
        if container.get("restartPolicy") == "Always":
            _add(total, asked)
            _add(sidecars, asked)
            _greatest(init, sidecars)
        else:
            _add(asked, sidecars)
            _greatest(init, asked)
    _greatest(total, init)
    for name, amount in amounts((spec.get("resources") or {}).get("requests")).items():
        if name in ("cpu", "memory") or name.startswith(_HUGE):
            total[name] = amount
    _add(total, amounts(spec.get("overhead")))
    return total
