"""ValidatingAdmissionPolicyBinding.

Models pkg/registry/admissionregistration/validatingadmissionpolicybinding/strategy.go.
"""

from __future__ import annotations

from cluster_engine.api.admissionregistration import rules
from cluster_engine.api.meta import check_meta
from cluster_engine.api.strategy import first_generation, next_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, duplicate, invalid_value, not_supported, required
from cluster_engine.apimachinery.scheme import Kind

_ACTIONS = ("Audit", "Deny", "Warn")
_TWICE = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and "
    "headers serves no purpose)"
)


def validate(binding: JSON) -> list[FieldError]:
    """What is wrong with a binding."""
    return check_meta(binding, namespaced=False) + _check(binding)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """As a new one."""
    return _check(new)


def _check(binding: JSON) -> list[FieldError]:
    spec = binding.get("spec") or {}
    problems = rules.check_binding(spec)
    actions = spec.get("validationActions") or []
    path = "spec.validationActions"
    for at, action in enumerate(actions):
        if action not in _ACTIONS:
            problems.append(not_supported(f"{path}[{at}]", action, _ACTIONS))
        if action in actions[:at]:
            problems.append(duplicate(f"{path}[{at}]", action))
    if "Deny" in actions and "Warn" in actions:
        problems.append(invalid_value(path, list(actions), _TWICE))
    if not actions:
        problems.append(required(path, "at least one validation action is required"))
    return problems


KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicyBinding",
    resource="validatingadmissionpolicybindings",
    singular="validatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    columns=rules.BINDING_COLUMNS,
    row=rules.binding_row,
    default=rules.default_binding,
    prepare_create=first_generation,
    prepare_update=next_generation,
    validate=validate,
    validate_update=validate_update,
)
