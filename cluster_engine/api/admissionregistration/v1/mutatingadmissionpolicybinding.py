"""MutatingAdmissionPolicyBinding.

Models pkg/registry/admissionregistration/mutatingadmissionpolicybinding/strategy.go.
"""

from __future__ import annotations

from cluster_engine.api.admissionregistration import rules
from cluster_engine.api.meta import check_meta
from cluster_engine.api.strategy import first_generation, next_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError
from cluster_engine.apimachinery.scheme import Kind


def validate(binding: JSON) -> list[FieldError]:
    """What is wrong with a binding."""
    return check_meta(binding, namespaced=False) + rules.check_binding(binding.get("spec") or {})


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """As a new one."""
    return rules.check_binding(new.get("spec") or {})


KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicyBinding",
    resource="mutatingadmissionpolicybindings",
    singular="mutatingadmissionpolicybinding",
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
