"""What a driver says of its devices: the spec of a ResourceSlice.

Models pkg/apis/resource/validation (validateResourceSliceSpec).
"""

from __future__ import annotations

import re

from cluster_engine.api.core.v1.pod_spec.scheduling import check_node_selector
from cluster_engine.api.meta import check_immutable
from cluster_engine.api.storage.v1.csidriver import check_driver_name
from cluster_engine.apimachinery.cow import JSON, get
from cluster_engine.apimachinery.errors import (
    FieldError,
    invalid_value,
    required,
    too_long,
)

from .claims import check_taint
from .names import (
    Check,
    check_label,
    check_list,
    check_map,
    check_pool_name,
    check_qualified,
    check_set,
    check_subdomain,
)
from .policies import check_binding, check_policy

MAX_DEVICES = 128
"""Devices of a slice."""
MAX_SPECIAL_DEVICES = 64
"""Devices of a slice of which some have taints or consume counters."""
MAX_ATTRIBUTES = 32
"""Attributes and capacities of a device together."""
MAX_VALUE = 64
"""Bytes of an attribute's value."""
MAX_TAINTS = 16
"""Taints of a device."""
MAX_COUNTER_SETS = 8
"""Sets of counters that devices of a slice share."""
MAX_COUNTERS = 32
"""Counters of a set, and of what a device consumes of one."""
MAX_CONSUMED_SETS = 2
"""Sets of which a device consumes."""
_NUMBER = r"(0|[1-9]\d*)"
_PRE = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_semver = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PRE}(\.{_PRE})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?", re.ASCII
)
_PLACES = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
_DEVICE_PLACES = (
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to "
    "true in the ResourceSlice spec"
)
_NO_PLACES = (
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the "
    "ResourceSlice spec"
)
_UNSET_OR_TRUE = "must be either unset or set to true"


def check_slice(spec: JSON, old: JSON | None) -> list[FieldError]:
    """The spec of a new slice, or of a changed one."""
    pool, path = spec.get("pool") or {}, "spec"
    problems = check_driver_name(spec.get("driver") or "", f"{path}.driver") + _check_pool(
        pool, f"{path}.pool"
    )
    if old is not None:
        problems += check_immutable(pool.get("name"), get(old, "pool", "name"), f"{path}.pool.name")
        problems += check_immutable(spec.get("driver"), old.get("driver"), f"{path}.driver")
        problems += check_immutable(spec.get("nodeName"), old.get("nodeName"), f"{path}.nodeName")
    problems += _check_places(spec, path)
    devices = spec.get("devices") or []
    if spec.get("sharedCounters") and spec.get("devices"):
        problems.append(invalid_value(path, "", "only one of `sharedCounters` or `devices` is allowed"))
    special = any(device.get("taints") or device.get("consumesCounters") for device in devices)
    problems += check_set(
        devices,
        MAX_SPECIAL_DEVICES if special else MAX_DEVICES,
        lambda each, at: _check_device(each, at, bool(spec.get("perDeviceNodeSelection"))),
        f"{path}.devices",
        _name,
    )
    return problems + check_set(
        spec.get("sharedCounters") or [],
        MAX_COUNTER_SETS,
        _check_counters("name"),
        f"{path}.sharedCounters",
        _name,
    )


def _name(named: JSON) -> str:
    return named.get("name") or ""


def _check_pool(pool: JSON, path: str) -> list[FieldError]:
    count, generation = pool.get("resourceSliceCount") or 0, pool.get("generation") or 0
    problems = check_pool_name(pool.get("name") or "", f"{path}.name")
    if count <= 0:
        problems.append(invalid_value(f"{path}.resourceSliceCount", count, "must be greater than zero"))
    if generation < 0:
        text = "must be greater than or equal to zero"
        problems.append(invalid_value(f"{path}.generation", generation, text))
    return problems


def _check_places(spec: JSON, path: str) -> list[FieldError]:
    """Where the devices are."""
    problems, found = _check_place(spec, path, "must be either unset or set to a non-empty string")
    terms = get(spec, "nodeSelector", "nodeSelectorTerms", default=[])
    if spec.get("nodeSelector") is not None and len(terms) != 1:
        where = f"{path}.nodeSelector.nodeSelectorTerms"
        problems.append(invalid_value(where, terms, "must have exactly one node selector term"))
    each = spec.get("perDeviceNodeSelection")
    if each:
        found.append("`perDeviceNodeSelection`")
    elif each is not None:
        problems.append(invalid_value(f"{path}.perDeviceNodeSelection", each, _UNSET_OR_TRUE))
    if not found:
        problems.append(required(path, _PLACES))
    elif len(found) > 1:
        shown = f"{{{', '.join(found)}}}"
        problems.append(invalid_value(path, shown, f"{_PLACES}, but multiple fields are set"))
    return problems


