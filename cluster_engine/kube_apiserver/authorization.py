"""May they? A literal table stands in for RBAC, whose kinds are not served yet.

system:masters may do anything, as upstream. Everybody else gets what upstream's default cluster roles give
them (system:basic-user, system:discovery, system:public-info-viewer) and, for the identities of the cluster's
own parts, the rules below.

Models k8s.io/apiserver/pkg/authorization and plugin/pkg/auth/authorizer/rbac/bootstrappolicy.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from .authentication import MASTERS
from .requests import RequestInfo
from .types import UserInfo

READ = ("get", "list", "watch")
WRITE = (*READ, "create", "update", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on resources of a group; "*" stands for all."""

    verbs: tuple[str, ...]
    group: str
    resources: tuple[str, ...]

    def as_dict(self) -> JSON:
        """As SelfSubjectRulesReview shows it."""
        return {"verbs": list(self.verbs), "apiGroups": [self.group], "resources": list(self.resources)}


@dataclass(frozen=True, slots=True)
class PathRule:
    """Verbs on paths that are no resources."""

    verbs: tuple[str, ...]
    paths: tuple[str, ...]

    def as_dict(self) -> JSON:
        """As SelfSubjectRulesReview shows it."""
        return {"verbs": list(self.verbs), "nonResourceURLs": list(self.paths)}


_ALL = (Rule(("*",), "*", ("*",)),)
_ALL_PATHS = (PathRule(("*",), ("*",)),)
_PUBLIC = (PathRule(("get",), ("/healthz", "/livez", "/readyz", "/version", "/version/")),)
_DISCOVERY = (
    PathRule(
        ("get",),
        (
            "/api",
            "/api/*",
            "/apis",
            "/apis/*",
            "/openapi",
            "/openapi/*",
            "/healthz",
            "/livez",
            "/readyz",
            "/version",
            "/version/",
        ),
    ),
)
_BASIC = (
    Rule(("create",), "authorization.k8s.io", ("selfsubjectaccessreviews", "selfsubjectrulesreviews")),
    Rule(("create",), "authentication.k8s.io", ("selfsubjectreviews",)),
)
# By group or user name, in the order in which reviews list them.
_RULES: dict[str, tuple[Rule, ...]] = {
    "system:authenticated": _BASIC,
    "system:nodes": (
        Rule(READ, "", ("services", "nodes", "pods", "configmaps", "secrets", "persistentvolumeclaims")),
        Rule(("create", "update", "patch"), "", ("nodes", "nodes/status")),
        Rule(("create", "delete"), "", ("pods",)),
        Rule(("update", "patch"), "", ("pods/status",)),
        Rule(("create", "update", "patch"), "", ("events",)),
        Rule(("create",), "", ("serviceaccounts/token",)),
        Rule(WRITE, "coordination.k8s.io", ("leases",)),
    ),
    "system:kube-scheduler": (
        Rule(READ, "", ("pods", "nodes", "services", "namespaces", "replicationcontrollers")),
        Rule(("delete",), "", ("pods",)),
        Rule(("create",), "", ("pods/binding", "bindings")),
        Rule(("update", "patch"), "", ("pods/status",)),
        Rule(("create", "update", "patch"), "", ("events",)),
        Rule(READ, "apps", ("replicasets", "statefulsets")),
        Rule(WRITE, "coordination.k8s.io", ("leases",)),
    ),
    "system:kube-controller-manager": (
        Rule(READ, "*", ("*",)),
        Rule(("create", "update", "patch"), "", ("events",)),
        Rule(WRITE, "coordination.k8s.io", ("leases",)),
    ),
    "system:kube-proxy": (
        Rule(READ, "", ("services", "endpoints", "nodes")),
        Rule(READ, "discovery.k8s.io", ("endpointslices",)),
        Rule(("create", "update", "patch"), "", ("events",)),
    ),
    "system:serviceaccount:kube-system:coredns": (
        Rule(("list", "watch"), "", ("endpoints", "services", "pods", "namespaces")),
        Rule(("list", "watch"), "discovery.k8s.io", ("endpointslices",)),
    ),
}
_PATH_RULES: dict[str, tuple[PathRule, ...]] = {
    "system:authenticated": _DISCOVERY,
    "system:unauthenticated": _PUBLIC,
}


def rules_for(user: UserInfo) -> tuple[list[Rule], list[PathRule]]:
    """Everything this user may do."""
    if MASTERS in user.groups:
        return list(_ALL), list(_ALL_PATHS)
    rules: list[Rule] = []
    paths: list[PathRule] = []
    for subject in (*user.groups, user.username):
        rules += _RULES.get(subject, ())
        paths += _PATH_RULES.get(subject, ())
    return rules, paths


def allowed(user: UserInfo, verb: str, group: str, resource: str) -> bool:
    """Whether the user may do this to a resource ("pods", "pods/log")."""
    if MASTERS in user.groups:
        return True
    rules, _paths = rules_for(user)
    return any(
        ("*" in rule.verbs or verb in rule.verbs)
        and rule.group in ("*", group)
        and ("*" in rule.resources or resource in rule.resources)
        for rule in rules
    )


def allowed_path(user: UserInfo, verb: str, path: str) -> bool:
    """Whether the user may do this to a path that is no resource."""
    if MASTERS in user.groups:
        return True
    _rules, rules = rules_for(user)
    for rule in rules:
        if "*" not in rule.verbs and verb not in rule.verbs:
            continue
        for pattern in rule.paths:
            if pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1])):
                return True
    return False


def check(user: UserInfo, info: RequestInfo) -> None:
    """Refuse (403) in upstream's words what the user may not do."""
    if MASTERS in user.groups:
        return
    who = f'User "{user.username}" cannot {info.verb}'
    if not info.is_resource:
        if not allowed_path(user, info.verb, info.path):
            raise errors.forbidden("", "", f'{who} path "{info.path}"')
        return
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    if allowed(user, info.verb, info.group, resource):
        return
    why = f'{who} resource "{resource}" in API group "{info.group}"'
    if info.namespace:
        why += f' in the namespace "{info.namespace}"'
    else:
        why += " at the cluster scope"
    qualified = f"{info.resource}.{info.group}" if info.group else info.resource
    problem = errors.forbidden(qualified, info.name, why)
    raise problem
