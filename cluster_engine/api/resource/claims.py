"""What a claim asks for: requests, constraints, configuration. Templates and classes share it.

Models pkg/apis/resource/v1/defaults.go and pkg/apis/resource/validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps
from typing import Any

from cluster_engine import cel
from cluster_engine.api.storage.v1.csidriver import check_driver_name
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    invalid_value,
    not_supported,
    required,
    too_long,
)
from cluster_engine.apimachinery.validation import is_label_value, validate_label_name
from cluster_engine.cel.types import BOOL, DYN, STRING, Type, map_of, object_of

from .names import (
    check_fully_qualified,
    check_label,
    check_list,
    check_set,
    check_subdomain,
)

MAX_REQUESTS = 32
"""Requests, constraints, configurations and selectors of a claim."""
MAX_ALTERNATIVES = 8
"""Alternatives of a request."""
MAX_EXPRESSION = 10 * 1024
"""Bytes of an expression that selects devices."""
MAX_PARAMETERS = 10 * 1024
"""Bytes of what a driver is told."""
_MODES = ("All", "ExactCount")
_OPERATORS = ("Equal", "Exists")
_EFFECTS = ("NoExecute", "NoSchedule", "None")
_NOT_A_REQUEST = (
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
)
_DEVICE: Mapping[str, Type] = {
    "device": object_of(
        "kubernetes.DRADevice",
        {
            "driver": STRING,
            "attributes": map_of(STRING, map_of(STRING, DYN)),
            "capacity": map_of(STRING, map_of(STRING, Type("kubernetes.Quantity"))),
            "allowMultipleAllocations": BOOL,
        },
    )
}
"""What an expression may name."""

Names = Mapping[str, tuple[str, ...]]
"""The requests of a claim, each with its alternatives."""


# ---- defaults ------------------------------------------------------------------------------------------------


def default_spec(spec: JSON) -> JSON:
    """The spec with how many devices each request is for; the very same when it says so."""
    devices = spec.get("devices") or {}
    requests = devices.get("requests") or []
    made = [_default_request(request) for request in requests]
    if all(new is old for new, old in zip(made, requests, strict=True)):
        return spec
    return {**spec, "devices": {**devices, "requests": made}}


def _default_request(request: JSON) -> JSON:
    if request.get("exactly") is not None:
        exactly = _default_count(request["exactly"])
        return request if exactly is request["exactly"] else {**request, "exactly": exactly}
    choices = request.get("firstAvailable") or []
    made = [_default_count(choice) for choice in choices]
    if all(new is old for new, old in zip(made, choices, strict=True)):
        return request
    return {**request, "firstAvailable": made}


def _default_count(request: JSON) -> JSON:
    add: JSON = {}
    mode = request.get("allocationMode") or "ExactCount"
    if not request.get("allocationMode"):
        add["allocationMode"] = mode
    if mode == "ExactCount" and not request.get("count"):
        add["count"] = 1
    tolerations = request.get("tolerations") or []
    if any(not each.get("operator") for each in tolerations):
        add["tolerations"] = [{**each, "operator": each.get("operator") or "Equal"} for each in tolerations]
    return {**request, **add} if add else request


# ---- validation ----------------------------------------------------------------------------------------------


def check_spec(spec: JSON, path: str) -> list[FieldError]:
    """A claim's spec (validateResourceClaimSpec)."""
    devices, where = spec.get("devices") or {}, f"{path}.devices"
    names = request_names(spec)
    requests = devices.get("requests") or []
    problems = check_set(
        requests, MAX_REQUESTS, _check_request, f"{where}.requests", lambda each: each.get("name") or ""
    )
    problems += check_list(
        devices.get("constraints") or [],
        MAX_REQUESTS,
        lambda each, at: _check_constraint(each, at, names),
        f"{where}.constraints",
    )
    return problems + check_list(
        devices.get("config") or [],
        MAX_REQUESTS,
        lambda each, at: check_references(each, at, names) + check_configuration(each, at),
        f"{where}.config",
    )


def request_names(spec: JSON) -> Names:
    """The names that constraints, configurations and results may name."""
    requests = (spec.get("devices") or {}).get("requests") or []
    return {
        each.get("name") or "": tuple(choice.get("name") or "" for choice in each.get("firstAvailable") or ())
        for each in requests
    }


def check_reference(name: str, path: str, names: Names) -> list[FieldError]:
    """The name of a request, or of one and of its alternative (validateRequestNameRef)."""
    parts = name.split("/")
    if len(parts) > 2:
        return [invalid_value(path, name, _NOT_A_REQUEST)]
    problems = [problem for part in parts for problem in check_label(part, path)]
    known = parts[0] in names and (len(parts) == 1 or parts[1] in names[parts[0]])
    return problems if known else [*problems, invalid_value(path, name, _NOT_A_REQUEST)]


def check_references(holder: JSON, path: str, names: Names) -> list[FieldError]:
    """The field ``requests`` of a constraint or a configuration."""
    return check_set(
        holder.get("requests") or [],
        MAX_REQUESTS,
        lambda each, at: check_reference(each, at, names),
        f"{path}.requests",
    )


