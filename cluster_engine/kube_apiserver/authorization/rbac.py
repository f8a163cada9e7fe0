"""Role based access control: what the Roles and ClusterRoles give that are bound to the user.

Models plugin/pkg/auth/authorizer/rbac/rbac.go and pkg/registry/rbac/validation/rule.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import NamedTuple

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.etcd import Store

from ..types import UserInfo
from .interface import NO_OPINION, Access, Decision, PathRule, Rule, Rules

GROUP = "rbac.authorization.k8s.io"
ROLES, CLUSTER_ROLES = f"roles.{GROUP}", f"clusterroles.{GROUP}"
BINDINGS, CLUSTER_BINDINGS = f"rolebindings.{GROUP}", f"clusterrolebindings.{GROUP}"


class Grant(NamedTuple):
    """A rule that a binding gives to the user through one of its subjects; "" for ``problem``, or what is missing."""

    binding: JSON
    subject: JSON
    rule: Rule | PathRule | None
    problem: str = ""

    def __str__(self) -> str:
        meta, ref, subject = self.binding["metadata"], self.binding["roleRef"], self.subject
        who = subject["name"]
        if subject["kind"] == "ServiceAccount":
            who = f"{who}/{subject.get('namespace') or meta.get('namespace', '')}"
        name = f"{meta['name']}/{meta['namespace']}" if "namespace" in meta else meta["name"]
        kind = "RoleBinding" if "namespace" in meta else "ClusterRoleBinding"
        return f'{kind} "{name}" of {ref["kind"]} "{ref["name"]}" to {subject["kind"]} "{who}"'


USERS_KEPT = 512
"""Users (with their groups) whose grants of the cluster's bindings are remembered."""


class _Known:
    """What was found out about the cluster's roles and bindings as they are; forks share it."""

    def __init__(self) -> None:
        self.subjects: dict[str, list[_Place]] | None = None
        self.grants: dict[tuple[str, tuple[str, ...]], list[Grant]] = {}


class RBACAuthorizer:
    """Allows what a bound role allows; has no opinion of the rest."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = _Known()
        for resource in (CLUSTER_ROLES, CLUSTER_BINDINGS):
            store.subscribe(resource, lambda _event: self.forget())

    def forget(self) -> None:
        """The cluster's roles or bindings may be others."""
        self._known = _Known()

    def share(self, other: RBACAuthorizer) -> None:
        """Takes over what ``other`` has found out about the same roles and bindings."""
        self._known = other._known

    def follow(self, changed: Callable[[], None]) -> None:
        """Calls ``changed`` after every write of a role or a binding."""
        for resource in (ROLES, CLUSTER_ROLES, BINDINGS, CLUSTER_BINDINGS):
            self._store.subscribe(resource, lambda _event: changed())

    def decide(self, asked: Access) -> Decision:
        """Allow, or no opinion with the roles that are bound and are not there."""
        problems = []
        for grant in self._grants(asked.user, asked.namespace):
            if grant.rule is None:
                problems.append(grant.problem)
            elif grant.rule.allows(asked):
                anywhere = "namespace" not in grant.binding["metadata"] and not getattr(
                    grant.rule, "names", ()
                )
                return Decision("allow", f"RBAC: allowed by {grant}", everywhere=anywhere)
        if not problems:
            return NO_OPINION
        told = list(dict.fromkeys(problems))
        return NO_OPINION._replace(
            reason=f"RBAC: {told[0] if len(told) == 1 else '[' + ', '.join(told) + ']'}"
        )

    def rules(self, user: UserInfo, namespace: str) -> Rules:
        """All that the user's roles give in that namespace."""
        grants = list(self._grants(user, namespace))
        problems = list(dict.fromkeys(grant.problem for grant in grants if grant.problem))
        return Rules(
            tuple(grant.rule for grant in grants if isinstance(grant.rule, Rule)),
            tuple(grant.rule for grant in grants if isinstance(grant.rule, PathRule)),
            ", ".join(problems),
        )

    def of_role(self, ref: JSON, namespace: str) -> list[Rule | PathRule]:
        """The rules of the role that a binding in that namespace ("": everywhere) names. Raises ApiError 404."""
        resource = ROLES if ref["kind"] == "Role" else CLUSTER_ROLES
        role = self._store.get(
            resource, f"{namespace}/{ref['name']}" if ref["kind"] == "Role" else ref["name"]
        )
        if role is None:
            raise errors.not_found(resource, ref["name"])
        return rules_of(role)

    def _grants(self, user: UserInfo, namespace: str) -> Iterator[Grant]:
        """Those of the cluster's bindings, then those of the namespace, each in the order of the bindings' names."""
        key = (user.username, user.groups)
        everywhere = self._known.grants.get(key)
        if everywhere is None:
            if len(self._known.grants) >= USERS_KEPT:
                self.forget()
            everywhere = self._known.grants[key] = [*self._of(self._everywhere(user))]
        yield from everywhere
        if namespace:
            yield from self._of(self._within(user, namespace))

    def _of(self, bindings: Iterator[tuple[JSON, JSON]]) -> Iterator[Grant]:
        for binding, subject in bindings:
            ref = binding["roleRef"]
            try:
                rules = self.of_role(ref, binding["metadata"].get("namespace", ""))
            except errors.ApiError:
                missing = f'{ref["kind"].lower()}.{GROUP} "{ref["name"]}" not found'
                yield Grant(binding, subject, None, missing)
                continue
            for rule in rules:
                yield Grant(binding, subject, rule)

    def _everywhere(self, user: UserInfo) -> Iterator[tuple[JSON, JSON]]:
        """The cluster's bindings that are the user's, each with the first of its subjects that is."""
        if self._known.subjects is None:
            self._known.subjects = _by_subject(self._store.range(CLUSTER_BINDINGS))
        names = (f"User:{user.username}", *(f"Group:{group}" for group in user.groups))
        places = [place for name in names for place in self._known.subjects.get(name, ())]
        last = -1
        for number, _, binding, subject in sorted(places, key=_ORDER):
            if number != last:
                last = number
                yield binding, subject

    def _within(self, user: UserInfo, namespace: str) -> Iterator[tuple[JSON, JSON]]:
        """The same of the namespace's bindings."""
        for binding in self._store.range(BINDINGS, namespace):
            found = (each for each in binding.get("subjects") or () if _applies(each, user, namespace))
            if (subject := next(found, None)) is not None:
                yield binding, subject