def _check_place(holder: JSON, path: str, empty: str) -> tuple[list[FieldError], list[str]]:
    """What is wrong with the fields of a slice or a device that say where it is, and which of them do."""
    problems: list[FieldError] = []
    found = []
    node, everywhere = holder.get("nodeName"), holder.get("allNodes")
    if node:
        found.append("`nodeName`")
        problems += check_subdomain(node, f"{path}.nodeName")
    elif node is not None:
        problems.append(invalid_value(f"{path}.nodeName", node, empty))
    if holder.get("nodeSelector") is not None:
        found.append("`nodeSelector`")
        problems += check_node_selector(holder["nodeSelector"], f"{path}.nodeSelector")
    if everywhere:
        found.append("`allNodes`")
    elif everywhere is not None:
        problems.append(invalid_value(f"{path}.allNodes", everywhere, _UNSET_OR_TRUE))
    return problems, found


def _check_device(device: JSON, path: str, placed: bool) -> list[FieldError]:
    attributes, capacity = device.get("attributes") or {}, device.get("capacity") or {}
    problems = check_label(_name(device), f"{path}.name")
    together = len(attributes) + len(capacity)
    if together > MAX_ATTRIBUTES:
        text = f"the total number of attributes and capacities must not exceed {MAX_ATTRIBUTES}"
        problems.append(invalid_value(path, together, text))
    problems += check_map(attributes, together, check_qualified, _check_attribute, f"{path}.attributes")
    shared = bool(device.get("allowMultipleAllocations"))
    problems += check_map(
        capacity,
        together,
        check_qualified,
        lambda each, at: check_policy(
            each.get("requestPolicy"), each.get("value") or "0", f"{at}.requestPolicy", shared
        ),
        f"{path}.capacity",
    )
    problems += check_list(device.get("taints") or [], MAX_TAINTS, check_taint, f"{path}.taints")
    problems += check_set(
        device.get("consumesCounters") or [],
        MAX_CONSUMED_SETS,
        _check_counters("counterSet"),
        f"{path}.consumesCounters",
        lambda each: each.get("counterSet") or "",
    )
    return problems + _check_own_place(device, path, placed) + check_binding(device, path)


def _check_own_place(device: JSON, path: str, placed: bool) -> list[FieldError]:
    if not placed:
        given = any(device.get(name) is not None for name in ("nodeName", "nodeSelector", "allNodes"))
        return [invalid_value(path, None, _NO_PLACES)] if given else []
    problems, found = _check_place(device, path, "must not be empty")
    if not found:
        problems.append(required(path, _DEVICE_PLACES))
    elif len(found) > 1:
        problems.append(invalid_value(path, f"{{{', '.join(found)}}}", _DEVICE_PLACES))
    return problems


def _check_counters(named: str) -> Check:
    def check(counters: JSON, path: str) -> list[FieldError]:
        name, found = counters.get(named) or "", counters.get("counters") or {}
        problems = check_label(name, f"{path}.{named}") if name else [required(f"{path}.{named}")]
        if not found:
            return [*problems, required(f"{path}.counters")]
        return problems + check_map(found, MAX_COUNTERS, check_label, lambda each, at: [], f"{path}.counters")

    return check


def _check_attribute(attribute: JSON, path: str) -> list[FieldError]:
    text, version = attribute.get("string"), attribute.get("version")
    problems = [too_long(f"{path}.string", "", MAX_VALUE)] if text and len(text) > MAX_VALUE else []
    if version is not None:
        if not _semver.fullmatch(version):
            why = "must be a string compatible with semver.org spec 2.0.0"
            problems.append(invalid_value(f"{path}.version", version, why))
        if len(version) > MAX_VALUE:
            problems.append(too_long(f"{path}.version", "", MAX_VALUE))
    given = [name for name, value in attribute.items() if value is not None]
    if len(given) != 1:
        shown = attribute if given else ""
        problems.append(invalid_value(path, shown, "exactly one value must be specified"))
    return problems