def _check_request(request: JSON, path: str) -> list[FieldError]:
    problems = check_label(request.get("name") or "", f"{path}.name")
    exactly, choices = request.get("exactly"), request.get("firstAvailable") or []
    only = "exactly one of `exactly` or `firstAvailable` is required"
    if exactly is None and not choices:
        return [*problems, required(path, only)]
    if exactly is not None and choices:
        return [*problems, invalid_value(path, None, f"{only}, but multiple fields are set")]
    if exactly is not None:
        return problems + _check_exact(exactly, f"{path}.exactly")
    return problems + check_set(
        choices,
        MAX_ALTERNATIVES,
        lambda each, at: check_label(each.get("name") or "", f"{at}.name") + _check_exact(each, at),
        f"{path}.firstAvailable",
        lambda each: each.get("name") or "",
    )


def _check_exact(request: JSON, path: str) -> list[FieldError]:
    name = request.get("deviceClassName") or ""
    where = f"{path}.deviceClassName"
    problems = check_subdomain(name, where) if name else [required(where)]
    problems += check_selectors(request.get("selectors") or [], f"{path}.selectors")
    mode, count = request.get("allocationMode"), request.get("count") or 0
    if mode == "All" and count:
        text = "must not be specified when allocationMode is 'All'"
        problems.append(invalid_value(f"{path}.count", count, text))
    elif mode == "ExactCount" and count <= 0:
        problems.append(invalid_value(f"{path}.count", count, "must be greater than zero"))
    elif mode not in _MODES:
        problems.append(not_supported(f"{path}.allocationMode", mode, _MODES))
    for index, toleration in enumerate(request.get("tolerations") or ()):
        problems += check_toleration(toleration, f"{path}.tolerations[{index}]")
    return problems


def check_selectors(selectors: list[JSON], path: str) -> list[FieldError]:
    """Expressions that devices must satisfy."""
    return check_list(selectors, MAX_REQUESTS, _check_selector, path)


def _check_selector(selector: JSON, path: str) -> list[FieldError]:
    if selector.get("cel") is None:
        return [required(f"{path}.cel")]
    text, where = selector["cel"].get("expression") or "", f"{path}.cel.expression"
    if len(text) > MAX_EXPRESSION:
        return [too_long(where, "", MAX_EXPRESSION)]
    try:
        result = cel.compile(text, _DEVICE).result
    except cel.CelCompileError as error:
        return [invalid_value(where, text, f"compilation failed: {error}")]
    if result not in (BOOL, DYN):
        return [invalid_value(where, text, f"must evaluate to bool or the unknown type, not {result}")]
    return []


def check_toleration(toleration: JSON, path: str) -> list[FieldError]:
    """A toleration of a device's taints (validateDeviceToleration)."""
    key, value = toleration.get("key") or "", toleration.get("value") or ""
    operator, effect = toleration.get("operator") or "", toleration.get("effect") or ""
    problems = validate_label_name(key, f"{path}.key") if key else []
    if operator == "Exists" and value:
        problems.append(invalid_value(f"{path}.value", value, "must be empty for operator `Exists`"))
    elif operator == "Equal":
        problems += [invalid_value(f"{path}.value", value, text) for text in is_label_value(value)]
    elif not operator:
        problems.append(required(f"{path}.operator"))
    elif operator not in _OPERATORS:
        problems.append(not_supported(f"{path}.operator", operator, _OPERATORS))
    if effect and effect not in _EFFECTS:
        problems.append(not_supported(f"{path}.effect", effect, _EFFECTS))
    return problems


def check_taint(taint: JSON, path: str) -> list[FieldError]:
    """A taint of a device (validateDeviceTaint)."""
    value, effect = taint.get("value") or "", taint.get("effect") or ""
    problems = validate_label_name(taint.get("key") or "", f"{path}.key")
    problems += [invalid_value(f"{path}.value", value, text) for text in is_label_value(value)]
    if not effect:
        problems.append(required(f"{path}.effect"))
    elif effect not in _EFFECTS:
        problems.append(not_supported(f"{path}.effect", effect, _EFFECTS))
    return problems


def _check_constraint(constraint: JSON, path: str, names: Names) -> list[FieldError]:
    problems = check_references(constraint, path, names)
    for field in ("matchAttribute", "distinctAttribute"):
        if constraint.get(field) is not None:
            return problems + check_fully_qualified(constraint[field], f"{path}.{field}")
    text = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
    return [*problems, required(path, text)]


def check_configuration(config: JSON, path: str) -> list[FieldError]:
    """What a driver is told (validateDeviceConfiguration)."""
    opaque = config.get("opaque")
    if opaque is None:
        return [required(f"{path}.opaque")]
    problems = check_driver_name(opaque.get("driver") or "", f"{path}.opaque.driver")
    return problems + check_raw(opaque.get("parameters"), f"{path}.opaque.parameters", MAX_PARAMETERS)


def check_raw(value: Any, path: str, limit: int) -> list[FieldError]:
    """An object of any fields (validateRawExtension)."""
    if value is None:
        return [required(path)]
    if len(dumps(value, separators=(",", ":"))) > limit:
        return [too_long(path, "", limit)]
    if not isinstance(value, dict):
        return [invalid_value(path, "<value omitted>", "must be a valid JSON object")]
    return []
