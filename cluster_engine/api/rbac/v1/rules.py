"""What Roles, ClusterRoles and their bindings share. Models pkg/apis/rbac/{v1/defaults,validation/validation}.go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cluster_engine.api.printing import AGE, NAME, age, doc
from cluster_engine.api.strategy import same
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, not_supported, required
from cluster_engine.apimachinery.scheme import Column
from cluster_engine.apimachinery.validation import is_dns1123_subdomain, is_path_segment_name

GROUP = "rbac.authorization.k8s.io"


def check_rules(role: JSON, namespaced: bool) -> list[FieldError]:
    """What is wrong with the rules of a role."""
    problems: list[FieldError] = []
    for index, rule in enumerate(role.get("rules") or ()):
        problems += _check_rule(rule, namespaced, f"rules[{index}]")
    return problems


def _check_rule(rule: JSON, namespaced: bool, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    resources, names, urls = rule.get("resources"), rule.get("resourceNames"), rule.get("nonResourceURLs")
    if not rule.get("verbs"):
        problems.append(required(f"{path}.verbs", "verbs must contain at least one value"))
    if urls:
        place = f"{path}.nonResourceURLs"
        if namespaced:
            problems.append(invalid_value(place, urls, "namespaced rules cannot apply to non-resource URLs"))
        if rule.get("apiGroups") or resources or names:
            text = "rules cannot apply to both regular resources and non-resource URLs"
            problems.append(invalid_value(place, urls, text))
        return problems
    if not rule.get("apiGroups"):
        problems.append(required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
    if not resources:
        problems.append(required(f"{path}.resources", "resource rules must supply at least one resource"))
    if names and len(resources or ()) > 1:
        text = "resource names cannot apply to multiple resources"
        problems.append(required(f"{path}.resourceNames", text))
    return problems


def default_binding(binding: JSON) -> JSON:
    """The groups of the role and of users and groups are RBAC's own where none is given."""
    ref = binding.get("roleRef") or {}
    if not ref.get("apiGroup"):
        binding = {**binding, "roleRef": {**ref, "apiGroup": GROUP}}
    subjects = binding.get("subjects")
    if subjects and any(_lacks_group(subject) for subject in subjects):
        full = [{**each, "apiGroup": GROUP} if _lacks_group(each) else each for each in subjects]
        binding = {**binding, "subjects": full}
    return binding


def _lacks_group(subject: JSON) -> bool:
    return subject.get("kind") in ("User", "Group") and not subject.get("apiGroup")


def check_binding(binding: JSON, kinds: Sequence[str], namespaced: bool) -> list[FieldError]:
    """What is wrong with the role and the subjects of a binding to one of these kinds of role."""
    ref = binding.get("roleRef") or {}
    problems: list[FieldError] = []
    if ref.get("apiGroup") != GROUP:
        problems.append(not_supported("roleRef.apiGroup", ref.get("apiGroup") or "", (GROUP,)))
    if ref.get("kind") not in kinds:
        problems.append(not_supported("roleRef.kind", ref.get("kind") or "", kinds))
    name = ref.get("name") or ""
    if not name:
        problems.append(required("roleRef.name"))
    problems += [invalid_value("roleRef.name", name, text) for text in is_path_segment_name(name)]
    for index, subject in enumerate(binding.get("subjects") or ()):
        problems += _check_subject(subject, namespaced, f"subjects[{index}]")
    return problems


def _check_subject(subject: JSON, namespaced: bool, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    kind, name, group = subject.get("kind") or "", subject.get("name") or "", subject.get("apiGroup") or ""
    if not name:
        problems.append(required(f"{path}.name"))
    if kind == "ServiceAccount":
        if name:
            problems += [invalid_value(f"{path}.name", name, text) for text in is_dns1123_subdomain(name)]
        if group:
            problems.append(not_supported(f"{path}.apiGroup", group, ("",)))
        if not namespaced and not subject.get("namespace"):
            problems.append(required(f"{path}.namespace"))
    elif kind in ("User", "Group"):
        if not name:
            problems.append(invalid_value(f"{path}.name", name, f"{kind.lower()} name cannot be empty"))
        if group != GROUP:
            problems.append(not_supported(f"{path}.apiGroup", group, (GROUP,)))
    else:
        problems.append(not_supported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group")))
    return problems


def check_role_ref(new: JSON, old: JSON) -> list[FieldError]:
    """A binding keeps its role."""
    if same(new.get("roleRef"), old.get("roleRef")):
        return []
    ref = new.get("roleRef") or {}
    # As the internal type prints itself, which has no JSON names.
    printed = {"APIGroup": ref.get("apiGroup", ""), "Kind": ref.get("kind", ""), "Name": ref.get("name", "")}
    return [invalid_value("roleRef", printed, "cannot change roleRef")]


def binding_columns(message: str, kind: str) -> tuple[Column, ...]:
    """The columns of a kind of binding, whose name in sentences is ``kind``."""
    wide = (
        Column(who, description=f"{who} in the {kind}", priority=1)
        for who in ("Users", "Groups", "ServiceAccounts")
    )
    return (NAME, Column("Role", description=doc(message, "roleRef")), AGE, *wide)


def binding_row(binding: JSON, now: int) -> list[Any]:
    """The cells of a binding."""
    ref = binding.get("roleRef") or {}
    subjects = binding.get("subjects") or ()
    accounts = [f"{s.get('namespace', '')}/{s['name']}" for s in subjects if s["kind"] == "ServiceAccount"]
    return [
        binding["metadata"]["name"],
        f"{ref.get('kind', '')}/{ref.get('name', '')}",
        age(binding, now),
        ", ".join(s["name"] for s in subjects if s["kind"] == "User"),
        ", ".join(s["name"] for s in subjects if s["kind"] == "Group"),
        ", ".join(accounts),
    ]
