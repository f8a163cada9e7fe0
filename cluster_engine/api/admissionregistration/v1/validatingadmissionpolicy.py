"""ValidatingAdmissionPolicy.

Models pkg/registry/admissionregistration/validatingadmissionpolicy/strategy.go and
pkg/apis/admissionregistration/validation (validateValidatingAdmissionPolicy).
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.api.admissionregistration import rules
from cluster_engine.api.meta import check_meta
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery import validation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, duplicate, invalid_value, not_supported, required
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.cel import environment
from cluster_engine.cel.types import Type

MAX_ANNOTATIONS = 20
"""auditAnnotations of one policy."""

MAX_ANNOTATION_EXPRESSION = 5 * 1024
"""Bytes of the expression of an audit annotation."""

_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")
_EMPTY = "validations or auditAnnotations must contain at least one item"


def validate(policy: JSON) -> list[FieldError]:
    """What is wrong with a policy; its expressions are compiled."""
    return check_meta(policy, namespaced=False) + _check(policy)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """As a new one, unless only its metadata changed."""
    return [] if new.get("spec") == old.get("spec") else _check(new)


def _check(policy: JSON) -> list[FieldError]:
    spec = policy.get("spec") or {}
    problems: list[FieldError] = []
    if spec.get("failurePolicy") not in rules.FAILURE_POLICIES:
        problems.append(
            not_supported("spec.failurePolicy", spec.get("failurePolicy") or "", rules.FAILURE_POLICIES)
        )
    params = spec.get("paramKind") is not None
    if params:
        problems += rules.check_param_kind(spec["paramKind"], "spec.paramKind")
    match = spec.get("matchConstraints")
    if match is None:
        problems.append(required("spec.matchConstraints"))
    else:
        problems += rules.check_match(match, "spec.matchConstraints")
        if not match.get("resourceRules"):
            problems.append(required("spec.matchConstraints.resourceRules"))
    problems += rules.check_conditions(spec.get("matchConditions"), params=params)
    wrong, variables = rules.check_variables(spec)
    problems += wrong
    validations, annotations = spec.get("validations") or (), spec.get("auditAnnotations") or ()
    if not validations and not annotations:
        return [*problems, required("spec.validations", _EMPTY), required("spec.auditAnnotations", _EMPTY)]
    for at, rule in enumerate(validations):
        problems += _check_validation(rule, params, variables, f"spec.validations[{at}]")
    return problems + _check_annotations(policy, params, variables)


def _check_validation(rule: JSON, params: bool, variables: Mapping[str, Type], path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    text, message, said = (rule.get(name) or "" for name in ("expression", "message", "messageExpression"))
    known = environment.declared(params=params, authorizer=True, variables=variables)
    if not text.strip():
        problems.append(required(f"{path}.expression", "expression is not specified"))
    else:
        problems += rules.check_expression(text, known, environment.CONDITION, f"{path}.expression")
    if said and not said.strip():
        problems.append(invalid_value(f"{path}.messageExpression", said, "must be non-empty if specified"))
    elif said:
        known = environment.declared(params=params, authorizer=False, variables=variables)
        problems += rules.check_expression(said, known, environment.MESSAGE, f"{path}.messageExpression")
    if message and not message.strip():
        problems.append(invalid_value(f"{path}.message", message, "message must be non-empty if specified"))
    elif "\n" in message.strip() or "\r" in message.strip():
        problems.append(invalid_value(f"{path}.message", message, "message must not contain line breaks"))
    if rule.get("reason") is not None and rule["reason"] not in _REASONS:
        problems.append(not_supported(f"{path}.reason", rule["reason"], _REASONS))
    return problems


def _check_annotations(policy: JSON, params: bool, variables: Mapping[str, Type]) -> list[FieldError]:
    problems: list[FieldError] = []
    listed = (policy.get("spec") or {}).get("auditAnnotations") or []
    if len(listed) > MAX_ANNOTATIONS:
        detail = f"must not have more than {MAX_ANNOTATIONS} auditAnnotations"
        problems.append(invalid_value("spec.auditAnnotations", list(listed), detail))
    known = environment.declared(params=params, authorizer=True, variables=variables)
    seen: list[str] = []
    for at, annotation in enumerate(listed):
        path = f"spec.auditAnnotations[{at}]"
        key, text = annotation.get("key") or "", annotation.get("valueExpression") or ""
        name = policy["metadata"].get("name") or ""
        problems += [
            invalid_value(f"{path}.key", f"{name}/{key}", problem)
            for problem in validation.is_qualified_name(f"{name}/{key}")
        ]
        if not text.strip():
            problems.append(required(f"{path}.valueExpression", "valueExpression is not specified"))
        elif len(text.strip().encode()) > MAX_ANNOTATION_EXPRESSION:
            detail = f"must not exceed {MAX_ANNOTATION_EXPRESSION} bytes in length"
            problems.append(required(f"{path}.valueExpression", detail))
        else:
            problems += rules.check_expression(text, known, environment.ANNOTATION, f"{path}.valueExpression")
        if key in seen:
            problems.append(duplicate(f"{path}.key", key))
        seen.append(key)
    return problems


KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicy",
    resource="validatingadmissionpolicies",
    singular="validatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    subresources=STATUS,
    columns=rules.policy_columns(
        Column(
            "Validations",
            "integer",
            description="Validations indicates the number of validation rules defined in this configuration",
        )
    ),
    row=rules.policy_row("validations"),
    default=rules.default_policy,
    prepare_create=create_spec,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=validate,
    validate_update=validate_update,
)
