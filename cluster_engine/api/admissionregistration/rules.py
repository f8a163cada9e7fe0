"""What the kinds of admission policies have in common: which requests they match, conditions, variables, params.

Models pkg/apis/admissionregistration/validation/validation.go and pkg/apis/admissionregistration/v1/defaults.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cluster_engine.api.printing import AGE, NAME, UNSET, age
from cluster_engine.apimachinery import validation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_many,
)
from cluster_engine.apimachinery.scheme import Column
from cluster_engine.cel import environment
from cluster_engine.cel.environment import ExpressionError
from cluster_engine.cel.parser import RESERVED
from cluster_engine.cel.types import Type

MAX_CONDITIONS = 64
"""matchConditions of one policy."""

FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_NO_NAMES = RESERVED | {"true", "false", "null", "in"}


def default_match(match: JSON) -> JSON:
    """Every namespace, every object, the same resource in other versions too; rules for both scopes."""
    made = {
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
        **{name: value for name, value in match.items() if value is not None},
    }
    for name in ("resourceRules", "excludeResourceRules"):
        if made.get(name):
            made[name] = [rule if rule.get("scope") else {**rule, "scope": "*"} for rule in made[name]]
    return match if made == match else made


def default_policy(policy: JSON) -> JSON:
    """A policy that fails closed, for every object of what it matches."""
    spec = policy.get("spec") or {}
    add: JSON = {} if spec.get("failurePolicy") else {"failurePolicy": "Fail"}
    match = spec.get("matchConstraints")
    if match is not None and default_match(match) is not match:
        add["matchConstraints"] = default_match(match)
    return {**policy, "spec": {**spec, **add}} if add else policy


def default_binding(binding: JSON) -> JSON:
    """A binding with the defaults of its matchResources."""
    spec = binding.get("spec") or {}
    match = spec.get("matchResources")
    if match is None or default_match(match) is match:
        return binding
    return {**binding, "spec": {**spec, "matchResources": default_match(match)}}


def check_match(match: JSON | None, path: str) -> list[FieldError]:
    """MatchResources."""
    if match is None:
        return []
    problems: list[FieldError] = []
    if match.get("matchPolicy") not in MATCH_POLICIES:
        problems.append(not_supported(f"{path}.matchPolicy", match.get("matchPolicy") or "", MATCH_POLICIES))
    for name in ("namespaceSelector", "objectSelector"):
        problems += validation.validate_label_selector(match.get(name), f"{path}.{name}")
    for name in ("resourceRules", "excludeResourceRules"):
        for at, rule in enumerate(match.get(name) or ()):
            problems += check_rule(rule, f"{path}.{name}[{at}]")
    return problems


def check_rule(rule: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    seen: list[str] = []
    for at, name in enumerate(rule.get("resourceNames") or ()):
        place = f"{path}.resourceNames[{at}]"
        problems += [invalid_value(place, name, problem) for problem in validation.is_path_segment_name(name)]
        if name in seen:
            problems.append(duplicate(place, name))
        seen.append(name)
    problems += _check_listed(rule, path, "operations", "operations")
    for at, operation in enumerate(rule.get("operations") or ()):
        if operation not in _OPERATIONS:
            problems.append(not_supported(f"{path}.operations[{at}]", operation, _OPERATIONS))
    problems += _check_listed(rule, path, "apiGroups", "API groups")
    problems += _check_listed(rule, path, "apiVersions", "API versions")
    for at, version in enumerate(rule.get("apiVersions") or ()):
        if not version:
            problems.append(required(f"{path}.apiVersions[{at}]"))
    problems += _check_resources(rule.get("resources") or (), f"{path}.resources")
    if rule.get("scope") not in _SCOPES:
        problems.append(not_supported(f"{path}.scope", rule.get("scope") or "", _SCOPES))
    return problems


def _check_listed(rule: JSON, path: str, name: str, what: str) -> list[FieldError]:
    values = rule.get(name) or []
    if not values:
        return [required(f"{path}.{name}")]
    if len(values) > 1 and "*" in values:
        detail = f"if '*' is present, must not specify other {what}"
        return [invalid_value(f"{path}.{name}", list(values), detail)]
    return []


def _check_resources(resources: Sequence[str], path: str) -> list[FieldError]:
    if not resources:
        return [required(path)]
    problems: list[FieldError] = []
    whole: list[str] = []
    subs: list[str] = []
    plain = False
    for at, resource in enumerate(resources):
        if not resource:
            problems.append(required(f"{path}[{at}]"))
            continue
        name, slash, sub = resource.partition("/")
        if not slash:
            plain = resource != "*"
            continue
        if name in whole:
            detail = f"if '{name}/*' is present, must not specify {resource}"
            problems.append(invalid_value(f"{path}[{at}]", resource, detail))
        if sub in subs:
            detail = f"if '*/{sub}' is present, must not specify {resource}"
            problems.append(invalid_value(f"{path}[{at}]", resource, detail))
        if sub == "*":
            whole.append(name)
        if name == "*":
            subs.append(sub)
    if len(resources) > 1 and "*/*" in resources:
        detail = "if '*/*' is present, must not specify other resources"
        problems.append(invalid_value(path, list(resources), detail))
    if "*" in resources and plain:
        detail = "if '*' is present, must not specify other resources without subresources"
        problems.append(invalid_value(path, list(resources), detail))
    return problems


def check_param_kind(kind: JSON, path: str) -> list[FieldError]:
    """ParamKind."""
    problems: list[FieldError] = []
    api_version, name = kind.get("apiVersion") or "", kind.get("kind") or ""
    group, _, version = api_version.rpartition("/")
    if not api_version:
        problems.append(required(f"{path}.apiVersion"))
    elif api_version.count("/") > 1:
        detail = f"unexpected GroupVersion string: {api_version}"
        problems.append(invalid_value(f"{path}.apiVersion", api_version, detail))
    else:
        if group and (wrong := validation.is_dns1123_subdomain(group)):
            problems.append(invalid_value(f"{path}.apiVersion", group, ",".join(wrong)))
        if not version:
            problems.append(invalid_value(f"{path}.apiVersion", api_version, "version must be specified"))
        elif wrong := validation.is_dns1035_label(version):
            problems.append(invalid_value(f"{path}.apiVersion", version, ",".join(wrong)))
    if not name:
        problems.append(required(f"{path}.kind"))
    elif wrong := validation.is_dns1035_label(name.lower()):
        detail = "may have mixed case, but should otherwise match: " + ",".join(wrong)
        problems.append(invalid_value(f"{path}.kind", name, detail))
    return problems


def check_conditions(
    conditions: Sequence[JSON] | None, *, params: bool, path: str = "spec.matchConditions"
) -> list[FieldError]:
    """MatchConditions: named conditions that do not see ``variables``."""
    problems: list[FieldError] = []
    listed = conditions or ()
    if len(listed) > MAX_CONDITIONS:
        problems.append(too_many(path, len(listed), MAX_CONDITIONS))
    variables = environment.declared(params=params, authorizer=True)
    seen: list[str] = []
    for at, condition in enumerate(listed):
        place = f"{path}[{at}]"
        expression, name = (condition.get("expression") or "").strip(), condition.get("name") or ""
        if not expression:
            problems.append(required(f"{place}.expression"))
        else:
            problems += check_expression(expression, variables, environment.CONDITION, f"{place}.expression")
        if not name:
            problems.append(required(f"{place}.name"))
        else:
            problems += [
                invalid_value(f"{place}.name", name, problem)
                for problem in validation.is_qualified_name(name)
            ]
            if name in seen:
                problems.append(duplicate(f"{place}.name", name))
            seen.append(name)
    return problems


def check_expression(
    text: str,
    variables: Mapping[str, Type],
    returns: Sequence[Type],
    path: str,
    objects: Mapping[str, Type] | None = None,
) -> list[FieldError]:
    """One expression."""
    try:
        environment.compile_expression(text, variables, returns, objects)
    except ExpressionError as error:
        return [invalid_value(path, text, str(error))]
    return []


def check_variables(spec: JSON, path: str = "spec.variables") -> tuple[list[FieldError], dict[str, Type]]:
    """(what is wrong with the variables, the types of those that are good); each sees those before it."""
    problems: list[FieldError] = []
    found: dict[str, Type] = {}
    for at, variable in enumerate(spec.get("variables") or ()):
        place = f"{path}[{at}]"
        name, text = variable.get("name") or "", variable.get("expression") or ""
        if not name.strip():
            problems.append(required(f"{place}.name", "name is not specified"))
        elif not _IDENTIFIER.fullmatch(name) or name in _NO_NAMES:
            problems.append(invalid_value(f"{place}.name", name, "name is not a valid CEL identifier"))
        if not text.strip():
            problems.append(required(f"{place}.expression", "expression is not specified"))
            continue
        variables = environment.declared(params=bool(spec.get("paramKind")), authorizer=True, variables=found)
        try:
            program = environment.compile_expression(text, variables)
        except ExpressionError as error:
            problems.append(invalid_value(f"{place}.expression", text, str(error)))
        else:
            found = {**found, name: program.result}
    return problems, found


def check_binding(spec: JSON) -> list[FieldError]:
    """policyName, paramRef and matchResources of a binding."""
    problems: list[FieldError] = []
    name = spec.get("policyName") or ""
    if not name:
        problems.append(required("spec.policyName"))
    else:
        problems += [
            invalid_value("spec.policyName", name, problem)
            for problem in validation.is_dns1123_subdomain(name)
        ]
    problems += _check_param_ref(spec.get("paramRef"), "spec.paramRef")
    return problems + check_match(spec.get("matchResources"), "spec.matchResouces")  # sic


def _check_param_ref(ref: JSON | None, path: str) -> list[FieldError]:
    if ref is None:
        return []
    problems: list[FieldError] = []
    name, selector = ref.get("name") or "", ref.get("selector")
    exclusive = "name and selector are mutually exclusive"
    if name:
        problems += [
            invalid_value(f"{path}.name", name, problem) for problem in validation.is_path_segment_name(name)
        ]
        if selector is not None:
            problems.append(forbidden_field(f"{path}.name", exclusive))
    if selector is not None:
        problems += validation.validate_label_selector(selector, f"{path}.selector")
        if name:
            problems.append(forbidden_field(f"{path}.selector", exclusive))
    if not name and selector is None:
        problems.append(required(path, "one of name or selector must be specified"))
    action = ref.get("parameterNotFoundAction") or ""
    if not action:
        problems.append(required(f"{path}.parameterNotFoundAction"))
    elif action not in ("Deny", "Allow"):
        problems.append(not_supported(f"{path}.parameterNotFoundAction", action, ("Deny", "Allow")))
    return problems


def binding_params(spec: JSON) -> str:
    """The cell that says which params a binding gives."""
    ref: dict[str, Any] | None = spec.get("paramRef")
    if ref is None:
        return "<unset>"
    if ref.get("name"):
        return f"{ref.get('namespace') or '*'}/{ref['name']}"
    return "<unset>" if ref.get("selector") is None else str(ref["selector"])


# ---- printing --------------------------------------------------------------------------------------------

BINDING_COLUMNS = (
    NAME,
    Column(
        "PolicyName",
        description="PolicyName indicates the policy definition which the policy binding binded to",
    ),
    Column("ParamRef", description="ParamRef indicates the param resource which sets the configration param"),
    AGE,
)


def binding_row(binding: JSON, now: int) -> list[Any]:
    """The cells of a binding."""
    spec = binding.get("spec") or {}
    return [
        binding["metadata"]["name"],
        spec.get("policyName") or "",
        binding_params(spec),
        age(binding, now),
    ]


def policy_columns(counted: Column) -> tuple[Column, ...]:
    """The columns of a policy; ``counted`` tells of what it holds."""
    kind = "ParamKind specifies the kind of resources used to parameterize this policy"
    return (NAME, counted, Column("ParamKind", description=kind), AGE)


def policy_row(field: str) -> Callable[[JSON, int], list[Any]]:
    """What makes the cells of a policy, which counts what stands in that field of its spec."""

    def row(policy: JSON, now: int) -> list[Any]:
        spec = policy.get("spec") or {}
        kind = spec.get("paramKind")
        return [
            policy["metadata"]["name"],
            len(spec.get(field) or ()),
            f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET,
            age(policy, now),
        ]

    return row
