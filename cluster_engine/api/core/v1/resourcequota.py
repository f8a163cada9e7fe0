"""ResourceQuota.

Models pkg/registry/core/resourcequota/strategy.go and pkg/apis/core/validation (ValidateResourceQuota). What is
counted, component_helpers.quota says; the admission plugin ResourceQuota and the controller go by it.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import IMMUTABLE, check_meta
from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.api.strategy import keep_status, update_status, without_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, required
from cluster_engine.apimachinery.scheme import Column, Kind

from .pod_spec.resources import is_extended
from .quota_names import COUNTS, check_standard_name, is_standard_of_quotas

_PODS = frozenset({"pods"})
_COMPUTE = frozenset({"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"})
_CLAIMS = frozenset({"persistentvolumeclaims", "requests.storage"})
_SCOPES = {
    "Terminating": _PODS | _COMPUTE,
    "NotTerminating": _PODS | _COMPUTE,
    "BestEffort": _PODS,
    "NotBestEffort": _PODS | _COMPUTE,
    "PriorityClass": _PODS | _COMPUTE,
    "CrossNamespacePodAffinity": _PODS | _COMPUTE,
    "VolumeAttributesClass": _CLAIMS,
}
"""The scopes, and which of the standard resources they may be applied to."""
_CONFLICTS = (("BestEffort", "NotBestEffort"), ("NotTerminating", "Terminating"))
_ALWAYS_EXISTS = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity")


def default(quota: JSON) -> JSON:
    """Shows an empty spec and status."""
    add: JSON = {name: {} for name in ("spec", "status") if quota.get(name) is None}
    return {**quota, **add} if add else quota


def _check_amounts(amounts: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    for name, amount in amounts.items():
        where = f"{path}[{name}]"
        problems += check_standard_name(name, where)
        if "/" not in name and not is_standard_of_quotas(name):
            problems.append(invalid_value(where, name, "must be a standard resource for quota"))
        exact = quantity.parse(amount)
        if exact < 0:
            problems.append(invalid_value(where, str(amount), "must be greater than or equal to 0"))
        if (name in COUNTS or is_extended(name)) and exact.denominator != 1:
            problems.append(invalid_value(where, amount, "must be an integer"))
    return problems


def _check_scope(scope: str, hard: JSON, path: str, told: Any, unknown: tuple[str, Any]) -> list[FieldError]:
    problems: list[FieldError] = []
    if scope not in _SCOPES:
        problems.append(invalid_value(*unknown, "unsupported scope"))
    for name in sorted(hard):
        if is_standard_of_quotas(name) and scope in _SCOPES and name not in _SCOPES[scope]:
            problems.append(invalid_value(path, told, "unsupported scope applied to resource"))
    return problems


def _check_pairs(scopes: list[str], told: Any, path: str) -> list[FieldError]:
    clashing = [pair for pair in _CONFLICTS if all(scope in scopes for scope in pair)]
    return [invalid_value(path, told, "conflicting scopes") for _pair in clashing]


def _check_scopes(spec: JSON) -> list[FieldError]:
    scopes, path = spec.get("scopes") or [], "spec.scopes"
    problems: list[FieldError] = []
    for scope in scopes:
        problems += _check_scope(scope, spec.get("hard") or {}, path, scopes, (path, scopes))
    return problems + _check_pairs(scopes, scopes, path)


def _check_selector(spec: JSON) -> list[FieldError]:
    selector = spec.get("scopeSelector") or {}
    path = "spec.scopeSelector.matchExpressions"
    problems: list[FieldError] = []
    for term in selector.get("matchExpressions") or ():
        scope, operator, values = term.get("scopeName") or "", term.get("operator") or "", term.get("values")
        unknown = (f"{path}.scopeName", scope)
        problems += _check_scope(scope, spec.get("hard") or {}, path, selector, unknown)
        if scope in _ALWAYS_EXISTS and operator != "Exists":
            text = (
                "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, "
                "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort "
                "or ResourceQuotaScopeCrossNamespacePodAffinity"
            )
            problems.append(invalid_value(f"{path}.operator", operator, text))
        if operator in ("In", "NotIn"):
            if not values:
                text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                problems.append(required(f"{path}.values", text))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
                problems.append(invalid_value(f"{path}.values", values, text))
        else:
            problems.append(invalid_value(f"{path}.operator", operator, "not a valid selector operator"))
    named = [term.get("scopeName") or "" for term in selector.get("matchExpressions") or ()]
    return problems + _check_pairs(named, spec.get("scopes"), path)


def _check(quota: JSON) -> list[FieldError]:
    spec = quota.get("spec") or {}
    return _check_amounts(spec.get("hard") or {}, "spec.hard") + _check_scopes(spec) + _check_selector(spec)


def validate(quota: JSON) -> list[FieldError]:
    """What is wrong with a new quota."""
    return check_meta(quota) + _check(quota)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with an update; the scopes stay."""
    problems = _check(new)
    now, before = ((quota.get("spec") or {}).get("scopes") or [] for quota in (new, old))
    if sorted(set(now)) != sorted(set(before)):
        problems.append(invalid_value("spec.scopes", now, IMMUTABLE))
    return problems


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """What is wrong with a status."""
    status = new.get("status") or {}
    return _check_amounts(status.get("hard") or {}, "status.hard") + _check_amounts(
        status.get("used") or {}, "status.used"
    )


def row(quota: JSON, now: int) -> list[Any]:
    """The cells of a quota: what is used of what, requests and limits apart."""
    status = quota.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for name in sorted(hard):
        cell = f"{name}: {used.get(name, '0')}/{hard[name]}"
        (limits if name.startswith("limits.") else requests).append(cell)
    return [quota["metadata"]["name"], ", ".join(requests), ", ".join(limits), age(quota, now)]


KIND = Kind(
    group="",
    version="v1",
    kind="ResourceQuota",
    resource="resourcequotas",
    singular="resourcequota",
    namespaced=True,
    short_names=("quota",),
    subresources=STATUS,
    returns_deleted=True,
    columns=(
        NAME,
        Column(
            "Request",
            description="Request represents a minimum amount of cpu/memory that a container may consume.",
        ),
        Column(
            "Limit",
            description="Limits control the maximum amount of cpu/memory that a container may use independent of "
            "contention on the node.",
        ),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=lambda quota: {**without_status(quota), "status": {}},
    prepare_update=keep_status,
    prepare_status=update_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
)
