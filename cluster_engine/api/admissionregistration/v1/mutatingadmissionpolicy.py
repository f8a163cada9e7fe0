"""MutatingAdmissionPolicy.

Models pkg/registry/admissionregistration/mutatingadmissionpolicy/strategy.go and
pkg/apis/admissionregistration/validation (validateMutatingAdmissionPolicy).
"""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.api.admissionregistration import rules
from cluster_engine.api.meta import check_meta
from cluster_engine.api.strategy import first_generation, next_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, not_supported, required
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.cel import environment, patches
from cluster_engine.cel.types import Type

REINVOCATIONS = ("IfNeeded", "Never")
PATCH_TYPES = ("ApplyConfiguration", "JSONPatch")
_FIELDS = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
_RESULTS = {"ApplyConfiguration": (patches.OBJECT,), "JSONPatch": (patches.PATCH,)}


def validate(policy: JSON) -> list[FieldError]:
    """What is wrong with a policy; its expressions are compiled."""
    return check_meta(policy, namespaced=False) + _check(policy.get("spec") or {})


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """As a new one, unless only its metadata changed."""
    return [] if new.get("spec") == old.get("spec") else _check(new.get("spec") or {})


def _check(spec: JSON) -> list[FieldError]:
    problems: list[FieldError] = []
    if spec.get("failurePolicy") not in rules.FAILURE_POLICIES:
        found = spec.get("failurePolicy") or ""
        problems.append(not_supported("spec.failurePolicy", found, rules.FAILURE_POLICIES))
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
    again = spec.get("reinvocationPolicy") or ""
    if not again:
        problems.append(required("spec.reinvocationPolicy"))
    elif again not in REINVOCATIONS:
        problems.append(not_supported("spec.reinvocationPolicy", again, REINVOCATIONS))
    mutations = spec.get("mutations") or ()
    if not mutations:
        problems.append(required("spec.mutations", "mutations must contain at least one item"))
    for at, mutation in enumerate(mutations):
        problems += _check_mutation(mutation, params, variables, f"spec.mutations[{at}]")
    return problems


def _check_mutation(
    mutation: JSON, params: bool, variables: Mapping[str, Type], path: str
) -> list[FieldError]:
    kind = mutation.get("patchType") or ""
    if not kind:
        return [required(f"{path}.patchType")]
    if kind not in PATCH_TYPES:
        return [not_supported(f"{path}.patchType", kind, PATCH_TYPES)]
    place = f"{path}.{_FIELDS[kind]}"
    given = mutation.get(_FIELDS[kind])
    if given is None:
        return [required(place, f"must be specified when patchType is {kind}")]
    text = given.get("expression") or ""
    if not text.strip():
        return [required(f"{place}.expression", "expression is not specified")]
    known = environment.declared(params=params, authorizer=True, variables=variables)
    return rules.check_expression(text, known, _RESULTS[kind], f"{place}.expression", patches.MESSAGES)


KIND = Kind(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicy",
    resource="mutatingadmissionpolicies",
    singular="mutatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    columns=rules.policy_columns(
        Column(
            "Mutations",
            "integer",
            description="Mutations indicates the number of mutations rules defined in this configuration",
        )
    ),
    row=rules.policy_row("mutations"),
    default=rules.default_policy,
    prepare_create=first_generation,
    prepare_update=next_generation,
    validate=validate,
    validate_update=validate_update,
)
