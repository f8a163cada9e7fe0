"""What a claim was given, and who has it: the status of a ResourceClaim.

Models pkg/apis/resource/validation (ValidateResourceClaimStatusUpdate).
"""

from __future__ import annotations

import re

from cluster_engine.api.core.v1.pod_spec.scheduling import check_node_selector
from cluster_engine.api.meta import check_immutable
from cluster_engine.api.storage.v1.csidriver import check_driver_name
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_many,
)

from .claims import (
    MAX_REQUESTS,
    Names,
    check_configuration,
    check_raw,
    check_reference,
    check_references,
    check_toleration,
    request_names,
)
from .names import check_label, check_list, check_pool_name, check_set, duplicates
from .policies import check_binding

MAX_CONSUMERS = 256
"""Pods that may have a claim."""
MAX_CONDITIONS = 8
"""Conditions of an allocated device."""
MAX_DATA = 10 * 1024
"""Bytes of what a driver tells of a device."""
_SOURCES = ("FromClaim", "FromClass")
_uid = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NORMAL = (
    "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal "
    "characters"
)


def check_status(new: JSON, old: JSON) -> list[FieldError]:
    """A changed status."""
    status, before = new.get("status") or {}, old.get("status") or {}
    names, allocation = request_names(new.get("spec") or {}), status.get("allocation")
    consumers = status.get("reservedFor") or []
    problems = check_set(
        consumers, MAX_CONSUMERS, _check_consumer, "status.reservedFor", lambda each: each.get("uid") or ""
    )
    devices = status.get("devices") or []
    given = [device_id(each) for each in ((allocation or {}).get("devices") or {}).get("results") or ()]
    for index, device in enumerate(devices):
        problems += _check_device(device, f"status.devices[{index}]", given)
    problems += duplicates((device_id(each) for each in devices), "status.devices")
    if consumers and allocation is None:
        text = "may not be specified when `allocated` is not set"
        problems.append(forbidden_field("status.reservedFor", text))
    elif "deletionTimestamp" in new["metadata"] and any(
        each not in (before.get("reservedFor") or []) for each in consumers
    ):
        text = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
        problems.append(forbidden_field("status.reservedFor", text))
    if allocation is None:
        return problems
    if before.get("allocation") is not None:
        return problems + check_immutable(allocation, before["allocation"], "status.allocation")
    return problems + _check_allocation(allocation, "status.allocation", names)


def device_id(result: JSON) -> str:
    """Which device, as texts have it."""
    found = "/".join(str(result.get(name) or "") for name in ("driver", "pool", "device"))
    return f"{found}/{result['shareID']}" if result.get("shareID") else found


def _check_consumer(consumer: JSON, path: str) -> list[FieldError]:
    return [required(f"{path}.{name}") for name in ("resource", "name", "uid") if not consumer.get(name)]


def _check_place(result: JSON, path: str) -> list[FieldError]:
    problems = check_driver_name(result.get("driver") or "", f"{path}.driver")
    problems += check_pool_name(result.get("pool") or "", f"{path}.pool")
    return problems + check_label(result.get("device") or "", f"{path}.device")


def _check_share(result: JSON, path: str) -> list[FieldError]:
    share = result.get("shareID")
    if share is None or _uid.fullmatch(share):
        return []
    return [invalid_value(f"{path}.shareID", share, _NORMAL)]


def _check_device(device: JSON, path: str, given: list[str]) -> list[FieldError]:
    problems = _check_place(device, path) + _check_share(device, path)
    if device_id(device) not in given:
        problems.append(invalid_value(path, device_id(device), "must be an allocated device in the claim"))
    if len(device.get("conditions") or ()) > MAX_CONDITIONS:
        problems.append(too_many(f"{path}.conditions", len(device["conditions"]), MAX_CONDITIONS))
    if device.get("data") is not None:
        problems += check_raw(device["data"], f"{path}.data", MAX_DATA)
    return problems


def _check_allocation(allocation: JSON, path: str, names: Names) -> list[FieldError]:
    devices, where = allocation.get("devices") or {}, f"{path}.devices"
    problems = check_list(
        devices.get("results") or [],
        MAX_REQUESTS,
        lambda each, at: (
            check_reference(each.get("request") or "", f"{at}.request", names)
            + _check_place(each, at)
            + check_binding(each, at)
            + _check_tolerations(each, at)
            + _check_share(each, at)
        ),
        f"{where}.results",
    )
    problems += check_list(
        devices.get("config") or [],
        2 * MAX_REQUESTS,
        lambda each, at: _check_given_configuration(each, at, names),
        f"{where}.config",
    )
    selector = allocation.get("nodeSelector")
    return problems if selector is None else problems + check_node_selector(selector, f"{path}.nodeSelector")


def _check_tolerations(result: JSON, path: str) -> list[FieldError]:
    return [
        problem
        for at, each in enumerate(result.get("tolerations") or ())
        for problem in check_toleration(each, f"{path}.tolerations[{at}]")
    ]


def _check_given_configuration(config: JSON, path: str, names: Names) -> list[FieldError]:
    source, problems = config.get("source") or "", []
    if not source:
        problems.append(required(f"{path}.source"))
    elif source not in _SOURCES:
        problems.append(not_supported(f"{path}.source", source, _SOURCES))
    return problems + check_references(config, path, names) + check_configuration(config, path)
