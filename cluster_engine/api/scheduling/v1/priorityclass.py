"""PriorityClass.

Models pkg/registry/scheduling/priorityclass/strategy.go and pkg/apis/scheduling/validation.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.api.strategy import with_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, forbidden_field, not_supported
from cluster_engine.apimachinery.scheme import Column, Kind

SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
HIGHEST_USER = 1_000_000_000
_POLICIES = ("PreemptLowerPriority", "Never")
_RESERVED = "priority class names with 'system-' prefix are reserved for system use only. error: "


def default(priority: JSON) -> JSON:
    """Pods of a class preempt others unless it says otherwise."""
    add: JSON = {} if priority.get("preemptionPolicy") else {"preemptionPolicy": _POLICIES[0]}
    if priority.get("value") is None:
        add["value"] = 0
    return {**priority, **add} if add else priority


def prepare_create(priority: JSON) -> JSON:
    """Generation 1."""
    return with_generation(priority, 1)


def _check(priority: JSON) -> list[FieldError]:
    name, value = priority["metadata"].get("name") or "", priority.get("value") or 0
    problems: list[FieldError] = []
    if name.startswith("system-"):
        if name not in SYSTEM:
            text = f"{_RESERVED}{name} is not a known system priority class"
            problems.append(forbidden_field("metadata.name", text))
        elif value != SYSTEM[name]:
            text = f"{_RESERVED}value of {name} PriorityClass must be {SYSTEM[name]}"
            problems.append(forbidden_field("metadata.name", text))
    elif value > HIGHEST_USER:
        text = f"maximum allowed value of a user defined priority is {HIGHEST_USER}"
        problems.append(forbidden_field("value", text))
    if priority.get("preemptionPolicy") not in _POLICIES:
        problems.append(not_supported("preemptionPolicy", priority.get("preemptionPolicy") or "", _POLICIES))
    return problems


def validate(priority: JSON) -> list[FieldError]:
    """What is wrong with a new class."""
    return check_meta(priority, namespaced=False) + _check(priority)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """Neither the value nor the preemption policy may change."""
    problems: list[FieldError] = []
    if (new.get("value") or 0) != (old.get("value") or 0):
        problems.append(forbidden_field("value", "may not be changed in an update."))
    policy, before = new.get("preemptionPolicy"), old.get("preemptionPolicy")
    return problems + check_immutable(policy, before, "preemptionPolicy")


def row(priority: JSON, now: int) -> list[Any]:
    """The cells of a class."""
    return [
        priority["metadata"]["name"],
        priority.get("value") or 0,
        bool(priority.get("globalDefault")),
        age(priority, now),
        priority.get("preemptionPolicy") or "",
    ]


KIND = Kind(
    group="scheduling.k8s.io",
    version="v1",
    kind="PriorityClass",
    resource="priorityclasses",
    singular="priorityclass",
    namespaced=False,
    short_names=("pc",),
    columns=(
        NAME,
        Column("Value", "integer", description=doc("scheduling.v1.PriorityClass", "value")),
        Column("Global-Default", "boolean", description=doc("scheduling.v1.PriorityClass", "globalDefault")),
        AGE,
        Column("PreemptionPolicy", description=doc("scheduling.v1.PriorityClass", "preemptionPolicy")),
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    validate=validate,
    validate_update=validate_update,
)
