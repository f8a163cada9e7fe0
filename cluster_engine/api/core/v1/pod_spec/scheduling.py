"""Checks on what steers the scheduler: affinity, tolerations, topology spread, gates.

Models pkg/apis/core/validation (validateAffinity, ValidateTolerations, validateTopologySpreadConstraints).
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.apimachinery.validation import (
    is_dns1123_label,
    is_dns1123_subdomain,
    is_label_value,
    is_qualified_name,
    validate_label_name,
    validate_label_selector,
)

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NOT_OPERATOR = "not a valid selector operator"
_POSITIVE = "must be greater than zero"


def check_effect(effect: str, path: str, *, allow_empty: bool = False) -> list[FieldError]:
    """A taint's or a toleration's effect."""
    if effect in EFFECTS:
        return []
    if not effect:
        return [] if allow_empty else [required(path)]
    return [not_supported(path, effect, EFFECTS)]


def check_tolerations(tolerations: list[JSON], path: str) -> list[FieldError]:
    """spec.tolerations."""
    problems: list[FieldError] = []
    for index, toleration in enumerate(tolerations):
        where = f"{path}[{index}]"
        key, operator = toleration.get("key") or "", toleration.get("operator") or ""
        value, effect = toleration.get("value") or "", toleration.get("effect") or ""
        if key:
            problems += validate_label_name(key, f"{where}.key")
        elif operator != "Exists":
            text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            problems.append(invalid_value(f"{where}.operator", operator, text))
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            problems.append(invalid_value(f"{where}.effect", effect, text))
        if operator in ("Equal", ""):
            wrong = is_label_value(value)
            if wrong:
                problems.append(invalid_value(f"{where}.operator", value, ";".join(wrong)))
        elif operator == "Exists":
            if value:
                text = "value must be empty when `operator` is 'Exists'"
                problems.append(invalid_value(f"{where}.operator", value, text))
        else:
            problems.append(not_supported(f"{where}.operator", operator, ("Equal", "Exists")))
        if effect:
            problems += check_effect(effect, f"{where}.effect", allow_empty=True)
    return problems


def check_affinity(affinity: JSON, path: str) -> list[FieldError]:
    """spec.affinity."""
    problems: list[FieldError] = []
    node = affinity.get("nodeAffinity")
    if node is not None:
        where = f"{path}.nodeAffinity"
        if node.get(_REQUIRED) is not None:
            problems += check_node_selector(node[_REQUIRED], f"{where}.{_REQUIRED}")
        for index, term in enumerate(node.get(_PREFERRED) or ()):
            at = f"{where}.{_PREFERRED}[{index}]"
            problems += _check_weight(term, at)
            problems += _check_node_term(term.get("preference") or {}, f"{at}.preference", values=False)
    for name in ("podAffinity", "podAntiAffinity"):
        pods = affinity.get(name)
        if pods is None:
            continue
        where = f"{path}.{name}"
        for index, term in enumerate(pods.get(_REQUIRED) or ()):
            problems += _check_pod_term(term, f"{where}.{_REQUIRED}[{index}]")
        for index, term in enumerate(pods.get(_PREFERRED) or ()):
            at = f"{where}.{_PREFERRED}[{index}]"
            problems += _check_weight(term, at)
            problems += _check_pod_term(term.get("podAffinityTerm") or {}, f"{at}.podAffinityTerm")
    return problems


def _check_weight(term: JSON, path: str) -> list[FieldError]:
    weight = term.get("weight") or 0
    return (
        [] if 1 <= weight <= 100 else [invalid_value(f"{path}.weight", weight, "must be in the range 1-100")]
    )


def check_node_selector(selector: JSON, path: str) -> list[FieldError]:
    """A core/v1 NodeSelector."""
    terms = selector.get("nodeSelectorTerms") or []
    where = f"{path}.nodeSelectorTerms"
    if not terms:
        return [required(where, "must have at least one node selector term")]
    problems: list[FieldError] = []
    for index, term in enumerate(terms):
        problems += _check_node_term(term, f"{where}[{index}]", values=True)
    return problems


def _check_node_term(term: JSON, path: str, *, values: bool) -> list[FieldError]:
    problems: list[FieldError] = []
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        problems += _check_node_expression(expression, f"{path}.matchExpressions[{index}]", values)
    for index, expression in enumerate(term.get("matchFields") or ()):
        problems += _check_node_field(expression, f"{path}.matchFields[{index}]")
    return problems


def _check_node_expression(expression: JSON, path: str, check_values: bool) -> list[FieldError]:
    operator, values = expression.get("operator") or "", expression.get("values") or []
    problems: list[FieldError] = []
    if operator in ("In", "NotIn"):
        if not values:
            text = "must be specified when `operator` is 'In' or 'NotIn'"
            problems.append(required(f"{path}.values", text))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            problems.append(forbidden_field(f"{path}.values", text))
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            problems.append(required(f"{path}.values", text))
    else:
        problems.append(invalid_value(f"{path}.operator", operator, _NOT_OPERATOR))
    problems += validate_label_name(expression.get("key") or "", f"{path}.key")
    if check_values:
        for index, value in enumerate(values):
            problems += [
                invalid_value(f"{path}.values[{index}]", value, text) for text in is_label_value(value)
            ]
    return problems


def _check_node_field(expression: JSON, path: str) -> list[FieldError]:
    operator, values = expression.get("operator") or "", expression.get("values") or []
    key = expression.get("key") or ""
    problems: list[FieldError] = []
    if operator in ("In", "NotIn"):
        if len(values) != 1:
            text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            problems.append(required(f"{path}.values", text))
    else:
        problems.append(invalid_value(f"{path}.operator", operator, _NOT_OPERATOR))
    if key != "metadata.name":
        problems.append(invalid_value(f"{path}.key", key, "not a valid field selector key"))
    else:
        for index, value in enumerate(values):
            where = f"{path}.values[{index}]"
            problems += [invalid_value(where, value, text) for text in is_dns1123_subdomain(value)]
    return problems


def _check_pod_term(term: JSON, path: str) -> list[FieldError]:
    selector = term.get("labelSelector")
    problems = validate_label_selector(selector, f"{path}.labelSelector")
    problems += validate_label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for name in term.get("namespaces") or ():
        problems += [invalid_value(f"{path}.namespace", name, text) for text in is_dns1123_label(name)]
    match, mismatch = term.get("matchLabelKeys") or [], term.get("mismatchLabelKeys") or []
    for field, keys in (("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)):
        if keys and selector is None:
            text = "must not be specified when labelSelector is not set"
            problems.append(forbidden_field(f"{path}.{field}", text))
            continue
        for index, key in enumerate(keys):
            problems += validate_label_name(key, f"{path}.{field}[{index}]")
    for index, key in enumerate(match):
        if key in mismatch:
            text = "exists in both matchLabelKeys and mismatchLabelKeys"
            problems.append(invalid_value(f"{path}.matchLabelKeys[{index}]", key, text))
    topology = term.get("topologyKey") or ""
    if not topology:
        problems.append(required(f"{path}.topologyKey", "can not be empty"))
    return problems + validate_label_name(topology, f"{path}.topologyKey")


def check_topology_spread(constraints: list[JSON], path: str) -> list[FieldError]:
    """spec.topologySpreadConstraints."""
    problems: list[FieldError] = []
    for index, constraint in enumerate(constraints):
        where = f"{path}[{index}]"
        key, action = constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""
        skew = constraint.get("maxSkew") or 0
        if skew <= 0:
            problems.append(invalid_value(f"{where}.maxSkew", skew, _POSITIVE))
        if not key:
            problems.append(required(f"{where}.topologyKey", "can not be empty"))
        if action not in ("DoNotSchedule", "ScheduleAnyway"):
            choices = ("DoNotSchedule", "ScheduleAnyway")
            problems.append(not_supported(f"{where}.whenUnsatisfiable", action, choices))
        for other in constraints[index + 1 :]:
            if key == (other.get("topologyKey") or "") and action == (other.get("whenUnsatisfiable") or ""):
                at = f"{where}.{{topologyKey, whenUnsatisfiable}}"
                problems.append(duplicate(at, f"{{{key}, {action}}}"))
                break
        problems += _check_min_domains(constraint.get("minDomains"), action, f"{where}.minDomains")
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            policy = constraint.get(field)
            if policy is not None and policy not in ("Honor", "Ignore"):
                problems.append(not_supported(f"{where}.{field}", policy, ("Honor", "Ignore")))
        problems += _check_match_label_keys(constraint, f"{where}.matchLabelKeys")
        problems += validate_label_selector(constraint.get("labelSelector"), f"{where}.labelSelector")
    return problems


def _check_min_domains(domains: int | None, action: str, path: str) -> list[FieldError]:
    if domains is None:
        return []
    problems = [] if domains > 0 else [invalid_value(path, domains, _POSITIVE)]
    if action != "DoNotSchedule":
        text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        problems.append(invalid_value(path, domains, text))
    return problems


def _check_match_label_keys(constraint: JSON, path: str) -> list[FieldError]:
    keys, selector = constraint.get("matchLabelKeys") or [], constraint.get("labelSelector")
    if not keys:
        return []
    if selector is None:
        return [forbidden_field(path, "must not be specified when labelSelector is not set")]
    taken = set(selector.get("matchLabels") or ())
    problems: list[FieldError] = []
    for index, key in enumerate(keys):
        problems += validate_label_name(key, f"{path}[{index}]")
        if key in taken:
            text = "exists in both matchLabelKeys and labelSelector"
            problems.append(invalid_value(f"{path}[{index}]", key, text))
    return problems


def check_scheduling_gates(gates: list[JSON], path: str) -> list[FieldError]:
    """spec.schedulingGates."""
    problems: list[FieldError] = []
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        name, where = gate.get("name") or "", f"{path}[{index}]"
        problems += [invalid_value(where, name, text) for text in is_qualified_name(name)]
        if name in seen:
            problems.append(duplicate(where, name))
        seen.add(name)
    return problems
