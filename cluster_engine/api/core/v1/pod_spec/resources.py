"""Checks on resource requests and limits, and the QoS class that follows from them.

Models pkg/apis/core/validation (ValidateContainerResourceRequirements).
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from typing import Any

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    field_not_found,
    forbidden_field,
    invalid_value,
    required,
)
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.apimachinery.validation import is_qualified_name
from cluster_engine.component_helpers.qos import class_of, resources_that_count

STANDARD = frozenset({"cpu", "memory", "ephemeral-storage"})
OTHER_STANDARD = frozenset(
    {
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "pods",
        "configmaps",
        "persistentvolumeclaims",
        "replicationcontrollers",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
        "requests.storage",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
        "storage",
    }
)
_KUBERNETES = "kubernetes.io/"
_HUGE = "hugepages-"
_INTEGER = "must be an integer"
_MUST_BE_POSITIVE = "must be greater than or equal to 0"


def is_extended(name: str) -> bool:
    """A resource such as example.com/gpu."""
    return "/" in name and _KUBERNETES not in name and not name.startswith("requests.")


def is_overcommit_allowed(name: str) -> bool:
    """Whether containers may be given more of it than they ask for (IsOvercommitAllowed)."""
    return ("/" not in name or _KUBERNETES in name) and not name.startswith(_HUGE)


def check_resource_name(name: str, path: str) -> list[FieldError]:
    """A resource that a container may ask for (validateContainerResourceName)."""
    problems = [invalid_value(path, name, text) for text in is_qualified_name(name)]
    if "/" not in name:
        if (
            not problems
            and name not in STANDARD
            and name not in OTHER_STANDARD
            and not name.startswith(_HUGE)
        ):
            problems.append(invalid_value(path, name, "must be a standard resource type or fully qualified"))
        if name not in STANDARD and not name.startswith(_HUGE):
            problems.append(invalid_value(path, name, "must be a standard resource for containers"))
    elif _KUBERNETES not in name and name.startswith("requests."):
        problems.append(invalid_value(path, name, "doesn't follow extended resource name standard"))
    return problems


def check_quantity(name: str, value: Any, path: str) -> list[FieldError]:
    """A quantity must not be negative; extended resources are whole numbers."""
    exact = quantity.parse(value)
    problems = []
    if exact < 0:
        problems.append(invalid_value(path, str(value), _MUST_BE_POSITIVE))
    if is_extended(name) and exact.denominator != 1:
        problems.append(invalid_value(path, value, _INTEGER))
    return problems


def check_requirements(requirements: JSON, claims: Collection[str], path: str) -> list[FieldError]:
    """A container's resources."""
    limits: JSON = requirements.get("limits") or {}
    requests: JSON = requirements.get("requests") or {}
    problems: list[FieldError] = []
    cpu_or_memory = huge = False
    for name in limits:
        where = f"{path}.limits[{name}]"
        problems += check_resource_name(name, where)
        problems += check_quantity(name, limits[name], where)
        if name.startswith(_HUGE):
            huge = True
            problems += _check_huge_pages(name, limits[name], where)
        cpu_or_memory |= name in ("cpu", "memory")
    for name in requests:
        where = f"{path}.requests[{name}]"
        problems += check_resource_name(name, where)
        problems += check_quantity(name, requests[name], where)
        limit = limits.get(name)
        if limit is not None:
            order = quantity.compare(requests[name], limit)
            if order and (is_extended(name) or name.startswith(_HUGE)):
                text = f"must be equal to {name} limit of {limit}"
                problems.append(invalid_value(f"{path}.requests", str(requests[name]), text))
            elif order > 0:
                text = f"must be less than or equal to {name} limit of {limit}"
                problems.append(invalid_value(f"{path}.requests", str(requests[name]), text))
        elif is_extended(name) or name.startswith(_HUGE):
            problems.append(required(f"{path}.limits", "Limit must be set for non overcommitable resources"))
        if name.startswith(_HUGE):
            huge = True
            problems += _check_huge_pages(name, requests[name], where)
        cpu_or_memory |= name in ("cpu", "memory")
    if huge and not cpu_or_memory:
        problems.append(forbidden_field(path, "HugePages require cpu or memory"))
    return problems + _check_claims(requirements.get("claims") or [], claims, f"{path}.claims")


def _check_huge_pages(name: str, value: Any, path: str) -> list[FieldError]:
    try:
        size = quantity.parse(name.removeprefix(_HUGE))
    except quantity.QuantityError:
        size = Fraction(0)
    exact = quantity.parse(value)
    if size > 0 and exact > 0 and (exact / size).denominator == 1:
        return []
    return [invalid_value(path, str(value), f"{value} is not positive integer multiple of {name}")]


def _check_claims(uses: list[JSON], claims: Collection[str], path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    seen: list[str] = []
    for index, use in enumerate(uses):
        name, where = use.get("name") or "", f"{path}[{index}]"
        if not name:
            problems.append(required(where))
            continue
        if name in seen:
            problems.append(duplicate(where, name))
        seen.append(name)
        if name not in claims:
            problem = field_not_found(where, name)
            problem.detail = "must be one of the names in pod.spec.resourceClaims" + (
                ": " + ", ".join(sorted(claims)) if claims else " which is empty"
            )
            problems.append(problem)
    return problems


def check_pod_level(spec: JSON, path: str) -> list[FieldError]:
    """spec.resources of the whole Pod (validatePodResources)."""
    resources = spec["resources"]
    problems: list[FieldError] = []
    if resources.get("claims") is not None:
        problems.append(forbidden_field(f"{path}.claims", "claims cannot be set for Resources at pod-level"))
    for kind in ("limits", "requests"):
        for name, value in (resources.get(kind) or {}).items():
            if name not in ("cpu", "memory") and not name.startswith(_HUGE):
                problems.append(invalid_value(f"{path}.{kind}", name, "must be a standard resource for pods"))
            problems += check_quantity(name, value, f"{path}.{kind}[{name}]")
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name in sorted(requests.keys() & limits.keys()):
        if quantity.compare(requests[name], limits[name]) > 0:
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            problems.append(invalid_value(f"{path}.requests", str(requests[name]), text))
    total: dict[str, str] = {}
    for container in spec.get("containers") or ():
        total = quantity.add_resources(total, (container.get("resources") or {}).get("requests") or {})
    for name in sorted(total):
        wanted = requests.get(name)
        if wanted is not None and quantity.compare(total[name], wanted) > 0:
            text = f"must be greater than or equal to aggregate container requests of {total[name]}"
            problems.append(invalid_value(f"{path}.requests[{name}]", wanted, text))
    for index, container in enumerate(spec.get("containers") or ()):
        for name, value in ((container.get("resources") or {}).get("limits") or {}).items():
            if name in limits and quantity.compare(value, limits[name]) > 0:
                text = f"must be less than or equal to pod limits of {limits[name]}"
                problems.append(invalid_value(f"{path}.containers[{index}][{name}].limits", value, text))
    return problems


def qos_class(spec: JSON) -> str:
    """Guaranteed, Burstable or BestEffort; the resources of a template's only container are looked at once."""
    parts = resources_that_count(spec)
    if len(parts) != 1:
        return class_of(parts)
    known: str | None = RULE_CACHE.of("qos", parts[0])
    if known is None:
        known = class_of(parts)
        RULE_CACHE.keep("qos", parts[0], known)
    return known
