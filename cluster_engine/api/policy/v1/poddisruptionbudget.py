"""PodDisruptionBudget.

Models pkg/registry/policy/poddisruptionbudget/strategy.go and pkg/apis/policy/validation.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.core.v1.workload import check_amount, check_at_most_100_percent
from cluster_engine.api.meta import check_meta, check_not_negative
from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, not_supported
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import validate_label_selector

_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
_EMPTY = dict.fromkeys(("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"), 0)


def default(budget: JSON) -> JSON:
    """Shows an empty spec."""
    return budget if budget.get("spec") is not None else {**budget, "spec": {}}


def prepare_create(budget: JSON) -> JSON:
    """A new budget allows nothing before it is counted."""
    return {**create_spec(budget), "status": _EMPTY}


def _check(budget: JSON) -> list[FieldError]:
    spec, path = budget.get("spec") or {}, "spec"
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    problems: list[FieldError] = []
    if least is not None and most is not None:
        told = {
            "MinAvailable": least,
            "Selector": spec.get("selector"),
            "MaxUnavailable": most,
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }
        problems.append(invalid_value(path, told, "minAvailable and maxUnavailable cannot be both set"))
    for name, value in (("minAvailable", least), ("maxUnavailable", most)):
        if value is not None:
            problems += check_amount(value, f"{path}.{name}")
            problems += check_at_most_100_percent(value, f"{path}.{name}")
    if spec.get("selector") is not None:
        problems += validate_label_selector(spec["selector"], f"{path}.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in _POLICIES:
        problems.append(not_supported(f"{path}.unhealthyPodEvictionPolicy", policy, _POLICIES))
    return problems


def validate(budget: JSON) -> list[FieldError]:
    """What is wrong with a new budget."""
    return check_meta(budget) + _check(budget)


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with a status."""
    status = new.get("status") or {}
    return [problem for name in _COUNTS for problem in check_not_negative(status.get(name), f"status.{name}")]


def row(budget: JSON, now: int) -> list[Any]:
    """The cells of a budget."""
    spec = budget.get("spec") or {}
    bounds = [str(spec[n]) if spec.get(n) is not None else "N/A" for n in ("minAvailable", "maxUnavailable")]
    allowed = (budget.get("status") or {}).get("disruptionsAllowed") or 0
    return [budget["metadata"]["name"], *bounds, allowed, age(budget, now)]


KIND = Kind(
    group="policy",
    version="v1",
    kind="PodDisruptionBudget",
    resource="poddisruptionbudgets",
    singular="poddisruptionbudget",
    namespaced=True,
    short_names=("pdb",),
    subresources=STATUS,
    columns=(
        NAME,
        Column("Min Available", description=doc("policy.v1.PodDisruptionBudgetSpec", "minAvailable")),
        Column("Max Unavailable", description=doc("policy.v1.PodDisruptionBudgetSpec", "maxUnavailable")),
        Column(
            "Allowed Disruptions",
            "integer",
            description=doc("policy.v1.PodDisruptionBudgetStatus", "disruptionsAllowed"),
        ),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=validate,
    validate_update=lambda new, old: _check(new),
    validate_status=validate_status,
    unconditional_update=False,
)