_Place = tuple[int, int, JSON, JSON]
"""Number of a binding, number of a subject in it, and both."""
_ORDER = itemgetter(0, 1)


def _by_subject(bindings: list[JSON]) -> dict[str, list[_Place]]:
    """Where each subject of the cluster's bindings stands, by ``kind:name``; a service account is a user."""
    found: dict[str, list[_Place]] = {}
    for number, binding in enumerate(bindings):
        for place, subject in enumerate(binding.get("subjects") or ()):
            kind, name = subject["kind"], subject["name"]
            if kind == "ServiceAccount":
                kind, name = "User", f"system:serviceaccount:{subject.get('namespace', '')}:{name}"
            found.setdefault(f"{kind}:{name}", []).append((number, place, binding, subject))
    return found


def rules_of(role: JSON) -> list[Rule | PathRule]:
    """The rules of a role's object."""
    known: list[Rule | PathRule] | None = RULE_CACHE.of("role", role)
    if known is None:
        known = _read(role)
        RULE_CACHE.keep("role", role, known)
    return known


def _read(role: JSON) -> list[Rule | PathRule]:
    found: list[Rule | PathRule] = []
    for rule in role.get("rules") or ():
        verbs = tuple(rule.get("verbs") or ())
        if rule.get("nonResourceURLs"):
            found.append(PathRule(verbs, tuple(rule["nonResourceURLs"])))
        else:
            groups, resources, names = (
                tuple(rule.get(n) or ()) for n in ("apiGroups", "resources", "resourceNames")
            )
            found.append(Rule(verbs, groups, resources, names))
    return found


def _applies(subject: JSON, user: UserInfo, namespace: str) -> bool:
    match subject["kind"]:
        case "User":
            return bool(subject["name"] == user.username)
        case "Group":
            return subject["name"] in user.groups
        case "ServiceAccount":
            where = subject.get("namespace") or namespace
            return bool(where) and user.username == f"system:serviceaccount:{where}:{subject['name']}"
    return False
