"""ValidatingAdmissionPolicyBinding.

Models pkg/registry/admissionregistration/validatingadmissionpolicybinding/strategy.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.admissionregistration import rules
from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.api.strategy import same, with_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, duplicate, invalid_value, not_supported, required
from cluster_engine.apimachinery.scheme import Column, Kind

_ACTIONS = ("Audit", "Deny", "Warn")
_TWICE = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and "
    "headers serves no purpose)"
)


def default(binding: JSON) -> JSON:
    """matchResources as of policies."""
    return rules.default_binding(binding)


def prepare_create(binding: JSON) -> JSON:
    """Generation 1."""
    return with_generation(binding, 1)


def prepare_update(new: JSON, old: JSON) -> JSON:
    """A changed spec counts one generation more."""
    if same(new.get("spec"), old.get("spec")):
        return new
    return with_generation(new, old["metadata"].get("generation", 0) + 1)


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


def row(binding: JSON, now: int) -> list[Any]:
    """The cells of a binding."""
    spec = binding.get("spec") or {}
    return [
        binding["metadata"]["name"],
        spec.get("policyName") or "",
        rules.binding_params(spec),
        age(binding, now),
    ]


KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicyBinding",
    resource="validatingadmissionpolicybindings",
    singular="validatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    columns=(
        NAME,
        Column(
            "PolicyName",
            description="PolicyName indicates the policy definition which the policy binding binded to",
        ),
        Column(
            "ParamRef", description="ParamRef indicates the param resource which sets the configration param"
        ),
        AGE,
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    validate=validate,
    validate_update=validate_update,
)
