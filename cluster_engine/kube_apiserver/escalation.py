"""Nobody hands on a right that they lack: what is checked before a role or a binding is written.

Models pkg/registry/rbac/{escalation_check,validation/rule}.go, pkg/registry/rbac/*/policybased and
k8s.io/component-helpers/auth/rbac/validation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import go_value

from .authorization import Access, AuthorizerChain, RBACAuthorizer
from .authorization.interface import PathRule, Rule
from .authorization.privileged_groups import MASTERS
from .authorization.rbac import BINDINGS, CLUSTER_BINDINGS, CLUSTER_ROLES, GROUP, ROLES, rules_of
from .types import RequestContext, UserInfo

AnyRule = Rule | PathRule
Guard = Callable[[RequestContext, JSON, JSON | None], None]
"""Called with the object as it is to be and as it was, before anything else is checked. Raises ApiError."""

_EVERYTHING = (Rule(("*",), ("*",), ("*",)), PathRule(("*",), ("*",)))
_UPKEEP = ("ownerReferences", "finalizers", "managedFields", "resourceVersion")


def guards(authorizer: AuthorizerChain, rbac: RBACAuthorizer) -> dict[str, Guard]:
    """What guards each resource of RBAC."""
    checks = _Checks(authorizer, rbac)
    roles, bindings = (ROLES, CLUSTER_ROLES), (BINDINGS, CLUSTER_BINDINGS)
    found: dict[str, Guard] = {}
    for resource in roles:
        found[resource] = lambda ctx, new, old, resource=resource: checks.role(ctx, resource, new, old)  # type: ignore[misc]
    for resource in bindings:
        found[resource] = lambda ctx, new, old, resource=resource: checks.binding(ctx, resource, new, old)  # type: ignore[misc]
    return found


class _Checks:
    def __init__(self, authorizer: AuthorizerChain, rbac: RBACAuthorizer) -> None:
        self._authorizer = authorizer
        self._rbac = rbac

    def role(self, ctx: RequestContext, resource: str, new: JSON, old: JSON | None) -> None:
        """The rules of a role are all held by who writes it, or he may ``escalate``."""
        meta = new["metadata"]
        if self._free(ctx.user, old, new) or self._may(ctx.user, "escalate", resource, meta):
            return
        unchanged = old is not None and (old.get("rules") or []) == (new.get("rules") or [])
        aggregated = new.get("aggregationRule") is not None
        if unchanged and (old or {}).get("aggregationRule") == new.get("aggregationRule"):
            return
        namespace = meta.get("namespace", "")
        self._confirm(ctx.user, resource, meta, rules_of(new), namespace)
        if aggregated and self._missing(ctx.user, _EVERYTHING, namespace):
            why = "must have cluster-admin privileges to use the aggregationRule"
            raise errors.forbidden(resource, meta["name"], why)

    def binding(self, ctx: RequestContext, resource: str, new: JSON, old: JSON | None) -> None:
        """The rules of the role are all held by who binds it, or he may ``bind`` that role."""
        meta, ref = new["metadata"], new.get("roleRef") or {}
        if self._free(ctx.user, old, new) or ref.get("kind") not in ("Role", "ClusterRole"):
            return
        role = {"name": ref.get("name", ""), "namespace": meta.get("namespace", "")}
        if self._may(ctx.user, "bind", ROLES if ref["kind"] == "Role" else CLUSTER_ROLES, role):
            return
        rules = self._rbac.of_role(ref, role["namespace"])
        self._confirm(ctx.user, resource, meta, rules, role["namespace"])

    def _free(self, user: UserInfo, old: JSON | None, new: JSON) -> bool:
        """Masters, and whoever changes nothing but what the garbage collector writes."""
        return MASTERS in user.groups or (old is not None and _kept(old) == _kept(new))

    def _may(self, user: UserInfo, verb: str, resource: str, meta: JSON) -> bool:
        plural = resource.partition(".")[0]
        asked = Access(user, verb, GROUP, plural, "", meta.get("namespace", ""), meta["name"])
        return self._authorizer.decide(asked).allowed

    def _missing(self, user: UserInfo, wanted: Iterable[AnyRule], namespace: str) -> list[AnyRule]:
        held = self._authorizer.rules(user, namespace)
        return uncovered((*held.resources, *held.paths), wanted)

    def _confirm(
        self, user: UserInfo, resource: str, meta: JSON, wanted: Iterable[AnyRule], namespace: str
    ) -> None:
        missing = self._missing(user, wanted, namespace)
        if not missing:
            return
        groups = " ".join(go_value(group) for group in user.groups)
        lines = "\n".join(sorted({compact(rule) for rule in _together(missing)}))
        why = (
            f"user {go_value(user.username)} (groups=[{groups}]) is attempting to grant RBAC permissions not "
            f"currently held:\n{lines}"
        )
        raise errors.forbidden(resource, meta["name"], why)


def _kept(obj: JSON) -> JSON:
    meta = {name: value for name, value in obj["metadata"].items() if name not in _UPKEEP}
    return {**obj, "metadata": meta}


def uncovered(held: Iterable[AnyRule], wanted: Iterable[AnyRule]) -> list[AnyRule]:
    """The parts of what is wanted that no single rule of those held covers (Covers)."""
    held = tuple(held)
    return [part for rule in wanted for part in _parts(rule) if not any(_covers(own, part) for own in held)]


def _parts(rule: AnyRule) -> list[AnyRule]:
    """A rule for each verb on each resource of each group, by name (BreakdownRule)."""
    if isinstance(rule, PathRule):
        return [PathRule((verb,), (path,)) for path in rule.paths for verb in rule.verbs]
    names: list[tuple[str, ...]] = [(name,) for name in rule.names] or [()]
    return [
        Rule((verb,), (group,), (resource,), name)
        for group in rule.groups
        for resource in rule.resources
        for verb in rule.verbs
        for name in names
    ]


def _covers(own: AnyRule, part: AnyRule) -> bool:
    if not _has(own.verbs, part.verbs[0]):
        return False
    if isinstance(own, PathRule) or isinstance(part, PathRule):
        if not (isinstance(own, PathRule) and isinstance(part, PathRule)):
            return False
        path = part.paths[0]
        return any(p in ("*", path) or (p.endswith("*") and path.startswith(p[:-1])) for p in own.paths)
    if not _has(own.groups, part.groups[0]):
        return False
    resource = part.resources[0]
    subresource = resource.partition("/")[2]
    if not _has(own.resources, resource) and not (subresource and f"*/{subresource}" in own.resources):
        return False
    return not own.names or (bool(part.names) and part.names[0] in own.names)


def _has(values: tuple[str, ...], wanted: str) -> bool:
    return "*" in values or wanted in values


def _together(parts: Iterable[AnyRule]) -> list[AnyRule]:
    """The verbs on one resource in one rule again (CompactRules)."""
    found: dict[tuple[object, ...], AnyRule] = {}
    for part in parts:
        if isinstance(part, PathRule):
            found[("path", part)] = part
            continue
        key = (part.groups, part.resources, part.names)
        known = found.get(key)
        found[key] = part if known is None else Rule((*known.verbs, *part.verbs), *key)
    return list(found.values())


def compact(rule: AnyRule) -> str:
    """A rule as Go prints it (CompactString)."""
    if isinstance(rule, PathRule):
        told = [("NonResourceURLs", rule.paths), ("Verbs", rule.verbs)]
    else:
        told = [
            ("APIGroups", rule.groups),
            ("Resources", rule.resources),
            ("ResourceNames", rule.names),
            ("Verbs", rule.verbs),
        ]
    listed = (f"{name}:[{' '.join(go_value(value) for value in values)}]" for name, values in told if values)
    return "{" + ", ".join(listed) + "}"
