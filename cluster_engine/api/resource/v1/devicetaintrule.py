"""DeviceTaintRule: a taint of all devices that a selector picks.

Models pkg/registry/resource/devicetaintrule and pkg/apis/resource/validation (ValidateDeviceTaintRule).
"""

from __future__ import annotations

from cluster_engine.api.conditions import check_conditions
from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.api.resource.claims import check_taint
from cluster_engine.api.resource.names import check_label, check_pool_name
from cluster_engine.api.storage.v1.csidriver import check_driver_name
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, too_many
from cluster_engine.apimachinery.scheme import Kind, Write

MAX_CONDITIONS = 8
_SELECTED = (("driver", check_driver_name), ("pool", check_pool_name), ("device", check_label))


def _taint(rule: JSON) -> JSON:
    taint: JSON = (rule.get("spec") or {}).get("taint") or {}
    return taint


def stamped(new: JSON, old: JSON | None, write: Write) -> JSON:
    """The rule with the time of its taint: now, where none is given, or where the effect is another one and the time
    is still that of the old one."""
    taint, before = _taint(new), {} if old is None else _taint(old)
    at = taint.get("timeAdded")
    renewed = (
        old is not None and at == before.get("timeAdded") and taint.get("effect") != before.get("effect")
    )
    if write.subresource or (at and not renewed):
        return new
    return {**new, "spec": {**(new.get("spec") or {}), "taint": {**taint, "timeAdded": write.now}}}


def _check(rule: JSON, old: JSON | None = None) -> list[FieldError]:
    selector = (rule.get("spec") or {}).get("deviceSelector") or {}
    problems: list[FieldError] = []
    for name, check in _SELECTED:
        if selector.get(name) is not None:
            problems += check(selector[name], f"spec.deviceSelector.{name}")
    return problems + check_taint(_taint(rule), "spec.taint")


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """Conditions, a few of them."""
    path, conditions = "status.conditions", (new.get("status") or {}).get("conditions") or []
    problems = check_conditions(conditions, path)
    if len(conditions) > MAX_CONDITIONS:
        problems.append(too_many(path, len(conditions), MAX_CONDITIONS))
    return problems


KIND = Kind(
    group="resource.k8s.io",
    version="v1",
    kind="DeviceTaintRule",
    resource="devicetaintrules",
    singular="devicetaintrule",
    namespaced=False,
    subresources=STATUS,
    columns=(NAME, AGE),
    row=lambda rule, now: [rule["metadata"]["name"], age(rule, now)],
    attribute=stamped,
    prepare_create=create_spec,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=lambda rule: check_meta(rule, namespaced=False) + _check(rule),
    validate_update=_check,
    validate_status=validate_status,
)
