"""ValidatingAdmissionPolicy: what the cluster's own policies refuse or warn of.

Models k8s.io/apiserver/pkg/admission/plugin/policy/validating (dispatcher.go, validator.go).
"""

from __future__ import annotations

from typing import NamedTuple

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.cel import environment
from cluster_engine.cel.errors import CelCostError, CelError
from cluster_engine.cel.program import Budget

from .plugin import CREATE, DELETE, UPDATE, Attributes, Plugin
from .policies import matching, params
from .policies.activation import activation
from .policies.compiled import CompiledPolicy, Expression, applies, compiled, evaluated, with_variables
from .policies.params import ParamsError

_POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
_BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
_FAILURE = "validation.policy.admission.k8s.io/validation_failure"
MAX_ANNOTATION = 10 * 1024
"""Characters of an audit annotation; what is longer is cut."""
_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413}


class Denial(NamedTuple):
    """Why a request is not let through; ``reason`` is that of the Status."""

    message: str
    reason: str = ""
    place: int = 0
    """Of the validation in its policy."""


class ValidatingAdmissionPolicy(Plugin):
    """Asks every policy that is bound; the first denial, in the order of the policies' names, is the answer."""

    name = "ValidatingAdmissionPolicy"
    operations = (CREATE, UPDATE, DELETE)
    subresources = True
    validates = True
    needs = _BINDINGS

    def concerns(self, resource: str, operation: str, subresource: str) -> bool:
        return resource not in matching.EXEMPT and super().concerns(resource, operation, subresource)

    def validate(self, attributes: Attributes) -> None:
        bindings: dict[str, list[JSON]] = {}
        for binding in attributes.store.range(_BINDINGS):
            bindings.setdefault(binding["spec"].get("policyName", ""), []).append(binding)
        denied: list[tuple[str, Denial]] = []
        for name in sorted(bindings):
            policy = attributes.store.get(_POLICIES, name)
            if policy is not None:
                denied += self._asked(attributes, policy, bindings[name])
        if denied:
            raise _refusal(attributes, *denied[0])

    def _asked(self, attributes: Attributes, policy: JSON, bindings: list[JSON]) -> list[tuple[str, Denial]]:
        """The denials of one policy, each with how it introduces itself."""
        spec = policy["spec"]
        matched = matching.match(attributes, spec.get("matchConstraints"))
        if matched is None:
            return []
        name, fails = policy["metadata"]["name"], spec.get("failurePolicy") != "Ignore"
        try:
            kind = params.param_kind(self.host.scheme, spec)
        except ParamsError as error:
            who = f"ValidatingAdmissionPolicy '{name}'"
            return [(who, Denial(f"failed to configure policy: {error}"))] if fails else []
        denied: list[tuple[str, Denial]] = []
        noted: dict[str, list[str]] = {}
        for binding in bindings:
            who = f"ValidatingAdmissionPolicy '{name}' with binding '{binding['metadata']['name']}'"
            if matching.match(attributes, binding["spec"].get("matchResources")) is None:
                continue
            try:
                found = params.collect(attributes, kind, binding["spec"].get("paramRef"))
            except ParamsError as error:
                denied += [(who, Denial(f"failed to configure binding: {error}"))] if fails else []
                continue
            actions = binding["spec"].get("validationActions") or ()
            for param in found:
                values = activation(attributes, matched, param, self.host.authorizer)
                found_denials, annotations = _decisions(compiled(spec), values, fails)
                for denial in found_denials:
                    if "Deny" in actions:
                        denied.append((who, denial))
                    if "Audit" in actions:
                        _note_failure(attributes, name, binding, denial)
                    if "Warn" in actions:
                        attributes.ctx.warnings.append(f"Validation failed for {who}: {denial.message}")
                for key, value in annotations:
                    if value not in noted.setdefault(key, []):
                        noted[key].append(value)
        if attributes.ctx.record is not None:
            for key, different in noted.items():
                attributes.ctx.record.annotate(f"{name}/{key}", ", ".join(different))
        return denied


def _note_failure(attributes: Attributes, policy: str, binding: JSON, denial: Denial) -> None:
    """For the audit log (publishValidationFailureAnnotation)."""
    if attributes.ctx.record is None:
        return
    failure = {
        "message": denial.message,
        "policy": policy,
        "binding": binding["metadata"]["name"],
        "expressionIndex": denial.place,
        "validationActions": binding["spec"]["validationActions"],
    }
    attributes.ctx.record.annotate(_FAILURE, orjson.dumps([failure]).decode())


Annotations = list[tuple[str, str]]
"""Keys and values for the audit log."""


def _decisions(
    policy: CompiledPolicy, values: environment.Activation, fails: bool
) -> tuple[list[Denial], Annotations]:
    """The denials of one policy for one param, and what it notes; what cannot be evaluated is a denial when the
    policy fails closed."""
    try:
        if not applies(policy.conditions, values):
            return [], []
    except CelError as error:
        return [Denial(str(error))] if fails else [], []
    budget = Budget(environment.BUDGET)
    with_variables(values, policy.variables, budget)
    found: list[Denial] = []
    for index, (rule, expression, message) in enumerate(policy.rules):
        try:
            if evaluated(expression, values, budget) is not True:
                said = _message(rule, message, values, budget)
                found.append(Denial(said, rule.get("reason") or "", index))
        except CelCostError as error:
            return [Denial(str(error))] if fails else [], []
        except CelError as error:
            found += [Denial(str(error), place=index)] if fails else []
    failures, annotations = _annotated(policy, values, fails)
    return found + failures, annotations


def _message(
    rule: JSON, expression: Expression | None, values: environment.Activation, budget: Budget
) -> str:
    """What a rule says: its messageExpression if that gives one line, its message, or what failed."""
    if expression is not None:
        try:
            value = evaluated(expression, values, budget)
        except CelCostError:
            raise
        except CelError:
            value = ""
        said = value.strip() if isinstance(value, str) else ""
        if said and "\n" not in said and len(said.encode()) <= environment.MAX_MESSAGE:
            return said
    said = (rule.get("message") or "").strip()
    return said or f"failed expression: {rule['expression'].strip()}"


def _annotated(
    policy: CompiledPolicy, values: environment.Activation, fails: bool
) -> tuple[list[Denial], Annotations]:
    """The audit annotations that say something; one that fails denies."""
    budget = Budget(environment.BUDGET)
    found: list[Denial] = []
    said: Annotations = []
    for key, annotation in policy.annotations:
        try:
            value = evaluated(annotation, values, budget)
        except CelError as error:
            found += [Denial(str(error))] if fails else []
            continue
        text = value.strip() if isinstance(value, str) else ""
        if text:
            said.append((key, text[:MAX_ANNOTATION]))
    return found, said


def _refusal(attributes: Attributes, who: str, denial: Denial) -> errors.ApiError:
    message = f"{who} denied request: {denial.message}"
    status = errors.forbidden(attributes.resource, attributes.name, message).status
    reason = denial.reason or "Invalid"
    details = {**status["details"], "causes": [{"message": message}]}
    return errors.ApiError({**status, "reason": reason, "code": _CODES.get(reason, 422), "details": details})
