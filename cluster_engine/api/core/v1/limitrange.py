"""LimitRange.

Models pkg/registry/core/limitrange/strategy.go, pkg/apis/core/v1/defaults.go (SetDefaults_LimitRangeItem) and
pkg/apis/core/validation (ValidateLimitRange). That something holds to it is the admission plugin LimitRanger.
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.api.meta import check_meta
from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, duplicate, forbidden_field, invalid_value, required
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.apimachinery.validation import is_qualified_name

from .pod_spec.resources import check_resource_name, is_overcommit_allowed
from .quota_names import check_standard_name

_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_LISTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def _filled(item: JSON) -> JSON:
    """A range of containers says what it implies: limits follow from max, requests from limits and min."""
    if item.get("type") != "Container":
        return item
    limits = {**(item.get("max") or {}), **(item.get("default") or {})}
    requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
    new = {**item, "default": limits, "defaultRequest": requests}
    return item if new == item else {name: value for name, value in new.items() if value != {}}


def default(limits: JSON) -> JSON:
    """Defaults of containers that follow from what is given."""
    items = (limits.get("spec") or {}).get("limits")
    if items is None:
        return limits if limits.get("spec") is not None else {**limits, "spec": {}}
    filled = [_filled(item) for item in items]
    if all(new is old for new, old in zip(filled, items, strict=True)):
        return limits
    return {**limits, "spec": {**limits["spec"], "limits": filled}}


def _check_type(name: str, path: str) -> list[FieldError]:
    problems = [invalid_value(path, name, text) for text in is_qualified_name(name)]
    if not problems and "/" not in name and name not in _TYPES:
        problems.append(invalid_value(path, name, "must be a standard limit type or fully qualified"))
    return problems


def _check_names(item: JSON, parts: tuple[str, ...], path: str) -> list[FieldError]:
    check = check_resource_name if item.get("type") in ("Pod", "Container") else check_standard_name
    problems: list[FieldError] = []
    for part in parts:
        if item.get("type") == "Pod" and part in ("default", "defaultRequest"):
            if item.get(part):
                problems.append(
                    forbidden_field(f"{path}.{part}", "may not be specified when `type` is 'Pod'")
                )
            continue
        for name in item.get(part) or {}:
            problems += check(name, f"{path}.{part}[{name}]")
    return problems


def _check_order(item: JSON, name: str, path: str) -> list[FieldError]:
    """min ≤ defaultRequest ≤ default ≤ max, of one resource."""
    low, high, limit, request, ratio = (
        (item.get(part) or {}).get(name)
        for part in ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")
    )
    if item.get("type") == "Pod":
        limit = request = None
    problems: list[FieldError] = []

    def ordered(small: str | None, large: str | None, where: str, told: str | None, words: str) -> None:
        if small is not None and large is not None and quantity.compare(small, large) > 0:
            text = words.format(quantity.canonical(small), quantity.canonical(large))
            problems.append(invalid_value(f"{path}.{where}[{name}]", told, text))

    ordered(low, high, "min", low, "min value {} is greater than max value {}")
    ordered(low, request, "defaultRequest", request, "min value {} is greater than default request value {}")
    ordered(request, high, "defaultRequest", request, "default request value {} is greater than max value {}")
    ordered(
        request,
        limit,
        "defaultRequest",
        request,
        "default request value {} is greater than default limit value {}",
    )
    ordered(low, limit, "default", low, "min value {} is greater than default value {}")
    ordered(limit, high, "default", high, "default value {} is greater than max value {}")
    where = f"{path}.maxLimitRequestRatio[{name}]"
    if ratio is not None and quantity.compare(ratio, "1") < 0:
        problems.append(invalid_value(where, ratio, f"ratio {quantity.canonical(ratio)} is less than 1"))
    if ratio is not None and low is not None and high is not None and quantity.parse(low) != 0:
        greatest = quantity.milli(high) / quantity.milli(low)
        if quantity.milli(ratio) / 1000 > greatest:
            text = f"ratio {quantity.canonical(ratio)} is greater than max/min = {greatest:f}"
            problems.append(invalid_value(where, ratio, text))
    if (
        not is_overcommit_allowed(name)
        and limit is not None
        and request is not None
        and quantity.compare(limit, request)
    ):
        shown, asked = quantity.canonical(limit), quantity.canonical(request)
        text = f"default value {shown} must equal to defaultRequest value {asked} in {name}"
        problems.append(invalid_value(f"{path}.defaultRequest[{name}]", request, text))
    return problems


def _check_item(item: JSON, path: str) -> list[FieldError]:
    problems = _check_names(item, _LISTS[:-1], path)
    bounds: Mapping[str, object] = {**(item.get("min") or {}), **(item.get("max") or {})}
    if item.get("type") == "PersistentVolumeClaim" and "storage" not in bounds:
        text = "either minimum or maximum storage value is required, but neither was provided"
        problems.append(required(f"{path}.limits", text))
    problems += _check_names(item, _LISTS[-1:], path)
    names = dict.fromkeys(name for part in _LISTS for name in item.get(part) or {})
    for name in sorted(names):
        problems += _check_order(item, name, path)
    return problems


def _check(limits: JSON) -> list[FieldError]:
    problems: list[FieldError] = []
    seen: list[str] = []
    for index, item in enumerate((limits.get("spec") or {}).get("limits") or ()):
        path, type_name = f"spec.limits[{index}]", item.get("type") or ""
        problems += _check_type(type_name, f"{path}.type")
        if type_name in seen:
            problems.append(duplicate(f"{path}.type", type_name))
        seen.append(type_name)
        problems += _check_item(item, path)
    return problems


def validate(limits: JSON) -> list[FieldError]:
    """What is wrong with a LimitRange; an update is looked at as a create."""
    return check_meta(limits) + _check(limits)


KIND = Kind(
    group="",
    version="v1",
    kind="LimitRange",
    resource="limitranges",
    singular="limitrange",
    namespaced=True,
    short_names=("limits",),
    default=default,
    validate=validate,
    validate_update=lambda new, old: _check(new),
)
