"""CSIDriver. Models pkg/registry/storage/csidriver/strategy.go and pkg/apis/storage/validation (ValidateCSIDriver)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME, UNSET, age, doc
from cluster_engine.api.strategy import first_generation, next_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    invalid_value,
    not_supported,
    required,
    too_long,
)
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_dns1123_subdomain

_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_MODES = ("Persistent", "Ephemeral")
_NAME_LENGTH = 63
_SHORTEST_TOKEN, _LONGEST_TOKEN = 600, 1 << 32
"""Seconds for which a driver's token may be asked."""
_SHORTEST_PERIOD = 10
"""Seconds between two looks at how many volumes a node takes."""
_DEFAULTS = {
    "attachRequired": True,
    "podInfoOnMount": False,
    "storageCapacity": False,
    "fsGroupPolicy": "ReadWriteOnceWithFSType",
    "volumeLifecycleModes": ["Persistent"],
    "requiresRepublish": False,
    "seLinuxMount": False,
}


def check_driver_name(name: str, path: str) -> list[FieldError]:
    """The name of a driver (ValidateCSIDriverName)."""
    if not name:
        return [required(path)]
    problems = [too_long(path, name, _NAME_LENGTH)] if len(name) > _NAME_LENGTH else []
    return problems + [invalid_value(path, name, text) for text in is_dns1123_subdomain(name.lower())]


def default(driver: JSON) -> JSON:
    """What a driver can, unless it says otherwise."""
    spec = driver.get("spec") or {}
    add = {n: v for n, v in _DEFAULTS.items() if spec.get(n) in (None, [], "")}
    return {**driver, "spec": {**spec, **add}} if add or driver.get("spec") is None else driver


def _check(driver: JSON) -> list[FieldError]:
    spec = driver.get("spec") or {}
    problems: list[FieldError] = []
    policy = spec.get("fsGroupPolicy")
    if policy is not None and policy not in _GROUP_POLICIES:
        problems.append(not_supported("spec.fsGroupPolicy", policy, _GROUP_POLICIES))
    problems += _token_problems(spec.get("tokenRequests") or ())
    for mode in spec.get("volumeLifecycleModes") or ():
        if mode not in _MODES:
            problems.append(not_supported("spec.volumeLifecycleModes", mode, _MODES))
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < _SHORTEST_PERIOD:
        text = f"must be greater than or equal to {_SHORTEST_PERIOD} seconds"
        problems.append(invalid_value("spec.nodeAllocatableUpdatePeriodSeconds", period, text))
    return problems


def _token_problems(requests: Sequence[JSON]) -> list[FieldError]:
    """Each audience is asked once (validateTokenRequests)."""
    problems: list[FieldError] = []
    seen: list[str] = []
    for index, request in enumerate(requests):
        path, audience = f"spec.tokenRequests[{index}]", request.get("audience") or ""
        if audience in seen:
            problems.append(duplicate(f"{path}.audience", audience))
            continue
        seen.append(audience)
        seconds = request.get("expirationSeconds")
        if seconds is not None and seconds < _SHORTEST_TOKEN:
            text = "may not specify a duration less than 10 minutes"
            problems.append(invalid_value(f"{path}.expirationSeconds", seconds, text))
        if seconds is not None and seconds > _LONGEST_TOKEN:
            text = "may not specify a duration larger than 2^32 seconds"
            problems.append(invalid_value(f"{path}.expirationSeconds", seconds, text))
    return problems


def validate(driver: JSON) -> list[FieldError]:
    """What is wrong with a new driver."""
    return check_meta(driver, namespaced=False) + _check(driver)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """How its volumes are attached and live stays."""
    now, was, path = new["spec"], old["spec"], "volumeLifecycleModes"
    # The name of the first path is upstream's.
    problems = check_immutable(now.get("attachRequired"), was.get("attachRequired"), "spec.attachedRequired")
    return problems + check_immutable(now.get(path), was.get(path), f"spec.{path}") + _check(new)


def row(driver: JSON, now: int) -> list[Any]:
    """The cells of a driver."""
    spec = driver.get("spec") or {}
    tokens = ",".join(token.get("audience", "") for token in spec.get("tokenRequests") or ())
    return [
        driver["metadata"]["name"],
        bool(spec.get("attachRequired", True)),
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        tokens if spec.get("tokenRequests") is not None else UNSET,
        bool(spec.get("requiresRepublish")),
        ",".join(spec.get("volumeLifecycleModes") or ()) or "<none>",
        age(driver, now),
    ]


_SPEC = "storage.v1.CSIDriverSpec"
KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    kind="CSIDriver",
    resource="csidrivers",
    singular="csidriver",
    namespaced=False,
    columns=(
        NAME,
        Column("AttachRequired", "boolean", description=doc(_SPEC, "attachRequired")),
        Column("PodInfoOnMount", "boolean", description=doc(_SPEC, "podInfoOnMount")),
        Column("StorageCapacity", "boolean", description=doc(_SPEC, "storageCapacity")),
        Column("TokenRequests", description=doc(_SPEC, "tokenRequests")),
        Column("RequiresRepublish", "boolean", description=doc(_SPEC, "requiresRepublish")),
        Column("Modes", description=doc(_SPEC, "volumeLifecycleModes")),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=first_generation,
    prepare_update=next_generation,
    returns_deleted=True,
    validate=validate,
    validate_update=validate_update,
)
