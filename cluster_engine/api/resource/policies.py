"""What may be asked of a capacity that several claims share, and on what the binding of a Pod waits.

Models pkg/apis/resource/validation (validateRequestPolicy, validateDeviceBindingParameters).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    required,
)
from cluster_engine.apimachinery.validation import validate_label_name

from .names import check_list, check_set

MAX_BINDING_CONDITIONS = 4
"""Conditions on which the binding of a Pod waits."""
MAX_OPTIONS = 10
"""Amounts of which one may be asked for."""


def check_policy(policy: JSON | None, capacity: Any, path: str, shared: bool) -> list[FieldError]:
    """What is wrong with the amounts that may be asked of a capacity."""
    if policy is None:
        return []
    if not shared:
        return [forbidden_field(path, "allowMultipleAllocations must be true")]
    values, between, default = policy.get("validValues"), policy.get("validRange"), policy.get("default")
    if values and between is not None:
        text = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
        return [forbidden_field(path, text)]
    if default is None and (values or between is not None):
        field = "validValues" if values else "validRange"
        return [required(f"{path}.default", f"required when {field} is defined")]
    if values:
        return _check_options(values, default, capacity, f"{path}.validValues")
    return [] if between is None else _check_range(between, default, capacity, f"{path}.validRange")


def _check_options(values: list[Any], default: Any, capacity: Any, path: str) -> list[FieldError]:
    problems = [
        invalid_value(f"{path}[{at}]", quantity.canonical(after), "values must be sorted in ascending order")
        for at, (before, after) in enumerate(pairwise(values), 1)
        if quantity.compare(before, after) > 0
    ]

    def check(option: Any, where: str) -> list[FieldError]:
        if quantity.compare(option, capacity) <= 0:
            return []
        text = f"option is larger than capacity value: {quantity.canonical(capacity)}"
        return [invalid_value(where, quantity.canonical(option), text)]

    problems += check_set(values, MAX_OPTIONS, check, path, lambda each: str(quantity.value(each)))
    if len(values) > MAX_OPTIONS or all(quantity.compare(each, default) for each in values):
        text = "default value is not valid according to the requestPolicy"
        problems.append(invalid_value(path, quantity.canonical(default), text))
    return problems


def _check_range(between: JSON, default: Any, capacity: Any, path: str) -> list[FieldError]:
    low, high, step = (between.get(name) for name in ("min", "max", "step"))
    if low is None:
        return [required(f"{path}.min", "required when validRange is defined")]
    problems: list[FieldError] = []

    def ordered(less: Any, more: Any, where: str, shown: Any, text: str) -> None:
        if quantity.compare(less, more) > 0:
            problems.append(invalid_value(f"{path}.{where}", quantity.canonical(shown), text))

    whole, least = quantity.canonical(capacity), quantity.canonical(low)
    ordered(low, capacity, "min", low, f"min is larger than capacity value: {whole}")
    ordered(low, default, "default", default, f"default is less than min: {least}")
    if high is not None:
        most = quantity.canonical(high)
        ordered(low, high, "max", low, f"min is larger than max: {most}")
        ordered(high, capacity, "max", high, f"max is larger than capacity value: {whole}")
        ordered(default, high, "default", default, f"default is more than max: {most}")
    if step is None:
        return problems
    shown = quantity.canonical(step)
    if quantity.parse(step) <= 0:
        return [*problems, invalid_value(f"{path}.step", shown, "must be greater than zero")]
    added = quantity.add(low, step)
    ordered(added, capacity, "step", step, f"one step {added} is larger than capacity value: {whole}")
    for value in (default, high):
        if value is not None and (quantity.value(value) - quantity.value(low)) % quantity.value(step):
            text = f"value is not a multiple of a given step ({shown}) from ({least})"
            problems.append(invalid_value(f"{path}.step", quantity.canonical(value), text))
    return problems


def check_binding(holder: JSON, path: str) -> list[FieldError]:
    """The conditions of a device, or of one that was given, on which the binding of a Pod waits."""
    fine, failed = "bindingConditions", "bindingFailureConditions"
    problems: list[FieldError] = []
    for field in (fine, failed):
        found = holder.get(field) or []
        problems += check_list(found, MAX_BINDING_CONDITIONS, validate_label_name, f"{path}.{field}")
    waits, fails = holder.get(fine) or [], holder.get(failed) or []
    problems += [
        duplicate(f"{path}.{fine}[{at}]", each) for at, each in enumerate(waits) if each in waits[:at]
    ]
    for at, each in enumerate(fails):
        if each in fails[:at]:
            problems.append(duplicate(f"{path}.{failed}[{at}]", each))
        if each in waits:
            text = f"{failed} must not overlap with {fine}"
            problems.append(invalid_value(f"{path}.{failed}[{at}]", each, text))
    if fails and not waits:
        problems.append(invalid_value(f"{path}.{fine}", None, f"{fine} are required to use {failed}"))
    if waits and not fails:
        problems.append(invalid_value(f"{path}.{failed}", None, f"{failed} are required to use {fine}"))
    return problems
