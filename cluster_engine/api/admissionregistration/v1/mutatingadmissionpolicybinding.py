"""MutatingAdmissionPolicyBinding.

Models pkg/registry/admissionregistration/mutatingadmissionpolicybinding/strategy.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.admissionregistration import rules
from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import AGE, NAME, age
from cluster_engine.api.strategy import same, with_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError
from cluster_engine.apimachinery.scheme import Column, Kind


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
    return check_meta(binding, namespaced=False) + rules.check_binding(binding.get("spec") or {})


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """As a new one."""
    return rules.check_binding(new.get("spec") or {})


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
    kind="MutatingAdmissionPolicyBinding",
    resource="mutatingadmissionpolicybindings",
    singular="mutatingadmissionpolicybinding",
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
