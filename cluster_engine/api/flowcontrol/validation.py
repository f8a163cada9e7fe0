"""What is refused of FlowSchemas and PriorityLevelConfigurations.

Models pkg/apis/flowcontrol/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cluster_engine.api.flowcontrol.bootstrap import EXEMPT, MANDATORY, is_level_spec, schema_spec
from cluster_engine.api.meta import check_meta
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.validation import is_dns1123_label, is_dns1123_subdomain

MAX_PRECEDENCE = 10_000
_MAX_QUEUES = 10_000_000
_HASH_BITS = 60
_METHODS = ("ByNamespace", "ByUser")
_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
_KINDS = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
_NAMESPACES = "each member of this list must be '*' or a DNS-1123 label; "


def check_schema(schema: JSON) -> list[FieldError]:
    """What is wrong with a FlowSchema."""
    spec, problems = schema.get("spec") or {}, check_meta(schema, namespaced=False)
    precedence, path = spec.get("matchingPrecedence") or 0, "spec.matchingPrecedence"
    if precedence <= 0:
        problems.append(invalid_value(path, precedence, "must be a positive value"))
    if precedence > MAX_PRECEDENCE:
        problems.append(invalid_value(path, precedence, f"must not be greater than {MAX_PRECEDENCE}"))
    name = schema["metadata"].get("name") or ""
    if precedence == 1 and name != EXEMPT:
        told = "only the schema named 'exempt' may have matchingPrecedence 1"
        problems.append(invalid_value(path, precedence, told))
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in _METHODS:
        shown = {"Type": method.get("type") or ""}
        problems.append(not_supported("spec.distinguisherMethod.type", shown, _METHODS))
    level, path = (
        (spec.get("priorityLevelConfiguration") or {}).get("name") or "",
        "spec.priorityLevelConfiguration",
    )
    if level:
        problems += [invalid_value(f"{path}.name", level, wrong) for wrong in is_dns1123_subdomain(level)]
    else:
        problems.append(required(f"{path}.name", "must reference a priority level"))
    for at, rule in enumerate(spec.get("rules") or ()):
        problems += _check_rule(rule, f"spec.rules[{at}]")
    if name in MANDATORY and spec != schema_spec(name):
        problems.append(invalid_value("spec", spec, f"spec of '{name}' must equal the fixed value"))
    return problems + check_conditions(schema)


def _check_rule(rule: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    subjects = rule.get("subjects") or ()
    if not subjects:
        problems.append(required(f"{path}.subjects", "subjects must contain at least one value"))
    for at, subject in enumerate(subjects):
        problems += _check_subject(subject, f"{path}.subjects[{at}]")
    resources, others = rule.get("resourceRules") or (), rule.get("nonResourceRules") or ()
    if not resources and not others:
        told = "at least one of resourceRules and nonResourceRules has to be non-empty"
        problems.append(required(path, told))
    for at, each in enumerate(resources):
        problems += _check_resources(each, f"{path}.resourceRules[{at}]")
    for at, each in enumerate(others):
        problems += _check_paths(each, f"{path}.nonResourceRules[{at}]")
    return problems


def _check_subject(subject: JSON, path: str) -> list[FieldError]:
    kind = subject.get("kind") or ""
    if kind not in _KINDS:
        return [not_supported(f"{path}.kind", kind, sorted(_KINDS))]
    name = _KINDS[kind]
    given = subject.get(name)
    if given is None:
        problems = [required(f"{path}.{name}", f"{name} is required when subject kind is '{kind}'")]
    elif kind == "ServiceAccount":
        problems = _check_account(given, f"{path}.{name}")
    else:
        problems = [] if given.get("name") else [required(f"{path}.{name}.name")]
    for other, field in (("ServiceAccount", "serviceAccount"), ("User", "user"), ("Group", "group")):
        if other != kind and subject.get(field) is not None:
            told = f"{field} is forbidden when subject kind is not '{other}'"
            problems.append(forbidden_field(f"{path}.{field}", told))
    return problems


def _check_account(account: JSON, path: str) -> list[FieldError]:
    name, namespace = account.get("name") or "", account.get("namespace") or ""
    problems: list[FieldError] = []
    if not name:
        problems.append(required(f"{path}.name"))
    elif name != "*":
        problems += [invalid_value(f"{path}.name", name, wrong) for wrong in is_dns1123_subdomain(name)]
    if not namespace:
        problems.append(required(f"{path}.namespace", "must specify namespace for service account"))
    else:
        problems += [
            invalid_value(f"{path}.namespace", namespace, wrong) for wrong in is_dns1123_label(namespace)
        ]
    return problems


def _check_verbs(verbs: Sequence[str], path: str) -> list[FieldError]:
    if not verbs:
        return [required(path, "verbs must contain at least one value")]
    if "*" in verbs:
        return _alone(verbs, path, "verbs")
    return [] if set(verbs) <= set(_VERBS) else [not_supported(path, list(verbs), _VERBS)]


def _alone(values: Sequence[str], path: str, what: str) -> list[FieldError]:
    """A "*" stands for all, so that nothing may stand beside it."""
    if len(values) > 1 and "*" in values:
        return [invalid_value(path, list(values), f"if '*' is present, must not specify other {what}")]
    return []


def _check_resources(rule: JSON, path: str) -> list[FieldError]:
    problems = _check_verbs(rule.get("verbs") or [], f"{path}.verbs")
    for field, one, many in (
        ("apiGroups", "api group", "api groups"),
        ("resources", "resource", "resources"),
    ):
        values = rule.get(field) or []
        if not values:
            problems.append(required(f"{path}.{field}", f"resource rules must supply at least one {one}"))
        problems += _alone(values, f"{path}.{field}", many)
    namespaces = rule.get("namespaces") or []
    if not namespaces and not rule.get("clusterScope"):
        told = "resource rules that are not cluster scoped must supply at least one namespace"
        problems.append(required(f"{path}.namespaces", told))
    elif "*" in namespaces:
        problems += _alone(namespaces, f"{path}.namespaces", "namespaces")
    else:
        problems += [
            invalid_value(f"{path}.namespaces[{at}]", name, _NAMESPACES + wrong)
            for at, name in enumerate(namespaces)
            for wrong in is_dns1123_label(name)
        ]
    return problems


def _check_paths(rule: JSON, path: str) -> list[FieldError]:
    problems = _check_verbs(rule.get("verbs") or [], f"{path}.verbs")
    paths, place = rule.get("nonResourceURLs") or [], f"{path}.nonResourceURLs"
    if not paths:
        problems.append(required(place, "nonResourceURLs must contain at least one value"))
    elif "*" in paths:
        problems += _alone(paths, place, "non-resource URLs")
    else:
        told = ((at, url, _wrong_path(url)) for at, url in enumerate(paths))
        problems += [invalid_value(f"{place}[{at}]", url, wrong) for at, url, wrong in told if wrong]
    return problems


def _wrong_path(url: str) -> str:
    """Why it is no path of a rule; "": it is one."""
    if not url:
        return "must not be empty"
    if url == "/":
        return ""
    if not url.startswith("/"):
        return "must start with slash"
    if " " in url:
        return "must not contain white-space"
    if "//" in url:
        return "must not contain double slash"
    stars = url.count("*")
    return "wildcard can only do suffix matching" if stars > 1 or (stars and not url.endswith("/*")) else ""


def check_level(level: JSON) -> list[FieldError]:
    """What is wrong with a PriorityLevelConfiguration."""
    spec, problems = level.get("spec") or {}, check_meta(level, namespaced=False)
    kind, limited, exempt = spec.get("type") or "", spec.get("limited"), spec.get("exempt")
    if (level["metadata"].get("name") == "exempt") != (kind == "Exempt"):
        told = "type must be 'Exempt' if and only if name is 'exempt'"
        problems.append(invalid_value("spec.type", kind, told))
    match kind:
        case "Exempt":
            if limited is not None:
                problems.append(forbidden_field("spec.limited", "must be nil if the type is not Limited"))
            problems += _check_shares(exempt or {}, "spec.exempt")
        case "Limited":
            if exempt is not None:
                problems.append(forbidden_field("spec.exempt", "must be nil if the type is Limited"))
            if limited is None:
                problems.append(required("spec.limited", "must not be empty when type is Limited"))
            else:
                problems += _check_limited(limited, "spec.limited")
        case _:
            problems.append(not_supported("spec.type", kind, ("Exempt", "Limited")))
    name = level["metadata"].get("name") or ""
    if name in MANDATORY and not is_level_spec(name, spec):
        part = " except the 'spec.exempt' field" if name == EXEMPT else ""
        problems.append(invalid_value("spec", spec, f"spec of '{name}'{part} must equal the fixed value"))
    return problems + check_conditions(level)


def _check_shares(given: JSON, path: str, between: Callable[[], list[FieldError]] = list) -> list[FieldError]:
    """Shares and what may be lent of them; ``between`` stands between the two."""
    problems: list[FieldError] = []
    shares, lent = given.get("nominalConcurrencyShares") or 0, given.get("lendablePercent") or 0
    if shares < 0:
        told = "must be a non-negative integer"
        problems.append(invalid_value(f"{path}.nominalConcurrencyShares", shares, told))
    problems += between()
    if not 0 <= lent <= 100:
        problems.append(
            invalid_value(f"{path}.lendablePercent", lent, "must be between 0 and 100, inclusive")
        )
    return problems


def _check_limited(limited: JSON, path: str) -> list[FieldError]:
    response = limited.get("limitResponse") or {}
    problems = _check_shares(limited, path, lambda: _check_response(response, f"{path}.limitResponse"))
    borrowed = limited.get("borrowingLimitPercent") or 0
    if borrowed < 0:
        told = "if specified, must be a non-negative integer"
        problems.append(invalid_value(f"{path}.borrowingLimitPercent", borrowed, told))
    return problems


def _check_response(response: JSON, path: str) -> list[FieldError]:
    kind, queuing = response.get("type") or "", response.get("queuing")
    match kind:
        case "Reject":
            told = "must be nil if limited.limitResponse.type is not Limited"
            return [] if queuing is None else [forbidden_field(f"{path}.queuing", told)]
        case "Queue":
            if queuing is None:
                told = "must not be empty if limited.limitResponse.type is Limited"
                return [required(f"{path}.queuing", told)]
            return _check_queues(queuing, f"{path}.queuing")
    return [not_supported(f"{path}.type", kind, ("Queue", "Reject"))]


def _check_queues(queuing: JSON, path: str) -> list[FieldError]:
    queues, hand = queuing.get("queues") or 0, queuing.get("handSize") or 0
    length = queuing.get("queueLengthLimit") or 0
    problems: list[FieldError] = []
    if length <= 0:
        problems.append(invalid_value(f"{path}.queueLengthLimit", length, "must be positive"))
    if queues <= 0:
        problems.append(invalid_value(f"{path}.queues", queues, "must be positive"))
    elif queues > _MAX_QUEUES:
        problems.append(invalid_value(f"{path}.queues", queues, f"must not be greater than {_MAX_QUEUES}"))
    if hand <= 0:
        problems.append(invalid_value(f"{path}.handSize", hand, "must be positive"))
    elif hand > queues:
        told = f"should not be greater than queues ({queues})"
        problems.append(invalid_value(f"{path}.handSize", hand, told))
    elif queues > 1 and (hand > _HASH_BITS or queues**hand > 1 << _HASH_BITS):
        told = f"required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {_HASH_BITS}"
        problems.append(invalid_value(f"{path}.handSize", hand, told))
    return problems


def check_conditions(obj: JSON) -> list[FieldError]:
    """The conditions in the status of either kind."""
    problems: list[FieldError] = []
    seen: list[str] = []
    for at, condition in enumerate((obj.get("status") or {}).get("conditions") or ()):
        kind, path = condition.get("type") or "", f"status.conditions[{at}].type"
        if kind in seen:
            problems.append(duplicate(path, kind))
        seen.append(kind)
        if not kind:
            problems.append(required(path, "must not be empty"))
    return problems
